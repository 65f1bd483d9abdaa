// A process of a soak that is some thousand viewers, who come and go. Started by processes.mjs.
//
// It is told {do: 'begin', wsOrigin, seats: [session's key of each viewer], joinsPerS, churnPerS}, 'quiet', 'storm', 'tell'
// and 'end', and tells {settled}, {told}, and once a second {counts, faults, present}.
import { Viewer } from './viewer.mjs';
import { makeReporter } from './reporter.mjs';

const TICK_MS = 100;
const JOINING_MAX = 64; // at a time, of this process
const AWAY_MS = 4_000;
const REST_MS = 3_000;

const reporter = makeReporter();
const viewers = [];
let order = { joinsPerS: 0, churnPerS: 0 };
let isStorm = true;
let isOver = false;
let asksWhenSettled = false;

const present = () => viewers.filter(({ phase }) => phase === 'in').length;
const pick = () => viewers[Math.floor(Math.random() * viewers.length)];

// How many of a rate fall into a tick, on average.
const share = (perS) => Math.floor((perS * TICK_MS) / 1_000 + Math.random());

function letIn(nowMs) {
  let joining = viewers.filter(({ phase }) => phase === 'joining').length;
  let budget = share(order.joinsPerS);
  for (const viewer of viewers) {
    if (joining >= JOINING_MAX || budget <= 0) return;
    if (viewer.phase !== 'out' || nowMs < viewer.mayJoinAtMs) continue;
    viewer.connect();
    joining += 1;
    budget -= 1;
  }
}

function churn(nowMs) {
  for (let left = share(order.churnPerS); left > 0; left -= 1) {
    const viewer = pick();
    if (viewer.phase !== 'in' || viewer.pausedUntilMs > 0) continue;
    const way = Math.random();
    if (way < 0.45) viewer.leave(Math.random() * AWAY_MS);
    else if (way < 0.9) viewer.lose(Math.random() * AWAY_MS);
    else viewer.rest(nowMs + Math.random() * REST_MS);
    reporter.count(way < 0.45 ? 'left' : way < 0.9 ? 'lost' : 'rested');
  }
}

function tick() {
  const nowMs = performance.now();
  letIn(nowMs);
  if (isStorm && present() > viewers.length / 2) churn(nowMs);
  for (const viewer of viewers) {
    if (viewer.pausedUntilMs > 0 && (nowMs >= viewer.pausedUntilMs || !isStorm)) viewer.readOn();
    viewer.report(nowMs, Math.random);
  }
  if (asksWhenSettled && present() === viewers.length) {
    asksWhenSettled = false;
    process.send({ settled: true });
  }
}

// [[session, digest, count]] of all who are in.
function told() {
  const counts = new Map();
  for (const { key, digest, phase } of viewers) {
    if (phase !== 'in') continue;
    const one = JSON.stringify([key, digest]);
    counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return [...counts].map(([one, count]) => [...JSON.parse(one), count]);
}

const deeds = {
  begin: (words) => {
    order = words;
    const world = { wsOrigin: words.wsOrigin, onFault: reporter.fault, count: reporter.count, isCalm: () => !isStorm };
    for (const key of words.seats) viewers.push(new Viewer(world, key));
    const timer = setInterval(() => (isOver ? clearInterval(timer) : tick()), TICK_MS);
    reporter.begin(() => ({ present: present() }));
  },
  quiet: () => {
    isStorm = false;
    asksWhenSettled = true;
  },
  storm: () => (isStorm = true),
  tell: () => process.send({ told: told() }),
  end: () => {
    isOver = true;
    for (const viewer of viewers) viewer.leave(Infinity);
    reporter.end();
  },
};

process.on('message', (words) => deeds[words.do](words));
