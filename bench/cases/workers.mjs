// (h) One worker against two. They need a core each and one for the load.
import { coreCount } from '../harness/servers.mjs';
import { measureBroadcasts } from './fanout.mjs';
import { measureRequests } from './http.mjs';

const variants = { broadcast: 'broadcast to 2,000', requests: 'small requests' };
const label = (what, workers) => `${variants[what]}, ${workers === 1 ? 'one worker' : `${workers} workers`}`;

const faster = (what, figure) => ({
  name: `${variants[what]}, two workers to one`,
  figure,
  of: { subject: 'ours', variant: label(what, 2) },
  to: { subjects: ['ours'], variant: label(what, 1) },
  min: 1.8,
});

async function measure(what, workers, seconds) {
  if (workers > 1 && coreCount < workers + 1) {
    throw new Error(`${workers} workers and the load need ${workers + 1} cores, and here are ${coreCount}`);
  }
  return what === 'broadcast'
    ? measureBroadcasts('ours', { members: 2000, seconds }, { workers })
    : measureRequests('ours', 'validate', { connections: 64, pipeline: 8, seconds }, { workers });
}

export default {
  name: 'workers',
  title: 'One worker and two, each with a core of its own',
  columns: [
    { figure: 'deliveriesPerSecond', label: 'deliveries/s' },
    { figure: 'requestsPerSecond', label: 'requests/s', isCharted: true },
    { figure: 'cpuUs', label: 'CPU us each' },
    { figure: 'busyShare', label: 'busy' },
  ],
  goals: [faster('broadcast', 'deliveriesPerSecond'), faster('requests', 'requestsPerSecond')],
  plan: ({ quick, seconds = quick ? 0.6 : 1.5 }) => ['broadcast', 'requests'].flatMap((what) => [1, 2].map((workers) => ({
    variant: label(what, workers),
    subject: 'ours',
    measure: () => measure(what, workers, seconds),
  }))),
};
