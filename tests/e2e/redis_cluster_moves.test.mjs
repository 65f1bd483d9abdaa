// What operators do to a Redis Cluster while people watch: slots go from primary to primary, a replica takes over at
// their word. Nobody notices.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fly, landed, showOn, showsOnEach, withRedisCluster } from '../support/cluster_show.mjs';
import { join, sleep } from '../support/member.mjs';
import { slotOf } from '../support/redis_cluster.mjs';
import { namesOf } from '../support/show.mjs';
import { until } from '../support/until.mjs';
import { agreed, agreement, assertOpen } from '../support/view.mjs';

const OFTEN_MS = 4; // between two commands
const STEP_MS = 150; // that each step of a move lasts
const SOON_MS = 2_000;
const BOUND_MS = 120_000;

const noticesOf = (members) => members.flatMap((member) => member.of('notice').map(({ code }) => code));
const others = async (redis, primary) => (await redis.primaries()).filter((each) => each !== primary);

// Round all primaries, and back to where it was.
async function moveAround(redis, name, onStep) {
  const from = await redis.primaryOf(name);
  for (const to of [...(await others(redis, from)), from]) await redis.moveSlot(name, to, onStep);
}

// Where it is, and nowhere else.
async function assertOnlyAt(redis, name) {
  const primary = await redis.primaryOf(name);
  await until(async () => Number(await primary.command('EXISTS', name)) === 1, 'the record at its primary');
  for (const other of await others(redis, primary)) {
    assert.deepEqual(await other.command('CLUSTER', 'GETKEYSINSLOT', slotOf(name), 10), []);
  }
}

describe('a slot is moved', { concurrency: 2, timeout: BOUND_MS }, () => {
  test('while commands of both nodes fly: each is carried out once, in its order, and none is refused', (t) => withRedisCluster({}, async ({ redis, nodes }) => {
    const [first] = await redis.primaries();
    const show = await showOn(redis, first, nodes);
    const flight = fly(show, OFTEN_MS);
    let steps = 0;
    for (let round = 0; round < 2; round += 1) {
      await moveAround(redis, show.name, async () => {
        steps += 1;
        await sleep(STEP_MS);
      });
    }
    const { said, worstMs } = await flight.land();
    await assertOnlyAt(redis, show.name);
    const { state } = await (await fetch(`${nodes[1].origin}/api/sessions/${show.key}`)).json();
    assert.equal(state.seq, agreed(show.ann).seq);
    t.diagnostic(`${said} commands over ${steps} steps of 6 moves, the slowest seen by all after ${worstMs} ms`);
  }));

  test('of a code: it is found all the time, and prolonged where it has come to', () => withRedisCluster({}, async ({ redis, nodes }) => {
    const [first, second] = await redis.primaries();
    const show = await showOn(redis, first, nodes, { isRight: ({ code }) => code === second });
    const [, codeName] = namesOf(show);
    const answers = new Set();
    const flight = fly(show);
    await moveAround(redis, codeName, async () => {
      for (const node of nodes) {
        const response = await fetch(`${node.origin}/api/sessions/${show.code}/validate`);
        answers.add(response.status === 200 ? (await response.json()).key : response.status);
      }
    });
    assert.deepEqual([...answers], [show.key]);
    await flight.land();
    await redis.command(codeName, 'PEXPIRE', codeName, 30_000);
    show.ann.send('seek', { position: 3 });
    await until(async () => Number(await redis.command(codeName, 'PTTL', codeName)) > 60_000, 'a longer life');
    await assertOnlyAt(redis, codeName);
  }));

  // A server that gives a slot away ends the subscriptions to its channels (sunsubscribe).
  test('while members only listen: the next event comes to all of them, at each step', (t) => withRedisCluster({}, async ({ redis, nodes }) => {
    const [first] = await redis.primaries();
    const { name, ann, all } = await showOn(redis, first, nodes);
    let position = 100;
    let worstMs = 0;
    const check = async () => {
      position += 1;
      ann.send('seek', { position });
      const { tookMs } = await agreement(all, (view) => view.position === position);
      worstMs = Math.max(worstMs, tookMs);
    };
    for (let round = 0; round < 3; round += 1) {
      await moveAround(redis, name, check);
      await check();
    }
    assert.deepEqual(noticesOf(all), []);
    assertOpen(all);
    t.diagnostic(`an event right after each of the steps of 9 moves: at all members after at most ${Math.round(worstMs)} ms`);
    assert.ok(worstMs <= SOON_MS, `${worstMs} ms`);
  }));

  test('in which nobody says anything for a while: who comes then, and what is said then, reach all', () => withRedisCluster({}, async ({ redis, nodes }) => {
    const [first] = await redis.primaries();
    const { key, name, ben, all } = await showOn(redis, first, nodes);
    await moveAround(redis, name);
    const eve = await join(nodes[0], key, { name: 'Eve' });
    await agreement([...all, eve], ({ count }) => count === 5);
    ben.send('chat', { text: 'still here' });
    for (const member of [...all, eve]) await member.next('chat', ({ text }) => text === 'still here');
    assert.deepEqual(noticesOf(all), []);
  }));

  test('of the time, and of the secret of cookies: nodes go on with both', () => withRedisCluster({}, async ({ redis, nodes }) => {
    const [first] = await redis.primaries();
    const show = await showOn(redis, first, nodes);
    const flight = fly(show);
    for (const name of ['videosync:clock', 'videosync:{76696465-6f73-796e-633a-736563726574}:session']) {
      await moveAround(redis, name, () => sleep(STEP_MS));
      await assertOnlyAt(redis, name);
    }
    await flight.land();
  }));
});

test('a primary is added, gets slots, gives them back and goes for good', { timeout: BOUND_MS }, (t) => withRedisCluster({}, async ({ redis, nodes }) => {
  const shows = await showsOnEach(redis, nodes);
  const flights = shows.map((show) => fly(show));
  const fourth = await redis.grow();
  const homes = new Map();
  for (const show of shows) {
    homes.set(show, await redis.primaryOf(show.name));
    await redis.moveSlot(show.name, fourth);
    await assertOnlyAt(redis, show.name);
  }
  await sleep(STEP_MS);
  for (const [{ name }, home] of homes) await redis.moveSlot(name, home);
  await redis.shrink(fourth);
  await sleep(STEP_MS);
  const { said, worstMs } = await landed(flights);
  t.diagnostic(`${said} commands meanwhile, the slowest seen by all after ${worstMs} ms`);
  for (const { name } of shows) await assertOnlyAt(redis, name);
}));

// The nodes come to it by a redirection for one command (ASK), before it has its first slot.
test('a primary that nobody has heard of yet is given a session: the next event comes to all', { timeout: BOUND_MS }, () => withRedisCluster({}, async ({ redis, nodes }) => {
  const [first] = await redis.primaries();
  const { name, ann, ben, all } = await showOn(redis, first, nodes);
  const fourth = await redis.grow();
  let position = 100;
  const check = async (who) => {
    position += 1;
    who.send('seek', { position });
    await agreement(all, (view) => view.position === position);
  };
  await redis.moveSlot(name, fourth, async (step) => {
    if (step === 'moved') await check(ann);
  });
  await check(ann);
  await check(ben);
  assert.deepEqual(noticesOf(all), []);
  await assertOnlyAt(redis, name);
}));

test('a replica takes over at the word of an operator, of each primary in turn', { timeout: BOUND_MS }, (t) => withRedisCluster({ redis: { replicas: 1 } }, async ({ redis, nodes }) => {
  const shows = await showsOnEach(redis, nodes);
  const flights = shows.map((show) => fly(show));
  for (const { name } of shows) {
    const primary = await redis.primaryOf(name);
    const [replica] = await redis.replicasOf(primary);
    await redis.failOver(replica);
    assert.equal(await redis.primaryOf(name), replica);
    await redis.untilWhole();
  }
  const { said, worstMs } = await landed(flights);
  t.diagnostic(`three failovers, ${said} commands meanwhile, the slowest seen by all after ${worstMs} ms`);
  for (const { name } of shows) await assertOnlyAt(redis, name);
}));
