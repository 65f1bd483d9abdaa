// One primary of a Redis Cluster is lost, with a replica and without: the sessions of the others notice nothing.
//
// VIDEOSYNC_OUTAGE_MS: how long it stays away where nobody takes its place (the suite's 3 s cover all time-outs there are).
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { readiness } from '../support/cluster.mjs';
import { fly, landed, placesOf, showOn, showsOnEach, withRedisCluster } from '../support/cluster_show.mjs';
import { createSession, join, refusal, sleep } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { namesOf } from '../support/show.mjs';
import { until } from '../support/until.mjs';
import { agreed, agreement, assertOpen, takenStates, viewOf } from '../support/view.mjs';

const OUTAGE_MS = Number(process.env.VIDEOSYNC_OUTAGE_MS ?? 3_000);
const TAKEN_MS = 3_000; // a command's two seconds, and until that is known
const GOES_ON_MS = 5_000; // from the promotion until a command of its sessions crosses over
const BACK_MS = 10_000; // a primary that is started refuses writes for 2 s
const PROMPT_MS = 1_000;
const BOUND_MS = 120_000;

const info = (node, key) => fetch(`${node.origin}/api/sessions/${key}`);
const validate = (node, name) => fetch(`${node.origin}/api/sessions/${name}/validate`);
const isValid = async (node, name) => (await (await validate(node, name)).json()).valid;
const noticesOf = (members) => members.flatMap((member) => member.of('notice').map(({ code }) => code));

// A key that no session has, and that primary would.
async function unknownOf(redis, primary) {
  for (;;) {
    const key = randomUUID();
    if ((await redis.primaryOf(`videosync:{${key}}:session`)) === primary) return key;
  }
}

// For so long the host plays for its own node, which sees each command at once. Resolves to how many.
async function hostGoesOn({ ann, amy }, untilMs) {
  let commands = 0;
  for (; performance.now() < untilMs || commands === 0; commands += 1) {
    ann.send('seek', { position: 10 + commands });
    await amy.next('state', ({ position }) => position === 10 + commands, PROMPT_MS);
    await sleep(100);
  }
  return commands;
}

// Each primary in turn is lost, so also whichever has the time, and whichever carries what nodes say to each other. Its
// replica takes its place, and it comes back as a replica of that one.
async function assertPromotion(t, { redis, nodes }, { leave, come }) {
  const shows = await showsOnEach(redis, nodes);
  for (const hit of shows) {
    const lost = await redis.primaryOf(hit.name);
    const { seq } = agreed(hit.ann);
    const flights = shows.filter((show) => show !== hit).map((show) => fly(show));
    await leave(lost);
    const startMs = performance.now();
    const promoted = redis.untilPromoted(hit.name, lost).then((server) => ({ server, ms: performance.now() }));
    const commands = await hostGoesOn(hit, 0);
    const { server, ms: promotedMs } = await promoted;
    await until(() => {
      hit.ben.send('seek', { position: 700 });
      return sleep(50).then(() => viewOf(hit.ann).state.position === 700);
    }, 'a command of the other node');
    await agreement(hit.all, ({ position, count }) => position === 700 && count === 4);
    const agreeMs = performance.now();
    hit.ann.send('pause');
    await agreement(hit.all, ({ playing }) => !playing);
    hit.ann.send('play');
    await agreement(hit.all, ({ playing }) => playing);
    assertOpen(hit.all);
    const order = takenStates(hit.amy).filter((state) => state.seq > seq).map((state) => state.seq);
    assert.deepEqual(order, Array.from({ length: order.length }, (_, i) => seq + 1 + i), 'none was lost on its node');
    assert.equal(viewOf(hit.ben).host, hit.ann.id);
    await until(async () => Number(await server.command('EXISTS', hit.name)) === 1, 'its record at the new primary');
    for (const member of hit.all) {
      await until(() => [null, 'restored'].includes(viewOf(member).notice), 'nobody is left with a notice');
    }
    const late = await join(nodes[1], hit.key, { name: 'Eve' });
    await late.close();
    await come(lost);
    await redis.untilWhole();
    const { said, worstMs } = await landed(flights);
    t.diagnostic(`promoted ${Math.round(promotedMs - startMs)} ms after the loss, all of its session agree ` +
      `${Math.round(agreeMs - promotedMs)} ms after that (the host went on: ${commands} meanwhile); of the others ${said} commands, the slowest after ${worstMs} ms`);
    assert.ok(agreeMs - promotedMs <= GOES_ON_MS, `${agreeMs - promotedMs} ms`);
  }
}

// Nobody takes its place: its sessions alone are told, and go on in their nodes' memory.
async function assertAlone(t, { redis, nodes }, { leave, come, lossMs }) {
  const [a, b] = nodes;
  const shows = await showsOnEach(redis, nodes);
  const [hit, ...others] = shows;
  const lost = await redis.primaryOf(hit.name);
  const quiet = others.flatMap(({ all }) => all);
  const unknown = await unknownOf(redis, lost);
  const { seq } = agreed(hit.ann);
  const flights = others.map((show) => fly(show));
  await leave(lost);
  const goneMs = performance.now();
  const commands = await hostGoesOn(hit, goneMs + Math.max(OUTAGE_MS, lossMs));
  for (const member of hit.all) await until(() => viewOf(member).notice === 'degraded', 'the notice', PROMPT_MS);
  assert.deepEqual(noticesOf(quiet), [], 'nobody else is told');
  hit.ben.send('chat', { text: 'lost?' });
  assert.deepEqual(await hit.ben.next('error').then(({ code, re }) => [code, re]), ['unavailable', 'chat']);
  const eve = await join(a, hit.key, { name: 'Eve' }); // the host's node lets people in
  await hit.bea.close();
  assert.equal((await refusal(b, { session: hit.key })).status, 503);
  const elsewhere = await info(b, hit.key);
  assert.deepEqual([elsewhere.status, Number(elsewhere.headers.get('retry-after')) > 0], [503, true]);
  for (const node of nodes) {
    assert.equal(await isValid(node, hit.key), true);
    assert.equal((await validate(node, unknown)).status, 503, 'of what is away nobody knows');
  }
  // Of the others all is as ever, also for who comes.
  for (const { key, code, ann } of others) {
    const late = await join(b, key, { name: 'Ida' });
    late.send('chat', { text: 'late' });
    await ann.next('chat', ({ text }) => text === 'late');
    await late.close();
    assert.equal((await info(b, key)).status, 200);
    if ((await redis.primaryOf(namesOf({ key, code })[1])) !== null) assert.equal(await isValid(b, code), true);
  }
  // A balancer is to leave nodes in that serve most sessions.
  for (const node of nodes) {
    const { status, text } = await readiness(node);
    assert.equal(status, 200);
    assert.match(text, /^ready\nredis: \d+ of 16384 slots are away: \S/);
    const metrics = [await readMetric(node, 'redis_up'), await readMetric(node, 'redis_degraded')];
    assert.deepEqual(metrics, [0, 1], 'redis_up, redis_degraded');
    t.diagnostic(`/readyz: ${text.trim()}`);
  }
  await come(lost);
  const left = [hit.ann, hit.amy, hit.ben, eve];
  const last = seq + commands;
  const { tookMs } = await agreement(left, (view) => view.seq === last && view.count === 4 && view.ids.split(' ').length === 4, BACK_MS);
  for (const member of left) await until(() => viewOf(member).notice === 'restored', 'the notice');
  hit.ann.send('pause');
  await agreement(left, (view) => view.seq === last + 1);
  hit.ben.send('chat', { text: 'here again' });
  for (const member of left) await member.next('chat', ({ text }) => text === 'here again');
  const order = takenStates(hit.amy).filter((state) => state.seq > seq).map((state) => state.seq);
  assert.deepEqual(order, Array.from({ length: commands + 1 }, (_, i) => seq + 1 + i));
  await until(async () => Number(await redis.command(hit.name, 'EXISTS', hit.name)) === 1, 'its record');
  await until(() => isValid(b, hit.code), 'its code');
  const flown = await landed(flights);
  assert.deepEqual(noticesOf(quiet), [], 'nobody else was told');
  assertOpen([...left, ...quiet]);
  await redis.untilWhole();
  t.diagnostic(`${commands} commands of the host meanwhile; all of its session agree ${Math.round(tookMs)} ms after the return; ` +
    `of the others ${flown.said} commands, the slowest after ${flown.worstMs} ms`);
}

describe('a primary with a replica', { concurrency: 1, timeout: BOUND_MS }, () => {
  test('killed: its replica takes its place', (t) => withRedisCluster({ redis: { replicas: 1 } }, (cluster) => assertPromotion(t, cluster, {
    leave: (primary) => primary.kill(), come: (primary) => primary.start() })));

  test('hung', (t) => withRedisCluster({ redis: { replicas: 1 } }, (cluster) => assertPromotion(t, cluster, {
    leave: (primary) => primary.hang(), come: (primary) => primary.goOn() })));
});

describe('a primary without a replica', { concurrency: 2, timeout: BOUND_MS }, () => {
  test('killed, and back with its data', (t) => withRedisCluster({ redis: { keepsData: true } }, (cluster) => assertAlone(t, cluster, {
    leave: (primary) => primary.kill(), come: (primary) => primary.start(), lossMs: 0 })));

  test('killed, and back empty: the nodes write its living sessions back', (t) => withRedisCluster({}, (cluster) => assertAlone(t, cluster, {
    leave: (primary) => primary.kill(), come: (primary) => primary.start(), lossMs: 0 })));

  test('hung', (t) => withRedisCluster({}, (cluster) => assertAlone(t, cluster, {
    leave: (primary) => primary.hang(), come: (primary) => primary.goOn(), lossMs: TAKEN_MS })));

  test('that has the code of a session, and not the session: only the code is away', (t) => withRedisCluster({}, async ({ redis, nodes }) => {
    const [first, second] = await redis.primaries();
    const { key, code, name, ann, all } = await showOn(redis, first, nodes, { isRight: (places) => places.code === second });
    await second.kill();
    await until(async () => (await validate(nodes[1], code)).status === 503, 'it to be noticed');
    for (let i = 0; i < 20; i += 1) {
      ann.send('seek', { position: 100 + i });
      await agreement(all, ({ position }) => position === 100 + i);
    }
    assert.deepEqual(noticesOf(all), []);
    assert.equal(await isValid(nodes[1], key), true);
    const [, codeName] = namesOf({ key, code });
    await second.start(); // empty
    const startMs = performance.now();
    // What brings it back is the next change, as in a Redis that has lost it.
    await until(async () => {
      ann.send('seek', { position: 200 });
      await sleep(100);
      return (await validate(nodes[1], code)).status === 200 && isValid(nodes[1], code);
    }, 'the code', BACK_MS);
    assert.equal(await redis.command(codeName, 'HGET', codeName, 'session'), name);
    t.diagnostic(`the code is there again ${Math.round(performance.now() - startMs)} ms after its primary`);
    assert.deepEqual(noticesOf(all), []);
  }));

  // Who has been there for less than ten minutes does not know what that primary had before.
  test('a key that no session has is not taken for one meanwhile, where there is somebody to know it', () => withRedisCluster({}, async ({ redis, nodes }) => {
    const [lost, other] = await redis.primaries();
    const { all } = await showOn(redis, lost, nodes); // nodes have something to bring back there
    const unknown = await unknownOf(redis, other);
    // Nodes that have just started deny nothing for some seconds.
    for (const node of nodes) await until(() => isValid(node, unknown).then((valid) => valid === false), 'an answer');
    await lost.kill();
    await until(() => all.every((member) => viewOf(member).notice === 'degraded'), 'the notice');
    const endMs = performance.now() + OUTAGE_MS;
    while (performance.now() < endMs) {
      for (const node of nodes) {
        assert.ok(!(await isValid(node, unknown)));
        assert.match(String((await refusal(node, { session: unknown })).status), /^(404|503)$/);
      }
      await sleep(50);
    }
  }));

  test('new sessions are made meanwhile, where there is somebody to keep them', () => withRedisCluster({}, async ({ redis, nodes }) => {
    const [lost] = await redis.primaries();
    await lost.kill();
    // Whoever asks at the moment of the loss is refused; from then on, nobody.
    await until(async () => {
      const made = await Promise.all(Array.from({ length: 12 }, () => fetch(`${nodes[0].origin}/api/sessions`, { method: 'POST', body: '{}' })));
      for (const { status } of made) assert.ok([201, 503].includes(status), `${status}`);
      return made.every(({ status }) => status === 201);
    }, 'all of twelve to be made');
    const session = await createSession(nodes[0]);
    assert.notEqual((await placesOf(redis, session)).own, null);
    const [ann, ben] = [await join(nodes[0], session.key), await join(nodes[1], session.key)];
    ann.send('play');
    await agreement([ann, ben], ({ seq }) => seq === 1);
  }));
});
