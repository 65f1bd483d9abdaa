// Redis goes away and comes back while people watch: killed, emptied, hung, cut.
//
// VIDEOSYNC_OUTAGE_MS: how long it stays away (the suite's 3 s cover all time-outs there are).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readiness, startCluster, watchPings } from '../support/cluster.mjs';
import { createSession, join, refusal, sleep } from '../support/member.mjs';
import { residentKib } from '../support/process.mjs';
import { namesOf, OWN_KEYS } from '../support/show.mjs';
import { until } from '../support/until.mjs';
import { agreed, agreement, assertOpen, takenStates, viewOf } from '../support/view.mjs';

const OUTAGE_MS = Number(process.env.VIDEOSYNC_OUTAGE_MS ?? 3_000);
const CONVERGED_MS = 2_000;
const PROMPT_MS = 1_000; // a blocked worker would show whole seconds
const UNKNOWN = '0b8ff5c5-2a9f-4f1d-8d23-3b2a1e6f9c11';
const SAID_AT_LEAST = 5_000; // messages, 2.5 MiB to each who hears them
const GROWN_MIB = process.env.VIDEOSYNC_SANITIZE ? 512 : 64; // a sanitizer keeps what was freed
const ARGS = ['--message-rate', '0', '--chat-rate', '0'];

async function withCluster(options, act) {
  const cluster = await startCluster({ args: ARGS, ...options });
  try {
    await act(cluster, cluster.nodes);
  } finally {
    await cluster.stop();
  }
}

// The host and a viewer on the first node, two viewers on the second, who all know each other.
async function showing([a, b], settings) {
  const session = await createSession(a, settings);
  const [ann, amy, ben, bea] = [
    await join(a, session.key, { name: 'Ann' }), await join(a, session.key, { name: 'Amy' }),
    await join(b, session.key, { name: 'Ben' }), await join(b, session.key, { name: 'Bea' })];
  const all = [ann, amy, ben, bea];
  ann.send('play', { position: 5 });
  await agreement(all, ({ seq, count }) => seq === 1 && count === 4);
  return { ...session, ann, amy, ben, bea, all };
}

// Asks every node for a page and for a session again and again; stop() resolves to the slowest, ms.
function watchHttp(nodes) {
  let isOver = false;
  const watch = async (node) => {
    let worstMs = 0;
    while (!isOver) {
      const startMs = performance.now();
      assert.equal((await fetch(`${node.origin}/api/videos`)).status, 200);
      worstMs = Math.max(worstMs, performance.now() - startMs);
      await sleep(50);
    }
    return worstMs;
  };
  const watches = nodes.map((node) => watch(node));
  for (const each of watches) each.catch(() => {}); // stop() tells
  return {
    stop: async () => {
      isOver = true;
      return Math.round(Math.max(...(await Promise.all(watches))));
    },
  };
}

// Asks every node whether the session is valid, again and again; stop() resolves to the different answers.
function watchValidity(nodes, key) {
  let isOver = false;
  const answers = new Set();
  const watch = async (node) => {
    while (!isOver) {
      answers.add(await isValid(node, key));
      await sleep(20);
    }
  };
  const watches = nodes.map((node) => watch(node));
  for (const each of watches) each.catch(() => {}); // stop() tells
  return {
    stop: async () => {
      isOver = true;
      await Promise.all(watches);
      return [...answers];
    },
  };
}

const subscribers = async (redis) => (await redis.command('CLIENT', 'LIST', 'TYPE', 'pubsub')).trim().split('\n').length;
const isValid = async (node, key) => (await (await fetch(`${node.origin}/api/sessions/${key}/validate`)).json()).valid;
const chatOf = (member, text) => member.of('chat').some((chat) => chat.text === text);

// While Redis is away: the host plays for its own node, which sees each command at once.
async function hostGoesOn({ ann, amy }, untilMs) {
  let commands = 0;
  let worstMs = 0;
  for (; performance.now() < untilMs; commands += 1) {
    const startMs = performance.now();
    ann.send('seek', { position: 10 + commands });
    await amy.next('state', ({ position }) => position === 10 + commands, 1_500);
    worstMs = Math.max(worstMs, performance.now() - startMs);
    await sleep(100);
  }
  return { commands, worstMs: Math.round(worstMs) };
}

// Everything that an outage must leave intact; `leave` and `come` are Redis' way out and back.
async function assertOutage(t, { nodes }, { leave, come, lossMs }) {
  const show = await showing(nodes);
  const { key, hostToken, ann, amy, ben, bea, all } = show;
  const pings = [amy, bea].map((member) => watchPings(member));
  const http = watchHttp(nodes);
  await leave();
  const goneMs = performance.now();
  const host = await hostGoesOn(show, goneMs + Math.max(OUTAGE_MS, lossMs));
  for (const member of all) await until(() => viewOf(member).notice === 'degraded', 'the notice', 1_500);
  ben.send('chat', { text: 'lost?' });
  assert.deepEqual(await ben.next('error').then(({ code, re }) => [code, re]), ['unavailable', 'chat']);
  const eve = await join(nodes[0], key, { name: 'Eve' }); // the host's node lets people in
  const late = await Promise.all(pings.map((ping) => ping.stop()));
  await amy.close();
  await bea.close();
  assert.equal((await refusal(nodes[1], { session: key })).status, 503);
  // Where members are, the session is known without Redis; its home can say all of it.
  for (const node of nodes) assert.equal(await isValid(node, key), true);
  const told = await (await fetch(`${nodes[0].origin}/api/sessions/${key}`)).json();
  assert.deepEqual([told.key, told.state.seq], [key, agreed(ann).seq]);
  const elsewhere = await fetch(`${nodes[1].origin}/api/sessions/${key}`);
  assert.deepEqual([elsewhere.status, Number(elsewhere.headers.get('retry-after')) > 0], [503, true]);
  assert.equal((await fetch(`${nodes[1].origin}/api/sessions/${UNKNOWN}/validate`)).status, 503);
  const away = await readiness(nodes[1]);
  assert.equal(away.status, 503);
  assert.match(away.text, /^redis: \S/);
  t.diagnostic(`/readyz: ${away.text.trim()}`);
  const left = [ann, ben, eve];
  assertOpen(left);

  const validity = watchValidity(nodes, key);
  await come();
  const last = agreed(ann).seq;
  const { tookMs } = await agreement(left, ({ seq, count, ids }) => seq === last && count === 3 && ids.split(' ').length === 3);
  const states = await Promise.all(nodes.map(async (node) => (await (await fetch(`${node.origin}/api/sessions/${key}`)).json()).state));
  assert.deepEqual([states[0].epoch, states[0].seq], [viewOf(ann).state.epoch, last]);
  assert.deepEqual(states[1], states[0]);
  for (const member of left) await until(() => viewOf(member).notice === 'restored', 'the notice');
  const slowestHttpMs = await http.stop();
  assert.deepEqual(await validity.stop(), [true], 'it was valid all the time');
  t.diagnostic(`away for ${Math.round(performance.now() - goneMs - tookMs)} ms, ${host.commands} commands of the host meanwhile, ` +
    `the slowest seen on its node in ${host.worstMs} ms; all agree ${Math.round(tookMs)} ms after the return; ` +
    `slowest answer to a ping ${Math.max(...late.map(({ worstMs }) => worstMs))} ms, to HTTP ${slowestHttpMs} ms`);
  assert.ok(tookMs <= CONVERGED_MS, `${tookMs} ms until all agreed`);
  assert.ok(slowestHttpMs < PROMPT_MS, `HTTP took ${slowestHttpMs} ms`);
  for (const each of late) assert.ok(each.worstMs < PROMPT_MS, `a ping took ${each.worstMs} ms`);

  // Nothing was lost on the host's node: each command in its place.
  const order = takenStates(amy).map(({ seq }) => seq);
  assert.deepEqual(order, Array.from({ length: 1 + host.commands }, (_, i) => i + 1));
  // And it goes on as before, for all, with the same host and the same token.
  assert.equal(viewOf(ben).host, ann.id);
  ann.send('pause');
  await agreement(left, ({ seq }) => seq === last + 1);
  ben.send('chat', { text: 'here again' });
  for (const member of left) await until(() => chatOf(member, 'here again'), 'the chat');
  for (const node of nodes) assert.equal(await isValid(node, key), true);
  ben.send('claim', { hostToken });
  await agreement(left, ({ host: id }) => id === ben.id);
  return show;
}

describe('Redis is away', { concurrency: 2 }, () => {
  test('killed, and back with its data', (t) => withCluster({}, (cluster) => assertOutage(t, cluster, {
    leave: () => cluster.redis.kill(), come: () => cluster.redis.start(), lossMs: 0 })));

  test('killed, and back empty: the nodes write the living sessions back', (t) => withCluster({ redis: { keepsData: false } }, async (cluster) => {
    const show = await assertOutage(t, cluster, {
      leave: () => cluster.redis.kill(), come: () => cluster.redis.start({ isEmpty: true }), lossMs: 0 });
    assert.deepEqual((await cluster.redis.command('KEYS', '*')).sort(), [...OWN_KEYS, ...namesOf(show)].sort());
  }));

  // The command that is on its way may take its two seconds before the loss is known.
  test('hung', (t) => withCluster({}, (cluster) => assertOutage(t, cluster, {
    leave: () => cluster.redis.hang(), come: () => cluster.redis.goOn(), lossMs: 3_000 })));

  test('no queue grows while Redis hangs, whatever members say', (t) => withCluster({}, async (cluster) => {
    const { ann, ben, all } = await showing(cluster.nodes, { control: 'everyone' });
    const before = cluster.nodes.map(({ pid }) => residentKib(pid));
    await cluster.redis.hang();
    const endMs = performance.now() + OUTAGE_MS;
    const text = 'x'.repeat(500);
    let said = 0;
    for (; performance.now() < endMs || said < SAID_AT_LEAST; said += 200) {
      for (let i = 0; i < 100; i += 1) for (const member of [ann, ben]) member.send('chat', { text });
      await ann.settled();
      await ben.settled();
      for (const member of all) member.clear();
    }
    const grownMib = cluster.nodes.map(({ pid }, i) => Math.round((residentKib(pid) - before[i]) / 1_024));
    t.diagnostic(`${said} messages in ${Math.round(performance.now() - endMs + OUTAGE_MS)} ms; memory grew by ${grownMib.join(' and ')} MiB`);
    for (const mib of grownMib) assert.ok(mib < GROWN_MIB, `${mib} MiB more`);
    cluster.redis.goOn();
    ann.send('seek', { position: 77 });
    for (const member of all) await member.next('state', ({ position }) => position === 77);
  }));
});

describe('only the subscriptions are cut', () => {
  test('of both nodes: subscribed again, and what was missed is there', (t) => withCluster({}, async (cluster) => {
    const { ann, ben, all } = await showing(cluster.nodes);
    let worstMs = 0;
    for (let i = 0; i < 10; i += 1) {
      await until(async () => (await subscribers(cluster.redis)) === 2, 'both are subscribed');
      const killed = cluster.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      ann.send('seek', { position: 100 + i });
      assert.equal(await killed, 2);
      const { tookMs } = await agreement(all, ({ position }) => position === 100 + i);
      worstMs = Math.max(worstMs, tookMs);
    }
    t.diagnostic(`cut 10 times, a command right after each: all agree after at most ${Math.round(worstMs)} ms`);
    assert.ok(worstMs <= CONVERGED_MS);
    assert.equal(ben.of('notice').length, 0, 'a blip is not worth a word');
  }));

  test("of the home's node: nobody takes the session away from it", (t) => withCluster({ gated: true }, async (cluster) => {
    const { ann, ben, all } = await showing(cluster.nodes, { control: 'everyone' });
    const { epoch } = viewOf(ann).state;
    let worstMs = 0;
    for (let i = 0; i < 10; i += 1) {
      await until(() => cluster.gates[0].cutSubscriber() === 1, 'a connection to cut');
      ben.send('seek', { position: 200 + i }); // nobody hears it
      const { tookMs } = await agreement(all, ({ position }) => position === 200 + i, 5_000);
      worstMs = Math.max(worstMs, tookMs);
    }
    t.diagnostic(`cut 10 times, a command of the other node right after each: carried out after at most ${Math.round(worstMs)} ms`);
    assert.equal(viewOf(ann).state.epoch, epoch);
  }));
});
