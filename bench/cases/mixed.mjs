// (f) Both at once: members hear of a seek while the same worker serves all the video it can.
import { measureBeside } from '../harness/beside.mjs';
import { videoFile } from '../harness/video_file.mjs';

const all = ['ours', 'gorilla'];
const alone = 'alone';
const beside = 'beside video';

export default {
  name: 'mixed',
  title: 'Ten broadcasts a second to 1,000 members, alone and beside 16 downloads',
  columns: [
    { figure: 'memberP50Us', label: 'member p50 ms', scale: 1000 },
    { figure: 'memberP99Us', label: 'member p99 ms', scale: 1000, isCharted: true },
    { figure: 'lastP50Us', label: 'last p50 ms', scale: 1000 },
    { figure: 'lastP99Us', label: 'last p99 ms', scale: 1000 },
    { figure: 'videoBytesPerSecond', label: 'video MB/s', scale: 1e6 },
    { figure: 'busyShare', label: 'busy' },
  ],
  goals: [{
    name: 'member p99 beside video, to alone',
    figure: 'memberP99Us',
    of: { subject: 'ours', variant: beside },
    to: { subjects: ['ours'], variant: alone },
    max: 3,
  }],
  plan: ({ quick, seconds = quick ? 1 : 4 }) => [alone, beside].flatMap((variant) => (quick ? ['ours'] : all).map((subject) => ({
    variant,
    subject,
    measure: async () => {
      const { file, size } = await videoFile();
      const video = variant === beside ? { connections: 16, 'range-bytes': 1 << 20, 'file-bytes': size } : null;
      return measureBeside(subject, { video: file }, video, ({ targets }) => ['viewer_load', {
        target: targets.broadcast, ...(subject === 'ours' && { ours: true }), members: 1000, rate: 10, seconds,
      }]);
    },
  }))),
};
