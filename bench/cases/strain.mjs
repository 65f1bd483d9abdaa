// (e) Video where it is hard: a file that is not in the page cache, and hundreds of slow readers.
// A small request asks all the while how long the server takes for anything else.
import { measureBeside } from '../harness/beside.mjs';
import { videoFile } from '../harness/video_file.mjs';

const all = ['ours', 'nginx', 'nginx aio', 'gorilla'];
const slow = '500 readers of 2 Mbit/s';
const cold = 'cold file, 16 connections';

export default {
  name: 'strain',
  title: 'Small requests beside a cold file and beside slow readers',
  columns: [
    { figure: 'p50Us', label: 'small p50 ms', scale: 1000 },
    { figure: 'p99Us', label: 'small p99 ms', scale: 1000, isCharted: true },
    { figure: 'videoBytesPerSecond', label: 'video MB/s', scale: 1e6 },
    { figure: 'videoCpuSecondsPerGb', label: 'CPU s/GB', isCharted: true },
    { figure: 'videoGrownBytes', label: 'memory a reader, B' },
  ],
  plan: ({ quick, seconds = quick ? 1 : 4 }) => [slow, cold].flatMap((variant) => (quick ? ['ours', 'nginx aio'] : all).map((subject) => ({
    variant,
    subject,
    measure: async () => {
      const { file, size } = await videoFile();
      const video = variant === slow
        ? { connections: 500, 'read-rate': 250_000, 'range-bytes': 8 << 20 }
        : { connections: 16, 'range-bytes': 1 << 20, evict: file };
      return measureBeside(subject, { video: file }, { ...video, 'file-bytes': size }, ({ targets }) => ['http_load', {
        target: targets.validate, connections: 8, rate: 200, seconds,
      }]);
    },
  }))),
};
