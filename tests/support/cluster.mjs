// Several real nodes over one real Redis, for tests.
import { every } from './every.mjs';
import { startGate } from './gate.mjs';
import { join } from './member.mjs';
import { startRedis } from './redis.mjs';
import { startServer } from './server.mjs';
import { until } from './until.mjs';

// nodes: how many. args: of every node. redis: options of startRedis, or something with a `url` that
// the caller stops. gated: each node has a gate to Redis of its own (`gates`). Resolves, when all
// are ready, to {nodes, redis, gates, stop()}; a node is what startServer gives. stop() may come at
// any time, also when some have ended.
export async function startCluster({ nodes = 2, args = [], redis = {}, gated = false } = {}) {
  const isOwn = redis.url === undefined;
  const store = isOwn ? await startRedis(redis) : redis;
  const cluster = {
    redis: store,
    nodes: [],
    gates: [],
    stop: async () => {
      const ends = await Promise.allSettled(cluster.nodes.map((node) => endNode(node)));
      for (const gate of cluster.gates) await gate.stop();
      if (isOwn) await store.stop();
      const failed = ends.find(({ status }) => status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
  try {
    while (gated && cluster.gates.length < nodes) cluster.gates.push(await startGate(store));
    const urls = Array.from({ length: nodes }, (_, i) => cluster.gates[i]?.url ?? store.url);
    const started = await Promise.allSettled(urls.map((url) => startNode(url, args)));
    cluster.nodes = started.filter(({ status }) => status === 'fulfilled').map(({ value }) => value);
    const failed = started.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
    await Promise.all(cluster.nodes.map((node) => whenReady(node)));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

export function startNode(url, args = []) {
  return startServer({
    args: ['--redis', url, '--media', 'tests/support', '--session-rate', '0', '--workers', '2', '--drain', '1s', ...args],
  });
}

// A node that hangs is let go on first; one that was killed is no error, one that crashed is.
async function endNode(node) {
  try {
    process.kill(node.pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
  const { code, signal } = await node.stop();
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`a node ended with ${signal ?? code}:\n${node.stderr()}`);
}

// {status, text} of /readyz.
export async function readiness(node) {
  const response = await fetch(`${node.adminOrigin}/readyz`);
  return { status: response.status, text: await response.text() };
}

export async function whenReady(node, timeoutMs = 10_000) {
  let last;
  const look = async () => (last = await readiness(node)).status === 200;
  await until(look, () => `/readyz still says ${last?.status} ${last?.text}\n${node.stderr()}`, timeoutMs);
}

// As a page whose connection was lost: tries again until it is let in. Resolves to the member.
export async function comeBack(node, key, query, timeoutMs = 10_000) {
  let last;
  const look = () => join(node, key, query).catch((error) => {
    last = error;
    return null;
  });
  return until(look, () => `no way back: ${last}`, timeoutMs, 100);
}

// Pings every `everyMs`; stop() resolves to {count, worstMs, lateShare} of the answers, lateShare
// being of those over 100 ms or without an answer.
export function watchPings(member, everyMs = 50) {
  const sentMs = [];
  const stop = every(everyMs, () => {
    member.send('ping', { id: `watch ${sentMs.length}`, t1: 0 });
    sentMs.push(performance.now());
  });
  const takenMs = new Map();
  const onMessage = (data) => {
    const nowMs = performance.now();
    const found = /"id":"watch (\d+)"/.exec(data);
    if (found) takenMs.set(Number(found[1]), nowMs - sentMs[Number(found[1])]);
  };
  member.socket.on('message', onMessage);
  return {
    stop: async () => {
      stop();
      await member.settled();
      member.socket.off('message', onMessage);
      const late = sentMs.filter((_, i) => !(takenMs.get(i) <= 100)).length;
      return { count: sentMs.length, worstMs: Math.round(Math.max(...takenMs.values())), lateShare: late / sentMs.length };
    },
  };
}
