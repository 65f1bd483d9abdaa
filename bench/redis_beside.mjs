// Two nodes over one kind of Redis beside two over another, in turn: what a command takes of each process' time, and how
// many go through. Part of `make bench-redis`; see README.md.
import { startCluster } from '../tests/support/cluster.mjs';
import { createSession } from '../tests/support/member.mjs';
import { processorUs } from '../tests/support/process.mjs';
import { median, pairRatios } from './harness/statistics.mjs';
import { runNodeLoad } from './node_load.mjs';

const ARGS = ['--workers', '1', '--message-rate', '0', '--max-per-address', '0', '--log-level', 'warn'];
const WAYS = ['home', 'other'];
export const SETTINGS = { control: 'everyone' };

// What is measured: two nodes over the Redis at that `url`, whose processes `servers` are, and the sessions that keys(nodes)
// makes. args: of the nodes.
export async function startSubject({ url, servers, keys, args = [] }) {
  const cluster = await startCluster({ redis: { url }, args: [...ARGS, ...args] });
  try {
    return { cluster, servers, keys: await keys(cluster.nodes) };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

// So many, each second one made at the other node, where it is at home then.
export async function several(nodes, count) {
  const keys = [];
  for (let i = 0; i < count; i += 1) keys.push((await createSession(nodes[i % 2], SETTINGS)).key);
  return keys;
}

// Every session at once, from members of one side of it.
async function measureOnce({ cluster: { nodes }, servers, keys }, way, { seconds, window }) {
  const pids = [...servers, ...nodes].map(({ pid }) => pid);
  const before = pids.map(processorUs);
  const told = await Promise.all(keys.map((key, i) => runNodeLoad(i % 2 ? [nodes[1], nodes[0]] : nodes, key,
    { 'commands-ms': seconds * 1_000, 'commands-from': way, window, 'seconds-max': 60 + 2 * seconds })));
  const spentUs = pids.map((pid, i) => processorUs(pid) - before[i]);
  const commandsPerS = told.reduce((sum, { commandsFromHome, commandsFromOther }) => sum + commandsFromHome + commandsFromOther, 0);
  const each = spentUs.map((us) => us / (commandsPerS * seconds));
  const ofServers = each.slice(0, servers.length);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  return { commandsPerS, busiestUs: Math.max(...ofServers), serversUs: sum(ofServers), nodesUs: sum(each.slice(servers.length)) };
}

// subjects: by name. options: seconds, rounds, window (commands of a session under way). Resolves to {home, other: {name:
// [figures of a round]}}.
export async function measureInTurn(subjects, { seconds, rounds, window = 64 }, say) {
  const ways = Object.fromEntries(WAYS.map((way) => [way, Object.fromEntries(Object.keys(subjects).map((name) => [name, []]))]));
  for (let round = 0; round < rounds; round += 1) {
    for (const way of WAYS) {
      for (const [name, subject] of Object.entries(subjects)) {
        say(`round ${round + 1} of ${rounds}: ${name}, ${subject.keys.length} sessions, commands from the ${way} for ${seconds} s, ${window} under way`);
        ways[way][name].push(await measureOnce(subject, way, { seconds, window }));
      }
    }
  }
  return ways;
}

export const stopSubjects = (subjects) => Promise.all(Object.values(subjects).map(({ cluster }) => cluster.stop()));

// Of two rows of figures: the median of `name`, and the ratio of the rounds, with least and most.
export const figure = (rounds, name, digits) => median(rounds.map((round) => round[name])).toFixed(digits);
export function ratio(of, to) {
  const ratios = pairRatios(of, to);
  return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
}
export const lineOf = (what, [one, another], name, digits) => [what, figure(one, name, digits), figure(another, name, digits),
  ratio(another.map((round) => round[name]), one.map((round) => round[name]))];
export const tableOf = (rows) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
