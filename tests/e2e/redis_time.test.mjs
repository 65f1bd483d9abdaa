// Redis' clock is set, or is another one: all nodes go on to tell one server time, who starts later
// tells the same, and nobody's film jumps.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { comeBack, startCluster, startNode, whenReady } from '../support/cluster.mjs';
import { createSession, join } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startRedis, startSentinel } from '../support/redis.mjs';
import { leadOf } from '../support/server_time.mjs';
import { until } from '../support/until.mjs';
import { takenStates, viewOf } from '../support/view.mjs';

const APART_MS = 5;
const CLOCK = 'videosync:clock';

async function withShow(redis, act) {
  let cluster;
  try {
    cluster = await startCluster({ redis });
    const [a, b] = cluster.nodes;
    const { key } = await createSession(a);
    const ann = await join(a, key, { name: 'Ann' });
    const ben = await join(b, key, { name: 'Ben' });
    ann.send('play', { position: 1 });
    for (const member of [ann, ben]) await member.next('state', ({ playing }) => playing);
    await act({ cluster, nodes: cluster.nodes, key, ann, ben, films: await filmsOf([ann, ben]) });
  } finally {
    await cluster?.stop();
    await redis.stop();
  }
}

// Where a member's film is, at an instant that is the same for all: in milliseconds. It stays as it
// is while the film plays on.
async function filmOf(member) {
  const { state } = viewOf(member);
  assert.equal(state.playing, true);
  return state.position * 1_000 + (await leadOf(member)) - state.atMs;
}

async function filmsOf(members) {
  const films = [];
  for (const member of members) films.push(await filmOf(member));
  assertNear(Math.max(...films), Math.min(...films), 'all are in the same place');
  return films;
}

function assertNear(ms, expectedMs, what) {
  assert.ok(Math.abs(ms - expectedMs) <= APART_MS, `${what}: ${ms.toFixed(2)} ms, not ${expectedMs.toFixed(2)}`);
}

async function assertSamePlace(members, films) {
  const now = await filmsOf(members);
  now.forEach((film) => assertNear(film, films[0], 'nobody was moved'));
}

const offsetMs = async (redis) => Number(await redis.command('HGET', CLOCK, 'offset')) / 1_000;

// The nodes have seen it, and each has read what they made of it.
async function untilAbsorbed(redis, aheadMs, nodes) {
  const isSo = async () => Math.abs((await offsetMs(redis)) + aheadMs) < 1_000;
  await until(isSo, async () => `an offset against ${aheadMs} ms, not ${await offsetMs(redis)}`);
  const readings = async () => (await redis.calls()).time ?? 0;
  const before = await readings();
  await until(async () => (await readings()) >= before + 2 * nodes, 'the nodes to read it');
}

// Server time is as right as the node says that it is, in steady times.
async function assertHonest(nodes) {
  for (const node of nodes) {
    const errorMs = (await readMetric(node, 'server_time_error_seconds')) * 1_000;
    assert.ok(errorMs > 0 && errorMs < APART_MS, `${errorMs} ms`);
  }
}

describe('one time', { concurrency: 2 }, () => {
  test('the clock is set by 5 s, by an hour, and back; nodes start again', async (t) => {
    const redis = await startRedis({ hasOwnClock: true });
    await withShow(redis, async ({ cluster, nodes, key, ann, ben, films }) => {
      for (const aheadMs of [5_000, 3_605_000, -5_000]) {
        await redis.setClock(aheadMs);
        await untilAbsorbed(redis, aheadMs, 2);
        await assertSamePlace([ann, ben], films);
      }
      await redis.setClock(0);
      await nodes[1].stop();
      const third = await startNode(redis.url);
      cluster.nodes.push(third);
      await whenReady(third);
      const again = await comeBack(third, key, { resume: ben.resume });
      assert.equal(again.id, ben.id);
      await assertSamePlace([ann, again], films);
      await untilAbsorbed(redis, 0, 2);
      await assertSamePlace([ann, again], films);
      assert.deepEqual(takenStates(ann).map(({ cause }) => cause), ['play'], 'and nobody was told another state');
      await assertHonest([nodes[0], third]);
      // The home goes, too, and its successor knows only what Redis and the other node tell it.
      await nodes[0].stop();
      const fourth = await startNode(redis.url);
      cluster.nodes.push(fourth);
      await whenReady(fourth);
      const back = await comeBack(fourth, key, { resume: ann.resume });
      await assertSamePlace([again, back], films);
      t.diagnostic(`the films are ${((await filmOf(back)) - films[0]).toFixed(2)} ms from where they were`);
    });
  });

  for (const keepsData of [true, false]) {
    test(`Redis returns with another clock, ${keepsData ? 'with' : 'without'} its data, and a node starts at once`, async () => {
      const redis = await startRedis({ hasOwnClock: true, keepsData });
      await withShow(redis, async ({ cluster, key, ann, ben, films }) => {
        await redis.setClock(5_000);
        await untilAbsorbed(redis, 5_000, 2);
        await redis.kill();
        await redis.setClock(-600_000);
        const [third] = await Promise.all([startNode(redis.url), redis.start()]);
        cluster.nodes.push(third);
        await untilAbsorbed(redis, -600_000, 3);
        await Promise.all(cluster.nodes.map((node) => whenReady(node)));
        await assertSamePlace([ann, ben], films);
        const cem = await comeBack(third, key, { name: 'Cem' });
        await assertSamePlace([ann, ben, cem], films);
        assert.deepEqual(takenStates(ann).map(({ cause }) => cause), ['play']);
      });
    });
  }

  test('the replica that becomes master has another clock', async () => {
    const sentinel = await startSentinel({ haveOwnClocks: true });
    await sentinel.replica.setClock(-20_000);
    await withShow(sentinel, async ({ cluster, key, ann, ben, films }) => {
      await until(async () => (await sentinel.replica.command('HGET', CLOCK, 'born')) !== null, 'the replica has the time');
      await sentinel.master.kill();
      await until(async () => (await sentinel.masterPort()) === sentinel.replica.port, 'the election', 30_000);
      const third = await startNode(sentinel.url);
      cluster.nodes.push(third);
      await untilAbsorbed(sentinel.replica, -20_000, 3);
      await Promise.all(cluster.nodes.map((node) => whenReady(node)));
      const cem = await comeBack(third, key, { name: 'Cem' });
      await assertSamePlace([ann, ben, cem], films);
    });
  });

  test('who starts alone keeps the offset that is there; HTTP has the time of day, and the log is calm', async () => {
    const redis = await startRedis();
    await redis.command('HSET', CLOCK, 'version', 3, 'offset', 90_000_000, 'born', 1);
    await withShow(redis, async ({ nodes: [a], ann }) => {
      assertNear(await leadOf(ann), Date.now() + 90_000 - performance.now(), 'server time');
      const told = new Date((await fetch(a.origin)).headers.get('date'));
      assert.ok(Math.abs(told - Date.now()) < 10_000, told);
      assert.doesNotMatch(a.stderr(), /degraded/, 'a start is no loss');
    });
  });
});
