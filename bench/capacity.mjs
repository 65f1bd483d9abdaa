// How many nodes a crowd takes, and what it runs into first: reckoned from what was measured
// (capacity.json). docs/SCALE.md has what that comes to, and how far it is right.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HELP = `Reckons nodes, processors, memory, Redis and networks for a crowd, and names the first limit.
  --viewers N              at once [50000]
  --sessions N             [1]; or
  --members-per-session N  [viewers / sessions]
  --commands N             of a session a second: seeks, plays, pauses [0.05]
  --chat N                 lines of a session a second [1]
  --reports S              seconds between a viewer's reports [as the server wishes: 5, and more above 10,000 members]
  --bitrate MBIT           of the film, for each viewer [4]
  --video-elsewhere        films come from a cache or another host
  --join-seconds S         in which all come, at the start [60]
  --nodes N                [as many as it takes]
  --cores N --memory-gb N --nic-gbit N  of a node [8, 16, 10]
  --busy SHARE             of a processor, memory or network that may be used [0.6]
  --coefficients FILE      [bench/capacity.json]
  --json
  --help
What stands in front (TLS) is not in it.`;

const NUMBERS = {
  viewers: 50_000, sessions: 1, 'members-per-session': 0, commands: 0.05, chat: 1, reports: 0, bitrate: 4, 'join-seconds': 60, nodes: 0,
  cores: 8, 'memory-gb': 16, 'nic-gbit': 10, busy: 0.6,
};
const OWN = fileURLToPath(new URL('capacity.json', import.meta.url));

// {name: value} of a file of coefficients.
export function readCoefficients(file = OWN) {
  const { coefficients } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.fromEntries(Object.entries(coefficients).map(([name, { value }]) => [name, value]));
}

// On how many nodes a session is, and how many of its members are elsewhere than its home.
export function spreadOf({ viewers, members, nodes }) {
  const on = Math.min(nodes, Math.max(1, Math.ceil(members / (viewers / nodes) - 1e-9)));
  return { on, far: (on - 1) / on };
}

// What nodes say to each other through Redis in a second, on `on` nodes a session. Messages are
// counted once for each node that hears them, its own word that it lives included.
export function messagesOf({ sessions, nodes, on, far }, { commands, chat, reportsFar }, c) {
  const pairs = on === 1 ? 0 : Math.min((nodes * (nodes - 1)) / 2, sessions * (on - 1));
  const digests = pairs * c.digestsAPair;
  const others = sessions * (on - 1);
  const casts = on === 1 ? 0 : sessions * (commands + chat); // where nobody is elsewhere nothing is said
  const castBytes = c.castBytes + c.castBytesANode * on;
  return {
    scripts: sessions * commands,
    publishes: nodes * 2 + digests + casts + sessions * chat * far + reportsFar,
    messages: nodes * nodes + nodes + digests + others * (commands + chat) + sessions * chat * far + reportsFar,
    bytes: nodes * nodes * c.aliveBytes + digests * c.digestBytes + others * (commands * castBytes + chat * c.chatBytes) + reportsFar * c.reportBytes,
    alive: nodes * nodes,
    digests,
  };
}

// A delivery is dearer among more sockets: a line through what was measured, flat outside of it.
export function deliveryUs(members, c) {
  const share = (Math.log(Math.max(members, 1)) - Math.log(2_000)) / (Math.log(16_667) - Math.log(2_000));
  return c.deliveryUsFew + (c.deliveryUsMany - c.deliveryUsFew) * Math.min(1, Math.max(0, share));
}

function reportsOf({ viewers, sessions, members, reports }, c) {
  const everyS = reports > 0 ? reports : Math.max(c.reportEveryS, members / c.reportsASecondMost);
  return { everyS, all: viewers / everyS, ofSession: viewers / everyS / sessions };
}

// Messages of presence of one session in a second in which so many join it.
function presenceOf(members, joins, c) {
  const everyS = Math.max(c.presenceEveryLeastS, Math.min(members / c.presenceASecond, c.presenceEveryMostS));
  return members * Math.min(joins, 1 / everyS);
}

// All of a second, on that many nodes.
function secondOf(order, nodes, c) {
  const { viewers, sessions, members, commands, chat, bitrate, cores } = order;
  const spread = spreadOf({ viewers, members, nodes });
  const reports = reportsOf(order, c);
  const reportsFar = reports.all * spread.far;
  const told = messagesOf({ sessions, nodes, ...spread }, { commands, chat, reportsFar }, c);
  const deliveries = viewers * (commands + chat) + sessions;
  const each = deliveryUs(viewers / nodes / cores, c);
  const pings = viewers / c.pingEveryS;
  const video = order.videoElsewhere ? 0 : (viewers * bitrate) / 8e3; // GB
  const cpuUs = {
    deliveries: deliveries * each,
    pings: pings * c.pingUs,
    reports: reports.all * c.reportUs + reportsFar * c.reportFarHomeUs,
    commands: sessions * (commands + chat) * c.commandHomeUs,
    video: video * c.videoSPerGb * 1e6,
  };
  const joins = viewers / order.joinSeconds;
  const joinsFar = joins * spread.far;
  const joinUs = (joins - joinsFar) * c.joinUs + joinsFar * (c.joinFarUs + c.joinFarHomeUs);
  const presence = sessions * presenceOf(members, joins / sessions, c);
  // A script's own PUBLISH and a message are in what it costs, a report's likewise.
  const published = told.publishes - reportsFar - (spread.on === 1 ? 0 : told.scripts);
  const asked = nodes * (c.restCommands - 2); // two of a node's own are PUBLISH
  const redisUs = told.scripts * c.commandRedisUs + reportsFar * c.reportFarRedisUs
    + (published + asked) * c.publishRedisUs + (told.messages - reportsFar) * c.messageRedisUs;
  return {
    nodes, ...spread, reports, told, deliveries, cpuUs,
    lastMs: ((members / spread.on / cores) * each) / 1e3,
    cpuUsAll: Object.values(cpuUs).reduce((sum, us) => sum + us, 0),
    memoryBytes: viewers * (c.viewerBytes + c.socketBytes + (order.videoElsewhere ? 0 : c.readerBytes + c.sendBufferBytes)),
    network: { videoOut: video * 1e9, controlOut: (deliveries + pings) * c.frameBytes, controlIn: (pings + reports.all) * c.saidBytes, betweenNodes: told.bytes },
    redisUs,
    // The thread that decides a session: all of its own reports, and of the others' what is left for it.
    homeUs: (commands + chat) * c.commandHomeUs + reports.ofSession * c.reportFarHomeUs,
    start: {
      joins, cpuUs: joinUs + presence * each,
      homeUs: (joins / sessions) * (spread.far * c.joinFarHomeUs + (1 - spread.far) * c.joinUs),
      redisUs: joinsFar * c.joinFarRedisUs, presence,
      bytesOut: joins * c.joinBytes + presence * c.frameBytes, betweenNodes: joinsFar * c.joinFarMessageBytes,
    },
  };
}

// Each as a share of what there is; what is above `busy` is too much. `moves`: what more nodes move.
function limitsOf(order, at, c) {
  const { nodes } = at;
  const node = { cpu: order.cores * 1e6, memory: order.memoryGb * 2 ** 30, bytes: (order.nicGbit * 1e9) / 8 };
  const out = at.network.videoOut + at.network.controlOut;
  const connections = order.viewers * (order.videoElsewhere ? 1 : 2);
  const row = (name, share, moves = false) => ({ name, share, moves });
  return [
    row("nodes' processors", at.cpuUsAll / (nodes * node.cpu), true),
    row("nodes' processors while all come", at.start.cpuUs / (nodes * node.cpu), true),
    row("nodes' memory", at.memoryBytes / (nodes * node.memory), true),
    row("nodes' networks", out / (nodes * node.bytes), true),
    row("nodes' connections (--max-connections)", connections / (nodes * c.connections_max), true),
    row('members of a session (--max-members)', order.members / c.members_max),
    row("a session's thread at its home", at.homeUs / 1e6),
    row("a session's thread while all come", at.start.homeUs / 1e6),
    row("Redis' thread", at.redisUs / 1e6),
    row("Redis' thread while all come", at.start.redisUs / 1e6),
    row("Redis' network", at.told.bytes / node.bytes),
    row("Redis' network while all come", at.start.betweenNodes / node.bytes),
  ];
}

const isHard = (name) => /--max/.test(name);
const tooMuch = ({ name, share }, busy) => share > (isHard(name) ? 1 : busy);

// order: as readOrder() gives it. Resolves nothing: {...a second, limits, fits, first}.
export function reckon(order, c) {
  let nodes = order.nodes > 0 ? order.nodes : 1;
  for (;;) {
    const at = secondOf(order, nodes, c);
    const limits = limitsOf(order, at, c).sort((a, b) => b.share / (isHard(b.name) ? 1 : order.busy) - a.share / (isHard(a.name) ? 1 : order.busy));
    const short = limits.filter((limit) => limit.moves && tooMuch(limit, order.busy));
    if (order.nodes > 0 || short.length === 0 || nodes >= 100_000) {
      return { ...at, limits, first: limits[0], walls: limits.filter((limit) => !limit.moves && tooMuch(limit, order.busy)), fits: !limits.some((limit) => tooMuch(limit, order.busy)) };
    }
    // At least as many as the scarcest wants; what it wants may grow with the nodes.
    nodes = Math.max(nodes + 1, Math.ceil(nodes * Math.max(...short.map((limit) => limit.share / (isHard(limit.name) ? 1 : order.busy))) * 0.98));
  }
}

// What was asked for, from the command line. Throws what to do about it.
export function readOrder(args) {
  const options = Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ args, options: { ...options, coefficients: { type: 'string' }, 'video-elsewhere': { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
  const order = { help: values.help ?? false, json: values.json ?? false, videoElsewhere: values['video-elsewhere'] ?? false, coefficients: values.coefficients };
  for (const [name, standard] of Object.entries(NUMBERS)) {
    const number = values[name] === undefined ? standard : Number(values[name]);
    if (!Number.isFinite(number) || number < 0) throw new Error(`--${name} wants a number from 0 on`);
    order[name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())] = number;
  }
  for (const name of ['viewers', 'sessions', 'cores', 'memoryGb', 'nicGbit', 'busy', 'joinSeconds']) {
    if (order[name] === 0) throw new Error(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} wants a number above 0`);
  }
  if (!Number.isInteger(order.nodes)) throw new Error('--nodes wants a whole number');
  if (values['members-per-session'] !== undefined && values.sessions !== undefined) throw new Error('give --sessions or --members-per-session, not both');
  if (order.membersPerSession > 0) order.sessions = Math.max(1, Math.round(order.viewers / order.membersPerSession));
  order.members = order.viewers / order.sessions;
  return order;
}

const amount = (value) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(2)).toString());
const percent = (share) => `${amount(share * 100)} %`;
const megabits = (bytes) => `${amount((bytes * 8) / 1e6)} Mbit/s`;

export function table(order, at) {
  const { cpuUs, network, told, start } = at;
  const cores = (us) => `${amount(us / 1e6)} cores`;
  const of = Object.entries(cpuUs).map(([name, us]) => `${name} ${amount(us / 1e6)}`).join(', ');
  const rows = [
    ['viewers, sessions, members of each', `${amount(order.viewers)}, ${amount(order.sessions)}, ${amount(order.members)}`],
    ['nodes; of these with members of one session', `${amount(at.nodes)}; ${at.on}`],
    ['processors', `${cores(at.cpuUsAll)}: ${of}`],
    ['memory', `${amount(at.memoryBytes / 2 ** 30)} GiB`],
    ['films out', megabits(network.videoOut)],
    ['control out, in', `${megabits(network.controlOut)}, ${megabits(network.controlIn)}`],
    ['between nodes, out of Redis', megabits(network.betweenNodes)],
    ['deliveries a second', amount(at.deliveries)],
    ['from a command to the last member, one thread a core', `${amount(at.lastMs)} ms`],
    ['reports a second, of each viewer every', `${amount(at.reports.all)}, ${amount(at.reports.everyS)} s`],
    ['Redis: scripts, publishes, messages a second', `${amount(told.scripts)}, ${amount(told.publishes)}, ${amount(told.messages)}`],
    ['while all come: joins a second', `${amount(start.joins)}, ${cores(start.cpuUs)}, ${megabits(start.bytesOut)}`],
  ];
  const limits = at.limits.slice(0, 6).map(({ name, share, moves }) => [name, `${percent(share)}${moves ? '' : ', which no more nodes move'}`]);
  const lines = (all) => all.map((row) => `| ${row.join(' | ')} |`);
  const verdict = at.walls.length > 0 ? `It does not fit: ${at.walls.map(({ name }) => name).join('; ')}.`
    : at.fits ? `It fits. First limit: ${at.first.name}.` : `It needs more nodes: ${at.first.name}.`;
  return [...lines([['what', 'reckoned'], ['---', '---'], ...rows]), '', ...lines([['limit', 'used'], ['---', '---'], ...limits]), '', verdict].join('\n');
}

function main() {
  const order = readOrder(process.argv.slice(2));
  if (order.help) return void console.log(HELP);
  const at = reckon(order, readCoefficients(order.coefficients));
  console.log(order.json ? JSON.stringify({ order, ...at }) : table(order, at));
  if (!at.fits) process.exitCode = 3;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(`capacity: ${error.message}`);
    process.exitCode = 2;
  }
}
