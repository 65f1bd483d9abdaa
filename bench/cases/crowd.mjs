// (a) More members than one process may have descriptors: a session on three nodes over Redis, each
// with a ring of its own, beside a third of it on one node.
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../tests/support/redis.mjs';
import { startLoad, startServer } from '../harness/servers.mjs';

const nodeCount = 3;
const timeoutMs = 100_000;  // for a third of them to join
const label = (nodes) => (nodes === 1 ? 'one node, a third of them' : `${nodes} nodes`);

async function until(condition, what) {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(20)) {
    if (await condition()) return;
  }
  throw new Error(`${what} within ${timeoutMs / 1000} s`);
}

// Anyone may control it: who publishes need not be the first one in.
async function openSession(nodes) {
  const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"control":"everyone"}' };
  let key;
  await until(async () => {
    ({ key } = await (await fetch(`http://127.0.0.1:${nodes[0].port}/api/sessions`, asked)).json());
    return key !== undefined;
  }, 'no session could be made');
  for (const { port } of nodes) {
    await until(async () => (await fetch(`http://127.0.0.1:${port}/api/sessions/${key}`)).ok, 'a node does not know the session');
  }
  return key;
}

// Every member is of one of the loads, and each of these is on one node.
async function measureLoads(nodes, key, { members, broadcasts }) {
  const loads = [];
  const options = ({ port, pid }) => ({
    port, pid, target: `/ws?session=${key}`, ours: true, members: Math.ceil(members / nodeCount), 'rest-ms': 3000, 'seconds-max': 150, list: true,
  });
  try {
    for (const node of nodes.slice(1)) {
      const load = await startLoad('viewer_load', { ...options(node), follow: true, broadcasts: broadcasts + 1 });
      loads.push(load);
      await until(() => load.output().includes('following') || load.hasEnded(), 'the members could not join');
    }
    loads.push(await startLoad('viewer_load', { ...options(nodes[0]), rate: 1, seconds: broadcasts + 1 }));
    return together(await Promise.all(loads.map((load) => load.figures())), broadcasts);
  } finally {
    await Promise.all(loads.map((load) => load.kill()));
  }
}

function together(parts, broadcasts) {
  const sum = (of) => parts.reduce((total, part) => total + of(part), 0);
  const deliveries = sum((part) => part.deliveries);
  // Those who follow leave the first one out.
  const lasts = Array.from({ length: broadcasts }, (_, i) => Math.max(...parts.map(({ lastUs }) => lastUs.at(-1 - i)))).sort((a, b) => a - b);
  return {
    members: sum((part) => part.members),
    cpuUs: sum((part) => part.cpuUs * part.deliveries) / deliveries,
    userUs: sum((part) => part.userUs * part.deliveries) / deliveries,
    firstP50Us: Math.min(...parts.map(({ firstP50Us }) => firstP50Us)),
    lastP50Us: lasts[Math.floor(lasts.length / 2)],
    lastMostUs: lasts.at(-1),
  };
}

async function measure(count, options) {
  if (!existsSync('/usr/bin/redis-server')) throw new Error('redis-server is not installed');
  const redis = await startRedis({ keepsData: false });
  const nodes = [];
  try {
    while (nodes.length < count) nodes.push(await startServer('ours', { extra: ['--redis', redis.url] }));
    return await measureLoads(nodes, await openSession(nodes), options);
  } finally {
    for (const node of nodes) await node.stop();
    await redis.stop();
  }
}

export default {
  name: 'crowd',
  title: 'A session of 50,000 on three nodes, all on one server core',
  columns: [
    { figure: 'members', label: 'members' },
    { figure: 'cpuUs', label: 'CPU us a delivery', isCharted: true },
    { figure: 'userUs', label: 'user us' },
    { figure: 'firstP50Us', label: 'first p50 ms', scale: 1000 },
    { figure: 'lastP50Us', label: 'last p50 ms', scale: 1000, isCharted: true },
    { figure: 'lastMostUs', label: 'slowest ms', scale: 1000 },
  ],
  goals: [{
    name: 'CPU a delivery, 50,000 members on three nodes, to a third of them on one',
    figure: 'cpuUs',
    of: { subject: 'ours', variant: label(nodeCount) },
    to: { subjects: ['ours'], variant: label(1) },
    max: 1.2,
  }],
  plan: ({ quick, sizes, seconds = quick ? 2 : 8 }) => [1, nodeCount].map((nodes) => ({
    variant: label(nodes),
    subject: 'ours',
    measure: () => measure(nodes, { members: sizes?.[0] ?? (quick ? 3_000 : 50_000), broadcasts: seconds }),
  })),
};
