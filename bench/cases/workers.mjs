// (h) One worker against two. Times need a core for each and one for the load; where there are fewer,
// what a delivery or request costs still says whether the workers are in each other's way.
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

const cheap = (what) => ({
  name: `${variants[what]}, CPU of each, two workers to one (1.8 x as many: at most 1.11)`,
  figure: 'cpuUs',
  of: { subject: 'ours', variant: label(what, 2) },
  to: { subjects: ['ours'], variant: label(what, 1) },
  max: 1.11,
});

async function measure(what, workers, seconds) {
  const figures = what === 'broadcast'
    ? await measureBroadcasts('ours', { members: 2000, seconds }, { workers })
    : await measureRequests('ours', 'validate', { connections: 64, pipeline: 8, seconds }, { workers });
  const { cpuUs, busyShare, deliveriesPerSecond, requestsPerSecond } = figures;
  return coreCount > workers ? { cpuUs, busyShare, deliveriesPerSecond, requestsPerSecond } : { cpuUs };
}

export default {
  name: 'workers',
  title: coreCount > 2 ? 'One worker and two, each with a core of its own' : 'One worker and two, which share two cores with the load',
  columns: [
    { figure: 'deliveriesPerSecond', label: 'deliveries/s' },
    { figure: 'requestsPerSecond', label: 'requests/s', isCharted: true },
    { figure: 'cpuUs', label: 'CPU us each' },
    { figure: 'busyShare', label: 'busy' },
  ],
  goals: [faster('broadcast', 'deliveriesPerSecond'), faster('requests', 'requestsPerSecond'), cheap('broadcast'), cheap('requests')],
  plan: ({ quick, seconds = quick ? 0.6 : 1.5 }) => ['broadcast', 'requests'].flatMap((what) => [1, 2].map((workers) => ({
    variant: label(what, workers),
    subject: 'ours',
    measure: () => measure(what, workers, seconds),
  }))),
};
