// (a) One text to every member: ours, the bare kernel, and what a user would take instead.
import { hasOwnCore, runLoad, startServer } from '../harness/servers.mjs';

const all = ['ours', 'send loop', 'send ring', 'ws', 'gorilla', 'beast'];
const peers = ['ws', 'gorilla', 'beast'];
const label = (members) => `${members.toLocaleString('en-US')} members`;

// Ours tells its members who came, later in large sessions: docs/PROTOCOL.md, `members`. It is waited for.
const presenceMs = (members) => Math.min(members / 4, 5000) + 150;
const restMs = (subject, { members, 'rest-ms': rest = 300 }) => (subject === 'ours' ? Math.max(rest, Math.ceil(presenceMs(members))) : rest);

// Joins, then broadcasts one after the other; see viewer_load --help.
export async function measureBroadcasts(subject, load, server = {}) {
  const running = await startServer(subject, server);
  try {
    return await runLoad('viewer_load', {
      port: running.port,
      pid: running.pid,
      target: running.targets.broadcast,
      ...(subject === 'ours' && { ours: true }),
      ...load,
      'rest-ms': restMs(subject, load),
    });
  } finally {
    await running.stop();
  }
}

const beats = (members) => ({
  name: `last member p99, ${label(members)}, against every peer`,
  figure: 'lastP99Us',
  of: { subject: 'ours', variant: label(members) },
  to: { subjects: peers },
  max: 1,
});
const cost = { figure: 'cpuUs', of: { subject: 'ours', variant: label(2000) } };

export default {
  name: 'fanout',
  title: 'Fan-out: a state of 150 bytes to every member, one server core',
  columns: [
    { figure: 'cpuUs', label: 'CPU us a delivery', isCharted: true },
    { figure: 'userUs', label: 'user us' },
    { figure: 'deliveriesPerSecond', label: 'deliveries/s' },
    { figure: 'firstP50Us', label: 'first p50 ms', scale: 1000 },
    { figure: 'firstP99Us', label: 'first p99 ms', scale: 1000 },
    { figure: 'lastP50Us', label: 'last p50 ms', scale: 1000 },
    { figure: 'lastP99Us', label: 'last p99 ms', scale: 1000, isCharted: true },
  ],
  goals: [
    { ...cost, name: 'CPU a delivery, 2,000 members, to the ring of sends', to: { subjects: ['send ring'] }, max: 1.05 },
    { ...cost, name: 'CPU a delivery, 2,000 members, to the loop of sends', to: { subjects: ['send loop'] }, max: 0.9 },
    { ...cost, name: 'CPU a delivery, 2,000 members, to every peer', to: { subjects: peers }, max: 1 },
    { ...cost, name: 'our own us a delivery, 2,000 members', figure: 'userUs', max: 0.15 },
    ...[100, 1000, 10000].map(beats),
    {
      name: 'CPU a delivery, 10,000 members to 1,000',
      figure: 'cpuUs',
      of: { subject: 'ours', variant: label(10000) },
      to: { subjects: ['ours'], variant: label(1000) },
      max: 1.2,
    },
    {
      name: '  the same of the ring of sends, for comparison',
      figure: 'cpuUs',
      of: { subject: 'send ring', variant: label(10000) },
      to: { subjects: ['send ring'], variant: label(1000) },
      max: 1.2,
    },
  ],
  plan: ({ quick, seconds, sizes }) => {
    const members = sizes ?? (quick ? [100, 2000] : [100, 1000, 2000, 10000]);
    return members.flatMap((count) => all.map((subject) => ({
      variant: label(count),
      subject,
      measure: () => measureBroadcasts(subject, {
        members: count,
        seconds: seconds ?? (quick ? 0.4 : 1.5),
        // Long enough for the load's core to be idle when the next one comes.
        'pause-ms': hasOwnCore ? 5 : 20,
        'rest-ms': 300,
      }),
    })));
  },
};
