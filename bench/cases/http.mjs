// (d) A small JSON answer: `validate` of ours, 14 bytes of the others.
import { runLoad, startServer } from '../harness/servers.mjs';

const all = ['ours', 'answer loop', 'nginx', 'gorilla'];
const plain = '64 connections';

// See http_load --help.
export async function measureRequests(subject, what, load, server = {}) {
  const running = await startServer(subject, server);
  try {
    return await runLoad('http_load', { port: running.port, pid: running.pid, target: running.targets[what], ...load });
  } finally {
    await running.stop();
  }
}

export default {
  name: 'http',
  title: 'Small requests: 14 bytes of JSON, one server core',
  columns: [
    { figure: 'requestsPerCpuSecond', label: 'requests a CPU s', isCharted: true },
    { figure: 'requestsPerSecond', label: 'requests/s' },
    { figure: 'userUs', label: 'user us' },
    { figure: 'p50Us', label: 'p50 us' },
    { figure: 'p99Us', label: 'p99 us', isCharted: true },
    { figure: 'busyShare', label: 'busy' },
  ],
  goals: [plain, `${plain}, 8 in a row each`].map((variant) => ({
    name: `requests a core, ${variant}, to nginx`,
    figure: 'requestsPerCpuSecond',
    of: { subject: 'ours', variant },
    to: { subjects: ['nginx'] },
    min: 1.2,
  })),
  plan: ({ quick, seconds = quick ? 0.4 : 1.5 }) => [
    [plain, { connections: 64 }],
    [`${plain}, 8 in a row each`, { connections: 64, pipeline: 8 }],
    ...(quick ? [] : [[`${plain}, 20,000 a second`, { connections: 64, rate: 20_000 }]]),
  ].flatMap(([variant, load]) => all.map((subject) => ({
    variant,
    subject,
    measure: () => measureRequests(subject, 'validate', { ...load, seconds }),
  }))),
};
