// (b) What a viewer costs who is there and does nothing.
import { measureBroadcasts } from './fanout.mjs';

const all = ['ours', 'send loop', 'ws', 'gorilla', 'beast'];
const label = (members) => `${members.toLocaleString('en-US')} viewers`;

export default {
  name: 'idle',
  title: 'Idle viewers: memory of one',
  columns: [
    { figure: 'marginalBytes', label: 'one more, B', isCharted: true },
    { figure: 'anonymousBytes', label: 'of all, B' },
    { figure: 'residentBytes', label: 'resident, B' },
    { figure: 'kernelBytes', label: "kernel's, B" },
  ],
  goals: [
    { name: 'our memory of an idle viewer, bytes', figure: 'marginalBytes', of: { subject: 'ours', variant: label(10000) }, max: 400 },
  ],
  plan: ({ quick, sizes }) => (sizes ?? [quick ? 2000 : 10000]).flatMap((count) => (quick ? ['ours', 'beast'] : all).map((subject) => ({
    variant: label(count),
    subject,
    measure: () => measureBroadcasts(subject, { members: count, seconds: 0, 'rest-ms': quick ? 400 : 1000 }),
  }))),
};
