// More than one thing fails at a time: a primary and a node, a primary and the end of a session, most primaries.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fly, landed, showsOnEach, withRedisCluster } from '../support/cluster_show.mjs';
import { refusal } from '../support/member.mjs';
import { allComeBack, kill } from '../support/show.mjs';
import { until } from '../support/until.mjs';
import { agreed, agreement, assertOpen, takenStates, viewOf } from '../support/view.mjs';

const BACK_MS = 15_000; // a primary that is started refuses writes for 2 s, and a node is looked for for some seconds
const BOUND_MS = 90_000;

const isTold = (members, code) => until(() => members.every((member) => viewOf(member).notice === code), `the notice ${code}`, BACK_MS);
const isValid = async (node, key) => (await (await fetch(`${node.origin}/api/sessions/${key}/validate`)).json()).valid;

describe('a primary without a replica, and', { concurrency: 2, timeout: BOUND_MS }, () => {
  for (const keepsData of [true, false]) {
    test(`the node that is the home of its session: back ${keepsData ? 'with its data' : 'empty'}, another node goes on`, (t) => withRedisCluster({ redis: { keepsData }, nodes: 3 }, async ({ redis, nodes }) => {
      const [hit, ...others] = await showsOnEach(redis, nodes);
      const lost = await redis.primaryOf(hit.name);
      hit.ann.send('seek', { position: 42 });
      await agreement(hit.all, ({ position }) => position === 42);
      await lost.kill();
      await isTold(hit.all, 'degraded');
      kill(nodes[0]);
      await Promise.all([hit.ann.closed, hit.amy.closed]);
      // The others are taken over as ever; who sees to them does not wait for that primary.
      for (const { key, ann, amy, ben, bea } of others) {
        const { back, tookMs } = await allComeBack(nodes[1], key, [ann, amy]);
        t.diagnostic(`of another primary: back after ${tookMs} ms`);
        back[0].send('seek', { position: 77 });
        await agreement([...back, ben, bea], ({ position, count, host }) => position === 77 && count === 4 && host === ann.id);
      }
      assert.equal((await refusal(nodes[2], { session: hit.key })).status, 503, 'nobody says that it is over');
      await lost.start();
      const startMs = performance.now();
      const { back } = await allComeBack(nodes[2], hit.key, [hit.ann, hit.amy]);
      assert.deepEqual(back.map(({ id }) => id), [hit.ann.id, hit.amy.id]);
      const all = [...back, hit.ben, hit.bea];
      const after = await agreement(all, ({ count }) => count === 4, BACK_MS);
      assert.deepEqual([after.position, after.seq], [42, 2]);
      t.diagnostic(`of this one: all agree ${Math.round(performance.now() - startMs)} ms after its return`);
      await isTold([hit.ben, hit.bea], 'restored');
      hit.ben.send('pause');
      await agreement(all, ({ playing, seq }) => !playing && seq === 3);
      await until(async () => Number(await redis.command(hit.name, 'EXISTS', hit.name)) === 1, 'its record');
    }));
  }

  test('the end of a session of its: it stays ended when the primary is back', (t) => withRedisCluster({ redis: { keepsData: true } }, async ({ redis, nodes }) => {
    const [hit, other] = await showsOnEach(redis, nodes);
    const lost = await redis.primaryOf(hit.name);
    await lost.kill();
    await isTold(hit.all, 'degraded');
    hit.ann.send('end');
    for (const who of [hit.ann, hit.amy]) assert.equal(await who.closeCode(), 4001);
    other.ann.send('end');
    for (const who of other.all) assert.equal(await who.closeCode(), 4001);
    for (const node of nodes) await until(async () => (await isValid(node, other.key)) === false, 'the end of the other');
    await lost.start();
    const startMs = performance.now();
    for (const who of [hit.ben, hit.bea]) assert.equal(await who.closeCode(), 4001);
    t.diagnostic(`closed elsewhere ${Math.round(performance.now() - startMs)} ms after the return`);
    await until(async () => (await redis.command(hit.name, 'HKEYS', hit.name)).join() === 'removed', 'the tombstone');
    for (const node of nodes) await until(async () => (await isValid(node, hit.key)) === false, 'its end', BACK_MS);
  }));
});

// Then the others refuse changes, too: of those the nodes hear with the first change that they would make.
test('more than half of the primaries: every session goes on in memory, and is whole afterwards', { timeout: BOUND_MS }, (t) => withRedisCluster({}, async ({ redis, nodes }) => {
  const shows = await showsOnEach(redis, nodes);
  const people = shows.flatMap(({ all }) => all);
  const [first, second] = await redis.primaries();
  await Promise.all([first.kill(), second.kill()]);
  await isTold(shows.slice(0, 2).flatMap(({ all }) => all), 'degraded');
  const third = (await redis.primaries())[0];
  await until(async () => /cluster_state:fail/.test(await third.command('CLUSTER', 'INFO')), 'the third one to refuse');
  for (const { ann, amy } of shows) {
    for (let i = 0; i < 20; i += 1) {
      ann.send('seek', { position: 10 + i });
      await amy.next('state', ({ position }) => position === 10 + i);
    }
  }
  for (const { ann, amy } of shows) await isTold([ann, amy], 'degraded');
  await Promise.all([first.start(), second.start()]);
  const startMs = performance.now();
  for (const { all, ann, amy, name } of shows) {
    const { seq } = agreed(ann);
    assert.equal(seq, 21);
    await agreement(all, (view) => view.seq === seq && view.count === 4, BACK_MS);
    assert.deepEqual(takenStates(amy).map((state) => state.seq), Array.from({ length: seq }, (_, i) => i + 1));
    // Its primary may take the cluster for down a little longer than the nodes.
    const isKept = async () => Number(await redis.command(name, 'EXISTS', name).catch((error) => assert.match(error.message, /^CLUSTERDOWN/))) === 1;
    await until(isKept, 'its record');
  }
  // Who was told nothing of the loss is not told of its end.
  await until(() => people.every((member) => [null, 'restored'].includes(viewOf(member).notice)), 'nobody is left with a notice', BACK_MS);
  t.diagnostic(`all sessions agree ${Math.round(performance.now() - startMs)} ms after the return`);
  await redis.untilWhole();
  const flights = shows.map((show) => fly(show));
  await agreement(shows[0].all, ({ seq }) => seq > 30);
  await landed(flights);
  assertOpen(people);
}));
