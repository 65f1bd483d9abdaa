// What comes next and what was said, over two nodes: the same for all, and still there when a node dies and when Redis
// was away.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startCluster, whenReady } from '../support/cluster.mjs';
import { makeMedia } from '../support/media.mjs';
import { join } from '../support/member.mjs';
import { allComeBack, kill, showing } from '../support/show.mjs';
import { until, untilFilmsAreKnown } from '../support/until.mjs';
import { agreement } from '../support/view.mjs';

const BOUND_MS = 60_000; // of each
const AGREED_MS = 2_000;
const AFTER_DEATH_MS = 5_000;
const FILMS = [{ name: 'first', seconds: 30 }, { name: 'second', seconds: 30 }, { name: 'third', seconds: 30 }];

// The queue as a client keeps it, whole: the latest by (epoch, version). [] before any.
function queueOf(member) {
  let newest = { epoch: 0, version: 0, list: [] };
  for (const { epoch, version, list } of member.of('queue')) {
    if (epoch > newest.epoch || (epoch === newest.epoch && version > newest.version)) newest = { epoch, version, list };
  }
  return newest.list;
}
const videosOf = (member) => queueOf(member).map(({ video }) => video).join(' ');

async function haveQueue(members, videos, withinMs = AGREED_MS) {
  const what = () => `all see "${videos}": ${JSON.stringify(members.map(videosOf))}`;
  await until(() => members.every((member) => videosOf(member) === videos), what, withinMs);
  const lists = members.map((member) => JSON.stringify(queueOf(member)));
  assert.equal(new Set(lists).size, 1, 'with the same items, of the same people');
}

// Whatever history() or chat told a member, in its order, each line once.
function saidTo(member) {
  const lines = member.all.flatMap(({ type, list, ...line }) => (type === 'history' ? list : type === 'chat' ? [line] : []));
  return [...new Map(lines.map(({ id, text }) => [id, text])).values()];
}

async function withEvening(act) {
  const media = await makeMedia(FILMS);
  const cluster = await startCluster({ args: ['--media', media.directory, '--video', 'first', '--message-rate', '0'] });
  try {
    for (const node of cluster.nodes) await untilFilmsAreKnown(node);
    const { key, people } = await showing([['Ann', cluster.nodes[0]], ['Ben', cluster.nodes[1]], ['Bea', cluster.nodes[1]]]);
    await act({ cluster, key, people });
  } finally {
    await cluster.stop();
    await media.remove();
  }
}

describe('an evening over two nodes', { concurrency: 2, timeout: BOUND_MS }, () => {
  test('its home is killed: the others see the same queue, go on with it, and know what was said', () => withEvening(async ({ cluster, key, people }) => {
    const [ann, ben, bea] = people;
    ben.send('enqueue', { video: 'second' });
    ann.send('enqueue', { video: 'third', at: 0 });
    await haveQueue(people, 'third second');
    ben.send('chat', { text: 'one' });
    await ann.next('chat', ({ text }) => text === 'one');
    ann.send('chat', { text: 'two' });
    for (const member of [ben, bea]) await member.next('chat', ({ text }) => text === 'two');
    const before = queueOf(ben);
    kill(cluster.nodes[0]);
    const { back: [again] } = await allComeBack(cluster.nodes[1], key, [ann]);
    const all = [again, ben, bea];
    await haveQueue(all, 'third second', AFTER_DEATH_MS);
    assert.deepEqual(queueOf(again), before, 'the very same items');
    const cem = await join(cluster.nodes[1], key, { name: 'Cem' });
    await until(() => saidTo(cem).join() === 'one,two', () => `what was said: ${saidTo(cem)}`, AGREED_MS);
    again.send('next');
    await agreement([...all, cem], ({ video }) => video === 'third', AFTER_DEATH_MS);
    await haveQueue([...all, cem], 'second');
    ben.send('dequeue', { item: before[1].item });
    await haveQueue([...all, cem], '');
  }));

  test('Redis was away: what its home took in meanwhile all see', () => withEvening(async ({ cluster, key, people }) => {
    const [ann, ben] = people;
    ann.send('enqueue', { video: 'second' });
    await haveQueue(people, 'second');
    await cluster.redis.kill();
    await ann.next('notice', ({ code }) => code === 'degraded');
    ann.send('enqueue', { video: 'third' });
    await haveQueue([ann], 'second third');
    ben.send('enqueue', { video: 'first' });
    assert.deepEqual(await ben.next('error').then(({ code, re }) => [code, re]), ['unavailable', 'enqueue']);
    await cluster.redis.start();
    await haveQueue(people, 'second third', AFTER_DEATH_MS);
    // It may hear what is published before it has all of its connections again; until then it lets nobody in (503).
    await whenReady(cluster.nodes[1]);
    const dan = await join(cluster.nodes[1], key, { name: 'Dan' });
    await haveQueue([...people, dan], 'second third');
  }));
});
