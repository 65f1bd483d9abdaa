// The door of a session that is on two nodes: who knocks waits on one, and its host is on the other.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSession, join, knock, refusal, sleep } from '../support/member.mjs';
import { allComeBack, goOn, hang, kill, withCluster } from '../support/show.mjs';

// The host on that node, in a session with that door.
async function closedRoom(node, door) {
  const session = await createSession(node, { door });
  const ann = await join(node, session.key, { name: 'Ann', host: session.hostToken });
  return [ann, session];
}

const heardOf = (host, name) => host.next('knock', (told) => told.name === name);

describe('a door over two nodes', { concurrency: 3 }, () => {
  test('locked: the other node refuses before the upgrade, and lets the host in', () => withCluster({}, async (_, [a, b]) => {
    const [, { key, hostToken }] = await closedRoom(a, 'locked');
    const refused = await refusal(b, { session: key });
    assert.deepEqual([refused.status, refused.body.error.code], [403, 'session_locked']);
    assert.equal((await (await fetch(`${b.origin}/api/sessions/${key}`)).json()).door, 'locked');
    assert.equal((await join(b, key, { host: hostToken })).welcome.session.door, 'locked');
  }));

  test('who knocks on the other node is let in, refused, or leaves', () => withCluster({}, async (_, [a, b]) => {
    const [ann, { key }] = await closedRoom(a, 'knock');
    const [ben, cem, dan] = [
      await knock(b, key, { name: 'Ben' }), await knock(b, key, { name: 'Cem' }), await knock(b, key, { name: 'Dan' })];
    const [benKnock, cemKnock, danKnock] = [await heardOf(ann, 'Ben'), await heardOf(ann, 'Cem'), await heardOf(ann, 'Dan')];
    ann.send('admit', { id: benKnock.id });
    assert.equal((await ben.next('welcome')).members.count, 2);
    ann.send('refuse', { id: cemKnock.id });
    assert.equal(await cem.closeCode(), 4005);
    await dan.close();
    await ann.next('knock', ({ id, gone }) => gone && id === danKnock.id);
    ben.send('chat', { text: 'hello' });
    assert.equal((await ann.next('chat')).name, 'Ben');
    assert.deepEqual(dan.all.map(({ type }) => type), ['knocking']);
  }));

  test('at most 50 wait, wherever', () => withCluster({}, async (_, [a, b]) => {
    const [, { key }] = await closedRoom(a, 'knock');
    await Promise.all(Array.from({ length: 50 }, (_each, i) => knock(i % 2 ? a : b, key)));
    for (const node of [a, b]) assert.equal((await refusal(node, { session: key })).body.error.code, 'door_full');
  }));

  test('the session follows its host to another node: who waits waits on', () => withCluster({}, async (_, [a, b]) => {
    const [ann, { key }] = await closedRoom(a, 'knock');
    const [cem, dan] = [await knock(a, key, { name: 'Cem' }), await knock(b, key, { name: 'Dan' })];
    await heardOf(ann, 'Cem');
    const { id } = await heardOf(ann, 'Dan');
    ann.socket.terminate();
    const back = await join(b, key, { resume: ann.resume });
    await heardOf(back, 'Cem');
    assert.equal((await heardOf(back, 'Dan')).id, id, 'the same one');
    await sleep(2_500); // the home has moved by now
    back.send('settings', { door: 'open' });
    for (const one of [cem, dan]) assert.equal((await one.next('welcome')).host, back.id);
  }));

  test('the home is killed while somebody waits elsewhere', () => withCluster({}, async (_, [a, b]) => {
    const [ann, { key }] = await closedRoom(a, 'knock');
    const ben = await knock(b, key, { name: 'Ben' });
    await heardOf(ann, 'Ben');
    kill(a);
    await ann.closed;
    const { back: [again] } = await allComeBack(b, key, [ann]);
    assert.equal(again.id, ann.id);
    const { id } = await heardOf(again, 'Ben');
    again.send('admit', { id });
    assert.equal((await ben.next('welcome')).host, ann.id);
  }));

  test('a node whose knocker waits is killed: the host hears that it is gone', () => withCluster({}, async (_, [a, b]) => {
    const [ann, { key }] = await closedRoom(a, 'knock');
    await knock(b, key, { name: 'Ben' });
    const { id } = await heardOf(ann, 'Ben');
    kill(b);
    await ann.next('knock', (told) => told.gone && told.id === id);
  }));

  test('the host says so while Redis hangs: it counts afterwards', () => withCluster({}, async (cluster, [a, b]) => {
    const [ann, { key }] = await closedRoom(a, 'knock');
    const ben = await knock(b, key, { name: 'Ben' });
    const { id } = await heardOf(ann, 'Ben');
    await hang(cluster.redis);
    ann.send('admit', { id });
    await ann.next('knock', ({ gone }) => gone);
    goOn(cluster.redis);
    await ben.next('welcome');
  }));

  test('a removed browser is refused on all nodes, also when those that were there are gone', () => withCluster({ nodes: 3 }, async (_, [a, b, c]) => {
    const [ann, { key, hostToken }] = await closedRoom(a, 'open');
    const ben = await join(b, key, { name: 'Ben' });
    const cem = await join(b, key, { name: 'Cem' });
    const refusalAt = async (node, { cookie }) => {
      const { status, body } = await refusal(node, { session: key }, { headers: { cookie } });
      return [status, body.error.code];
    };
    const isKeptOut = async (nodes, one) => {
      for (const node of nodes) assert.deepEqual(await refusalAt(node, one), [403, 'removed']);
    };
    ann.send('kick', { id: ben.id });
    assert.equal(await ben.closeCode(), 4004);
    await isKeptOut([a, b, c], ben);
    kill(a);
    const { back: [again, cemAgain] } = await allComeBack(b, key, [ann, cem]);
    await isKeptOut([b, c], ben);
    again.send('kick', { id: cemAgain.id });
    await cemAgain.closeCode();
    await isKeptOut([b, c], cemAgain);
    const host = await join(c, key, { host: hostToken }, { headers: { cookie: ben.cookie } });
    assert.equal(host.welcome.you.role, 'host');
    assert.equal(host.cookie, ben.cookie, 'what another node has signed');
  }));

  test('a home that takes over knows of which browser its members are', () => withCluster({}, async (_, [a, b]) => {
    const [, { key, hostToken }] = await closedRoom(a, 'open');
    const ben = await join(b, key, { name: 'Ben' });
    kill(a);
    const host = await join(b, key, { host: hostToken });
    host.send('kick', { id: ben.id });
    assert.equal(await ben.closeCode(), 4004);
    const { status, body } = await refusal(b, { session: key }, { headers: { cookie: ben.cookie } });
    assert.deepEqual([status, body.error.code], [403, 'removed']);
  }));
});
