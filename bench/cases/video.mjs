// (e) Ranges of a video that is in the page cache.
import { videoFile } from '../harness/video_file.mjs';
import { measureRequests } from './http.mjs';

const all = ['ours', 'file loop', 'nginx', 'gorilla'];
const kib = 1024;
const sizes = { [64 * kib]: '64 KiB', [1024 * kib]: '1 MiB', [8192 * kib]: '8 MiB' };
const label = (bytes, connections) => `${sizes[bytes] ?? `${bytes} B`}, ${connections} connections`;

const goal = (bytes, max) => ({
  name: `CPU s/GB, ${label(bytes, 16)}, to nginx`,
  figure: 'cpuSecondsPerGb',
  of: { subject: 'ours', variant: label(bytes, 16) },
  to: { subjects: ['nginx'] },
  max,
});

export default {
  name: 'video',
  title: 'Video ranges from the page cache, one server core',
  columns: [
    { figure: 'cpuSecondsPerGb', label: 'CPU s/GB', isCharted: true },
    { figure: 'bytesPerSecond', label: 'MB/s', scale: 1e6 },
    { figure: 'p50Us', label: 'p50 ms', scale: 1000, isCharted: true },
    { figure: 'p99Us', label: 'p99 ms', scale: 1000 },
    { figure: 'busyShare', label: 'busy' },
  ],
  goals: [
    goal(64 * kib, 0.3),
    goal(1024 * kib, 0.95),
    goal(8192 * kib, 0.95),
    { name: 'p50 of a range of 64 KiB, us', figure: 'p50Us', of: { subject: 'ours', variant: label(64 * kib, 16) }, max: 1000 },
  ],
  plan: ({ quick, seconds = quick ? 0.4 : 2, sizes: asked }) =>
    (asked ?? Object.keys(sizes).map(Number).slice(0, quick ? 2 : 3)).flatMap((bytes) => (quick ? [16] : [16, 256]).flatMap((connections) => all.map((subject) => ({
      variant: label(bytes, connections),
      subject,
      measure: async () => {
        const { file, size } = await videoFile();
        const load = { connections, 'range-bytes': bytes, 'file-bytes': size, seconds };
        return measureRequests(subject, 'video', load, { video: file });
      },
    })))),
};
