// Two loads on one server at once: one that keeps it busy, and one that is measured beside it.
import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad, startServer } from './servers.mjs';

const longerThanAnyRun = 60;
const untilItRuns = 500;

// video: options of http_load, or null for nothing beside it. measured(server) -> [load generator,
// its options]. It goes first on the core that the two loads share. Resolves to its figures, with those
// of the video as videoBytesPerSecond, videoCpuSecondsPerGb, videoGrownBytes and busyShare.
export async function measureBeside(subject, server, video, measured) {
  const running = await startServer(subject, server);
  let background = null;
  try {
    if (video) {
      const target = { port: running.port, pid: running.pid, target: running.targets.video };
      background = await startLoad('http_load', { ...target, ...video, seconds: longerThanAnyRun });
      await sleep(untilItRuns);
    }
    const [program, options] = measured(running);
    const load = await startLoad(program, { port: running.port, pid: running.pid, ...options }, { isFirst: true });
    const figures = await load.figures();
    if (!background) return figures;
    const beside = await background.end();
    return {
      ...figures,
      videoBytesPerSecond: beside.bytesPerSecond,
      videoCpuSecondsPerGb: beside.cpuSecondsPerGb,
      videoGrownBytes: beside.grownBytesPerConnection,
      busyShare: beside.busyShare,
    };
  } finally {
    await background?.kill();
    await running.stop();
  }
}
