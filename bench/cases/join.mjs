// (c) Thousands arrive at once: from connecting to being in, with the reports of who is there.
import { measureBroadcasts } from './fanout.mjs';

const all = ['ours', 'answer loop', 'ws', 'gorilla', 'beast'];
const label = (members) => `${members.toLocaleString('en-US')} join`;

export default {
  name: 'join',
  title: 'Join storm: 128 handshakes at a time, one server core',
  columns: [
    { figure: 'joinsPerSecond', label: 'joins/s', isCharted: true },
    { figure: 'joinP50Us', label: 'p50 ms', scale: 1000 },
    { figure: 'joinP99Us', label: 'p99 ms', scale: 1000, isCharted: true },
    { figure: 'joinCpuUs', label: 'CPU us a join' },
    { figure: 'joinBytes', label: 'bytes to each' },
  ],
  goals: [
    {
      name: 'joins a second, 4,000, to every peer',
      figure: 'joinsPerSecond',
      of: { subject: 'ours', variant: label(4000) },
      to: { subjects: ['ws', 'gorilla', 'beast'] },
      min: 1.2,
    },
    {
      name: 'bytes that each gets, 4,000 join to 1,000 (quadratic in all: 4)',
      figure: 'joinBytes',
      of: { subject: 'ours', variant: label(4000) },
      to: { subjects: ['ours'], variant: label(1000) },
      max: 2,
    },
  ],
  plan: ({ quick, sizes }) => (sizes ?? (quick ? [2000] : [1000, 4000])).flatMap((count) => (quick ? ['ours', 'gorilla', 'beast'] : all).map((subject) => ({
    variant: label(count),
    subject,
    measure: () => measureBroadcasts(subject, { members: count, seconds: 0, 'rest-ms': 400 }),
  }))),
};
