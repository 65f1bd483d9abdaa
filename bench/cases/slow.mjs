// (g) A tenth of the members never read: what the others notice, and what it costs in memory.
import { measureBroadcasts } from './fanout.mjs';

const all = ['ours', 'ws', 'gorilla', 'beast'];
const none = 'all read';
const some = 'a tenth never reads';
const members = 1000;
const silent = 100;

export default {
  name: 'slow',
  title: 'Fifty broadcasts a second to 1,000 members, some of whom never read',
  columns: [
    { figure: 'memberP50Us', label: 'member p50 ms', scale: 1000 },
    { figure: 'memberP99Us', label: 'member p99 ms', scale: 1000, isCharted: true },
    { figure: 'lastP99Us', label: 'last p99 ms', scale: 1000 },
    { figure: 'grownBytesPerSilent', label: 'memory a silent one, B', isCharted: true },
    { figure: 'busyShare', label: 'busy' },
  ],
  goals: [
    {
      name: "the others' p99 where a tenth never reads, to where all read",
      figure: 'memberP99Us',
      of: { subject: 'ours', variant: some },
      to: { subjects: ['ours'], variant: none },
      max: 1.2,
    },
    { name: 'memory of one who never reads, bytes (its queue)', figure: 'grownBytesPerSilent', of: { subject: 'ours', variant: some }, max: 65_536 },
  ],
  plan: ({ quick, seconds = quick ? 2 : 6 }) => [none, some].flatMap((variant) => (quick ? ['ours'] : all).map((subject) => ({
    variant,
    subject,
    measure: async () => {
      const count = variant === some ? silent : 0;
      // As many readers in both, so that their deliveries are as many.
      const figures = await measureBroadcasts(subject, { members: members + count, silent: count, rate: 50, seconds });
      return count ? { ...figures, grownBytesPerSilent: figures.grownBytes / count } : figures;
    },
  }))),
};
