// Many sessions at full speed on two nodes, over a Redis Cluster and over one Redis, in turn: commands a second, and what
// a command takes of each server's processor. Part of `make bench-redis`; see README.md.
import { startCluster } from '../tests/support/cluster.mjs';
import { placesOf, sessionWhere } from '../tests/support/cluster_show.mjs';
import { createSession } from '../tests/support/member.mjs';
import { processorUs } from '../tests/support/process.mjs';
import { startRedis } from '../tests/support/redis.mjs';
import { startRedisCluster } from '../tests/support/redis_cluster.mjs';
import { median, pairRatios } from './harness/statistics.mjs';
import { runNodeLoad } from './node_load.mjs';

const ARGS = ['--workers', '1', '--message-rate', '0', '--max-per-address', '0', '--log-level', 'warn'];
const SETTINGS = { control: 'everyone' };
const WAYS = ['home', 'other'];

// What is measured: two nodes over `redis`, whose processes `servers` are, and sessions spread over them.
async function startSubject(redis, servers, keys) {
  const cluster = await startCluster({ redis, args: ARGS });
  try {
    return { cluster, servers, keys: await keys(cluster.nodes) };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

// So many on each primary, each second one made at the other node, where it is at home then.
async function spread(redis, nodes, sessions) {
  const keys = [];
  for (const primary of redis.servers) {
    for (let i = 0; i < sessions; i += 1) {
      keys.push((await sessionWhere(nodes[i % 2], async (made) => (await placesOf(redis, made)).own === primary, SETTINGS)).key);
    }
  }
  return keys;
}

async function several(nodes, count) {
  const keys = [];
  for (let i = 0; i < count; i += 1) keys.push((await createSession(nodes[i % 2], SETTINGS)).key);
  return keys;
}

// Every session at once, from members of one side of it.
async function measureOnce({ cluster: { nodes }, servers, keys }, way, seconds) {
  const pids = [...servers, ...nodes].map(({ pid }) => pid);
  const before = pids.map(processorUs);
  const told = await Promise.all(keys.map((key, i) => runNodeLoad(i % 2 ? [nodes[1], nodes[0]] : nodes, key,
    { 'commands-ms': seconds * 1_000, 'commands-from': way, 'seconds-max': 60 + 2 * seconds })));
  const spentUs = pids.map((pid, i) => processorUs(pid) - before[i]);
  const commandsPerS = told.reduce((sum, { commandsFromHome, commandsFromOther }) => sum + commandsFromHome + commandsFromOther, 0);
  const each = spentUs.map((us) => us / (commandsPerS * seconds));
  const ofServers = each.slice(0, servers.length);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  return { commandsPerS, busiestUs: Math.max(...ofServers), serversUs: sum(ofServers), nodesUs: sum(each.slice(servers.length)) };
}

// options: cluster (how many primaries), sessions (on each), seconds, rounds. Resolves to {primaries, sessions, ways:
// {home, other: {one, cluster: [figures of a round]}}}.
export async function measureCluster({ cluster: primaries, sessions, seconds, rounds }, say) {
  const [redis, many] = [await startRedis({ keepsData: false }), await startRedisCluster({ primaries })];
  const subjects = {};
  try {
    subjects.one = await startSubject(redis, [redis], (nodes) => several(nodes, sessions * primaries));
    subjects.cluster = await startSubject(many, many.servers, (nodes) => spread(many, nodes, sessions));
    const ways = Object.fromEntries(WAYS.map((way) => [way, { one: [], cluster: [] }]));
    for (let round = 0; round < rounds; round += 1) {
      for (const way of WAYS) {
        for (const [name, subject] of Object.entries(subjects)) {
          say(`round ${round + 1} of ${rounds}: ${name}, ${sessions * primaries} sessions, commands from the ${way} for ${seconds} s`);
          ways[way][name].push(await measureOnce(subject, way, seconds));
        }
      }
    }
    return { primaries, sessions: sessions * primaries, ways };
  } finally {
    for (const { cluster } of Object.values(subjects)) await cluster.stop();
    await Promise.all([redis.stop(), many.stop()]);
  }
}

export function clusterTable({ primaries, sessions, ways }) {
  const rows = Object.entries(ways).flatMap(([way, { one, cluster }]) => {
    const figure = (rounds, name, digits) => median(rounds.map((round) => round[name])).toFixed(digits);
    const ratio = (of, to) => {
      const ratios = pairRatios(of, to);
      return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
    };
    const line = (what, name, digits) => [what, figure(one, name, digits), figure(cluster, name, digits),
      ratio(cluster.map((round) => round[name]), one.map((round) => round[name]))];
    const from = way === 'home' ? 'from the home' : 'from the other node';
    return [
      line(`commands a second of ${sessions} sessions, ${from}`, 'commandsPerS', 0),
      line('processor time a command: the busiest Redis, us', 'busiestUs', 2),
      line('... all of Redis, us', 'serversUs', 2),
      line('... both nodes, us', 'nodesUs', 2),
      ['commands that Redis could carry, by its busiest server', '1', ratio(one.map(({ busiestUs }) => busiestUs), cluster.map(({ busiestUs }) => busiestUs)), ''],
    ];
  });
  return [['what', 'one Redis', `${primaries} primaries`, 'to one'], ['---', '---', '---', '---'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`).join('\n');
}
