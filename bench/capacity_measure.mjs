// The coefficients of bench/capacity.json that no other benchmark measures: what joins, reports and
// pings cost a node, what commands and messages cost Redis. Processor time of whole processes, so the
// load beside them hardly matters; on loopback, so each has the kernel's work of both ends in it.
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startCluster } from '../tests/support/cluster.mjs';
import { createSession, join } from '../tests/support/member.mjs';
import { processorUs } from '../tests/support/process.mjs';
import { startRedis } from '../tests/support/redis.mjs';
import { runNodeLoad } from './node_load.mjs';

const HELP = `Costs on two nodes over a Redis of its own (VIDEOSYNC_BINARY names the server; it should be a release build).
  --members N   that join at the other node, and report [500]
  --rounds N    reports and pings of each [20]
  --messages N  that Redis publishes, to none and to 50 [20000]
  --help`;
const SUBSCRIBERS = 50;
const TOGETHER = 10; // as nodes that have more than one thing to say in a turn
const MESSAGE_BYTES = 700; // about what a cast of a change takes
const JOINING = 50; // at once
const REST_MS = 10_000;
const COMMANDS_MS = 4_000; // from each node

const { values } = parseArgs({ options: { members: { type: 'string', default: '500' }, rounds: { type: 'string', default: '20' }, messages: { type: 'string', default: '20000' }, help: { type: 'boolean' } } });

// What each process took for so many, of a processor's time, in us.
async function costs(pids, count, act) {
  const before = pids.map(processorUs);
  await act();
  const after = pids.map(processorUs);
  return after.map((us, i) => Number(((us - before[i]) / count).toFixed(2)));
}

// Sockets that subscribe and read, and one that publishes `count` times, so many `together`.
async function publish(redis, subscribers, count, together) {
  const open = () => new Promise((resolve) => {
    const socket = net.connect(redis.port, '127.0.0.1', () => resolve(socket.resume()));
  });
  const sockets = [];
  for (let i = 0; i < subscribers; i += 1) sockets.push((await open()).pause());
  await Promise.all(sockets.map((socket) => new Promise((resolve) => {
    socket.once('data', resolve).resume();
    socket.write('SUBSCRIBE load\r\n');
  })));
  const publisher = await open();
  const one = `*3\r\n$7\r\nPUBLISH\r\n$4\r\nload\r\n$${MESSAGE_BYTES}\r\n${'x'.repeat(MESSAGE_BYTES)}\r\n`;
  const [us] = await costs([redis.pid], count, async () => {
    for (let i = 0; i < count; i += together) {
      let left = together;
      const answered = new Promise((resolve) => publisher.on('data', function read(bytes) {
        left -= bytes.toString('latin1').split('\n').length - 1;
        if (left === 0) resolve(publisher.off('data', read));
      }));
      publisher.write(one.repeat(together));
      await answered;
    }
  });
  for (const socket of [...sockets, publisher]) socket.destroy();
  return us;
}

async function measureRedis(count) {
  const redis = await startRedis({ keepsData: false });
  const figures = async (together) => {
    const unheard = await publish(redis, 0, count, together);
    const heard = await publish(redis, SUBSCRIBERS, count / 10, together);
    return { publishUs: unheard, messageUs: Number(((heard - unheard) / SUBSCRIBERS).toFixed(2)) };
  };
  try {
    return { alone: await figures(1), together: await figures(TOGETHER) };
  } finally {
    await redis.stop();
  }
}

// As many commands as get through, of one member on each node in turn (node_load): what one costs, whoever said it.
async function commandCosts(cluster, pids) {
  const { key } = await createSession(cluster.nodes[0], { control: 'everyone' });
  let told;
  const spent = await costs(pids, 1, async () => {
    told = await runNodeLoad(cluster.nodes, key, { 'commands-ms': COMMANDS_MS });
  });
  const { commandsFromHome, commandsFromOther } = told;
  const count = ((commandsFromHome + commandsFromOther) * COMMANDS_MS) / 1_000;
  return spent.map((us) => Number((us / count).toFixed(2)));
}

async function measureNodes({ members: count, rounds }) {
  const cluster = await startCluster({ redis: { keepsData: false }, args: ['--workers', '1', '--message-rate', '0', '--max-per-address', '0', '--log-level', 'warn'] });
  const pids = [...cluster.nodes.map(({ pid }) => pid), cluster.redis.pid];
  const named = ([homeUs, otherUs, redisUs]) => ({ homeUs, otherUs, redisUs });
  try {
    const { key } = await createSession(cluster.nodes[0], { control: 'everyone' });
    const host = await join(cluster.nodes[0], key);
    await sleep(2_000); // until the home has settled
    const calls = await cluster.redis.calls();
    const rest = named(await costs(pids, REST_MS / 1_000, () => sleep(REST_MS)));
    const called = await cluster.redis.calls();
    const sum = (of) => Object.values(of).reduce((total, each) => total + each, 0);
    const restCommands = (sum(called) - sum(calls)) / (REST_MS / 1_000) / cluster.nodes.length;
    const comeTo = async (node, crowd) => named(await costs(pids, count, async () => {
      while (crowd.length < count) {
        crowd.push(...(await Promise.all(Array.from({ length: Math.min(JOINING, count - crowd.length) }, () => join(node, key)))));
      }
    }));
    const [near, others] = [[], []];
    const joining = await comeTo(cluster.nodes[1], others);
    const joiningNear = await comeTo(cluster.nodes[0], near);
    const say = (crowd, send) => costs(pids, count * rounds, async () => {
      for (let i = 0; i < rounds; i += 1) {
        for (const [place, member] of crowd.entries()) {
          send(member, i);
          if (place % 20 === 19) await sleep(1);
        }
        // Its pong says that the member's node has read what was said before.
        const asked = crowd.map((member) => member.next('pong', ({ id }) => id === `p${i}`));
        for (const member of crowd) member.send('ping', { id: `p${i}`, t1: 0 });
        await Promise.all(asked);
      }
    });
    const pingsNear = named(await say(near, () => {}));
    const reportsNear = named(await say(near, (member, i) => member.send('report', { driftMs: i, rttMs: 20, buffering: false })));
    const pingsFar = named(await say(others, () => {}));
    const reportsFar = named(await say(others, (member, i) => member.send('report', { driftMs: i, rttMs: 20, buffering: false })));
    await host.close();
    const commands = named(await commandCosts(cluster, pids));
    return { commands, rest: { ...rest, commandsANodeASecond: restCommands }, joining, joiningNear, pingsNear, reportsAndPingsNear: reportsNear, pingsFar, reportsAndPingsFar: reportsFar };
  } finally {
    await cluster.stop();
  }
}

if (values.help) {
  console.log(HELP);
} else {
  const [members, rounds, messages] = ['members', 'rounds', 'messages'].map((name) => Number(values[name]));
  console.log(JSON.stringify({ redis: await measureRedis(messages), nodes: await measureNodes({ members, rounds }) }, null, 1));
  process.exit(0);
}
