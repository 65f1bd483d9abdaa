// One session on two real nodes over a real Redis: commands a second, the time to the last member,
// and what a change costs Redis; or many sessions over a Redis Cluster, or over TLS, beside one Redis. `make bench-redis`;
// see README.md.
import { parseArgs } from 'node:util';
import { startCluster } from '../tests/support/cluster.mjs';
import { createSession, join } from '../tests/support/member.mjs';
import { runNodeLoad } from './node_load.mjs';
import { clusterTable, measureCluster } from './redis_cluster.mjs';
import { measureTls, tlsTable } from './redis_tls.mjs';

const HELP = `One session on two nodes over a Redis of its own (VIDEOSYNC_BINARY names the server).
  --members N    on each node, for the time to the last member [1000]
  --seeks N      one by one for that, each until everybody has it [300]
  --seconds N    of commands as fast as they go, from each node [5]
  --changes N    one by one, whose cost in Redis is counted [200]
Or, instead of all but --seconds:
  --cluster N    many sessions over a Redis Cluster of N primaries, beside as many over one Redis
  --tls          sessions over one Redis by TLS, beside as many over one without
  --sessions N   for either, on each Redis [2]
  --rounds N     for either [3]
  --json         one line of JSON instead of a table
  --help`;
const DEFAULTS = { members: '1000', seeks: '300', seconds: '5', changes: '200', sessions: '2', rounds: '3' };
const OPTIONS = Object.fromEntries([...Object.keys(DEFAULTS), 'cluster'].map((name) => [name, { type: 'string' }]));

function readArguments() {
  const { values } = parseArgs({ options: { ...OPTIONS, tls: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const given = { ...DEFAULTS, ...values };
  const numbers = Object.keys(OPTIONS).filter((name) => given[name] !== undefined).map((name) => [name, Number(given[name])]);
  for (const [name, value] of numbers) {
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} wants a whole number above 0`);
  }
  return { ...Object.fromEntries(numbers), tls: values.tls, json: values.json };
}

const say = (text) => process.stderr.write(`${text}\n`);
const newSession = async (cluster) => (await createSession(cluster.nodes[0], { control: 'everyone' })).key;

// A host and a member, on two nodes, who seek in turn. What a command costs Redis is what it counts
// itself; what goes by the clock (nodes say that they live, TIME, a pulse) is measured first.
async function countCost(cluster, changes) {
  const key = await newSession(cluster);
  const [ann, ben] = [await join(cluster.nodes[0], key), await join(cluster.nodes[1], key)];
  await ann.next('members', ({ count }) => count === 2);
  const heard = await cluster.redis.hear();
  const count = async (by) => {
    const from = heard.length;
    const before = await cluster.redis.calls();
    for (let i = 0; i < changes; i += 1) {
      by.send('seek', { position: i });
      await Promise.all([ann, ben].map((member) => member.next('state', ({ position }) => position === i)));
    }
    const after = await cluster.redis.calls();
    const calls = (name) => ((after[name] ?? 0) - (before[name] ?? 0)) / changes;
    const messages = heard.slice(from).filter(({ channel }) => channel.includes(key)).length;
    const [, followers] = await cluster.redis.command('PUBSUB', 'NUMSUB', `videosync:{${key}}:events`);
    return { scripts: calls('evalsha') + calls('eval'), publishes: calls('publish'), messages: messages / changes, followers };
  };
  const cost = { fromHome: await count(ann), fromOther: await count(ben) };
  for (const member of [ann, ben]) await member.close();
  return cost;
}

async function measure(options) {
  const cluster = await startCluster({
    redis: { keepsData: false },
    args: ['--workers', '1', '--message-rate', '0', '--max-per-address', '0', '--log-level', 'warn'],
  });
  try {
    say(`counting what ${2 * options.changes} changes cost Redis`);
    const cost = await countCost(cluster, options.changes);
    say(`commands for ${options.seconds} s from each node`);
    const before = await cluster.redis.calls();
    const commands = await runNodeLoad(cluster.nodes, await newSession(cluster), { 'commands-ms': options.seconds * 1000 });
    const scripts = (await cluster.redis.calls()).evalsha - before.evalsha;
    say(`${options.seeks} seeks with ${options.members} members on each node`);
    const latency = await runNodeLoad(cluster.nodes, await newSession(cluster), { members: options.members, seeks: options.seeks });
    const done = (commands.commandsFromHome + commands.commandsFromOther) * options.seconds;
    return { members: options.members, cost, ...latency, commandsFromHome: commands.commandsFromHome,
      commandsFromOther: commands.commandsFromOther, scriptsPerCommandWhenBusy: scripts / done };
  } finally {
    await cluster.stop();
  }
}

function table(figures) {
  const { cost } = figures;
  const ms = (p50, p99) => `${p50.toFixed(1)} ms, ${p99.toFixed(1)} ms`;
  const costOf = ({ scripts, publishes, messages, followers }) =>
    `${scripts.toFixed(2)} scripts, ${publishes.toFixed(2)} PUBLISH, ${messages.toFixed(2)} messages to ${followers} other node`;
  return [
    ['what', 'figure'],
    ['---', '---'],
    ['commands a second, host on the home', figures.commandsFromHome.toFixed(0)],
    ['commands a second, from the other node', figures.commandsFromOther.toFixed(0)],
    ['scripts a command then', figures.scriptsPerCommandWhenBusy.toFixed(2)],
    [`seek to last of ${figures.members} members on the home: p50, p99`, ms(figures.homeLastP50Ms, figures.homeLastP99Ms)],
    [`seek to last of ${figures.members} members on the other node`, ms(figures.otherLastP50Ms, figures.otherLastP99Ms)],
    [`seek to last of all ${2 * figures.members}`, ms(figures.bothLastP50Ms, figures.bothLastP99Ms)],
    ['a change, one by one, from the home', costOf(cost.fromHome)],
    ['a change, one by one, from the other node', costOf(cost.fromOther)],
  ].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

try {
  const options = readArguments();
  const [take, show] = options.cluster ? [measureCluster, clusterTable] : options.tls ? [measureTls, tlsTable] : [measure, table];
  const figures = await take(options, say);
  console.log(options.json ? JSON.stringify(figures) : show(figures));
  process.exit(0); // a connection to the Redis that has ended may still be there
} catch (error) {
  say(`redis_nodes: ${error.message}`);
  process.exit(1);
}
