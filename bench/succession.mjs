// What a new program's taking over costs: how long members are away, and the CPU of their coming back. --help.
//
// The members are of this process, over loopback, and come back as a page does: after `retryAfterMs`, and up to as much
// again. Times are from the moment at which a member's connection ended to its next `welcome`.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeFolder, patternBytes } from '../tests/support/files.mjs';
import { createSession, join } from '../tests/support/member.mjs';
import { signal } from '../tests/support/process.mjs';
import { startServer } from '../tests/support/server.mjs';
import { until } from '../tests/support/until.mjs';

const HELP = `Has members watch a film, starts a new program in the place of the server, and tells when they are back.

  --members N     (2000)
  --sessions N    over which they are spread evenly (1)
  --workers N     of the server (2)
  --build FOLDER  of the server (build/release)
  --help`;

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '2000' },
    sessions: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    build: { type: 'string', default: 'build/release' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}

const AT_ONCE = 50;
const WAIT_MS = 60_000;
const ticksPerS = 100;

// Of all its threads, in seconds.
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerS;
}

async function joinAll(server, sessions, count) {
  const members = [];
  for (const { key } of sessions) members.push(await join(server, key, { name: 'host' })); // who is first is
  for (let i = sessions.length; i < count; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, j) => join(server, sessions[(i + j) % sessions.length].key, { name: `p${i + j}` }));
    members.push(...(await Promise.all(some)));
  }
  return members;
}

// Resolves to what became of the member. It listens from now on.
async function comeBack(server, session, member) {
  await member.closed;
  const endedMs = performance.now();
  const { retryAfterMs } = member.all.findLast(({ type, code }) => type === 'notice' && code === 'draining');
  await sleep(retryAfterMs * (1 + Math.random()));
  const back = await join(server, session.key, { resume: member.resume, name: member.welcome.you.name });
  const { you, state } = back.welcome;
  back.socket.terminate();
  return { awayMs: performance.now() - endedMs, isSame: you.id === member.id && you.role === member.welcome.you.role, isPlaying: state.playing };
}

const media = await makeFolder({ 'film.mp4': patternBytes(100_000, 1) });
const server = await startServer({
  binary: path.resolve(values.build, 'videosync'),
  args: ['--media', media.directory, '--session-rate', '0', '--max-per-address', '0', '--workers', values.workers],
});
try {
  const sessions = [];
  for (let i = 0; i < Number(values.sessions); i += 1) sessions.push(await createSession(server));
  const members = await joinAll(server, sessions, Number(values.members));
  for (const host of members.slice(0, sessions.length)) {
    host.send('play');
    await host.next('state', ({ playing }) => playing);
  }
  const all = members.map((member, i) => comeBack(server, sessions[i % sessions.length], member));
  const cpuBefore = cpuOf(server.pid);
  let cpuOfOld = cpuBefore; // it ends when nobody is left
  const sampler = setInterval(() => {
    if (signal(server.pid, 0)) cpuOfOld = cpuOf(server.pid);
    else clearInterval(sampler);
  }, 20);
  process.kill(server.pid, 'SIGUSR2');
  await until(() => server.successors().length > 0, 'a new program serves', WAIT_MS);
  const successor = server.successors()[0];
  const back = await Promise.all(all);
  const awayMs = back.map((one) => one.awayMs).sort((a, b) => a - b);
  const quantile = (q) => Math.round(awayMs[Math.floor(q * (awayMs.length - 1))]);
  const [, stoodStillMs] = /the new program serves.*took_ms=(\d+)/.exec(server.stderr());
  console.log(JSON.stringify({
    members: back.length,
    sessions: sessions.length,
    same: back.filter((one) => one.isSame).length,
    playing: back.filter((one) => one.isPlaying).length,
    stoodStillMs: Number(stoodStillMs),
    awayMs: { p50: quantile(0.5), p95: quantile(0.95), max: quantile(1) },
    cpuS: { old: Number((cpuOfOld - cpuBefore).toFixed(2)), new: cpuOf(successor) },
  }));
  clearInterval(sampler);
} finally {
  await server.stop();
  await media.remove();
}
