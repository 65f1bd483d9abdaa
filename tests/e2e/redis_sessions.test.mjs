// One session on two nodes over one Redis: to its members it is one, wherever they are connected.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startCluster } from '../support/cluster.mjs';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { createSession, eventually, join, refusal } from '../support/member.mjs';

const ONE = patternBytes(3_000, 1);
const TWO = patternBytes(4_000, 2);
const UNKNOWN = '0b8ff5c5-2a9f-4f1d-8d23-3b2a1e6f9c11';
let media;
let cluster;
let a;
let b;

before(async () => {
  media = await makeFolder({ 'one.mp4': ONE, 'two.mp4': TWO });
  cluster = await startCluster({ args: ['--media', media.directory] });
  [a, b] = cluster.nodes;
});

after(async () => {
  await cluster?.stop();
  await media?.remove();
});

const ask = (node, path, options) => fetch(`${node.origin}${path}`, options);
const info = async (node, key) => (await ask(node, `/api/sessions/${key}`)).json();
const isValid = async (node, key) => (await (await ask(node, `/api/sessions/${key}/validate`)).json()).valid;
const remove = (node, key, token) => ask(node, `/api/sessions/${key}`, {
  method: 'DELETE',
  headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
});

// The host on the first node, a member on the second, who know each other.
async function pair(settings) {
  const session = await createSession(a, settings);
  const ann = await join(a, session.key, { name: 'Ann' });
  const ben = await join(b, session.key, { name: 'Ben' });
  await ann.next('members', ({ joined }) => joined.some(({ id }) => id === ben.id));
  return { ...session, ann, ben };
}

describe('two nodes, one session', { concurrency: 8 }, () => {
  test('made on one node it is known on the other at once', async () => {
    for (let i = 0; i < 20; i += 1) {
      const [from, to] = i % 2 ? [a, b] : [b, a];
      const { key } = await createSession(from, { video: 'two', control: 'everyone' });
      assert.equal(await isValid(to, key), true);
      const told = await info(to, key);
      assert.deepEqual([told.key, told.video.id, told.control, told.members], [key, 'two', 'everyone', 0]);
    }
    assert.equal(await isValid(b, UNKNOWN), false);
    assert.equal((await refusal(b, { session: UNKNOWN })).status, 404);
  });

  test('of two who join on two nodes at the same instant one is host, and both know who', async () => {
    for (let i = 0; i < 20; i += 1) {
      const { key } = await createSession(i % 2 ? a : b);
      const both = await Promise.all([join(a, key), join(b, key)]);
      const hosts = both.filter(({ welcome }) => welcome.you.role === 'host');
      assert.equal(hosts.length, 1, `round ${i}: ${hosts.length} hosts`);
      assert.notEqual(both[0].id, both[1].id);
      for (const { welcome } of both) assert.equal(welcome.host, hosts[0].id, `round ${i}`);
      for (const member of both) member.socket.terminate();
    }
  });

  test('welcome on the other node has the state, the host and the list', async () => {
    const { key, ann } = await pair();
    ann.send('seek', { position: 12.5 });
    await ann.next('state');
    const { welcome } = await join(b, key, { name: 'Cem' });
    assert.deepEqual([welcome.state.seq, welcome.state.position, welcome.host], [1, 12.5, ann.id]);
    assert.equal(welcome.members.count, 3);
    assert.deepEqual(welcome.members.list.map(({ name }) => name), ['Ann', 'Ben', 'Cem']);
  });

  test('each command of the host reaches both, as the same state', async () => {
    const { ann, ben } = await pair();
    const commands = [['play', {}], ['seek', { position: 7 }], ['rate', { rate: 1.5 }], ['pause', {}],
      ['load', { video: 'two' }]];
    for (const [type, fields] of commands) {
      ann.send(type, fields);
      const [here, there] = [await ann.next('state'), await ben.next('state')];
      assert.deepEqual({ ...there, receivedMs: 0 }, { ...here, receivedMs: 0 });
      assert.deepEqual([here.cause, here.by], [type, ann.id]);
    }
  });

  test('where everyone controls, so does a member on the other node', async () => {
    const { ann, ben } = await pair({ control: 'everyone' });
    ben.send('seek', { position: 3 });
    for (const who of [ann, ben]) {
      const state = await who.next('state');
      assert.deepEqual([state.seq, state.position, state.by], [1, 3, ben.id]);
    }
  });

  test('a refusal comes to the one who asked, and to nobody else', async () => {
    const { ann, ben } = await pair();
    ben.send('play');
    assert.deepEqual(await ben.next('error').then(({ code, re }) => [code, re]), ['not_host', 'play']);
    ben.send('kick', { id: ann.id });
    assert.equal((await ben.next('error')).code, 'not_host');
    ben.sendText('{"type":');
    assert.equal((await ben.next('error')).code, 'bad_json');
    ann.send('give', { to: 'm999' });
    assert.equal((await ann.next('error')).code, 'no_such_member');
    ann.send('chat', { text: 'done' });
    await Promise.all([ann.next('chat'), ben.next('chat')]);
    assert.deepEqual([ann.of('error').length, ben.of('error').length, ben.of('state').length], [1, 3, 0]);
  });

  test('who is ready, what comes next and who may control is the same on both', async () => {
    const { key, ann, ben } = await pair();
    ben.send('ready', { ready: true });
    for (const who of [ann, ben]) await who.next('members', ({ ready }) => ready === 1);
    ben.send('enqueue', { video: 'two' });
    const queues = await Promise.all([ann, ben].map((who) => who.next('queue')));
    assert.deepEqual({ ...queues[0], receivedMs: 0 }, { ...queues[1], receivedMs: 0 });
    ann.send('settings', { controllers: [ben.id] });
    assert.deepEqual((await ben.next('settings')).controllers, [ben.id]);
    ben.send('next');
    for (const who of [ann, ben]) {
      await who.next('queue', ({ list }) => list.length === 0);
      assert.equal((await who.next('state')).video, 'two');
    }
    ben.send('play', { countdownMs: 5_000 });
    const { atMs } = await ann.next('state', ({ playing }) => playing);
    assert.equal((await join(b, key)).welcome.state.atMs, atMs);
  });

  test('who comes later is told on either node what was said', async () => {
    const { key, ann, ben } = await pair();
    ann.send('chat', { text: 'one' });
    const { id } = await ben.next('chat');
    ben.send('chat', { text: 'two' });
    await ann.next('chat', ({ text }) => text === 'two');
    for (const node of [a, b]) {
      const all = await (await join(node, key)).next('history');
      assert.deepEqual(all.list.map(({ text, name }) => [text, name]), [['one', 'Ann'], ['two', 'Ben']]);
      const rest = await (await join(node, key, { chat: id })).next('history');
      assert.deepEqual(rest.list.map(({ text }) => text), ['two']);
    }
  });

  test('chat, reactions and names cross over, in one order', async () => {
    const { ann, ben } = await pair();
    for (let i = 0; i < 10; i += 1) {
      ann.send('chat', { text: `ann ${i}` });
      ben.send('chat', { text: `ben ${i}` });
    }
    for (const who of [ann, ben]) await eventually(() => who.of('chat').length, (count) => count === 20, 'chats');
    const words = (who) => who.of('chat').map(({ from, name, text }) => `${from} ${name}: ${text}`);
    assert.deepEqual(words(ben), words(ann));
    assert.ok(words(ann).includes(`${ben.id} Ben: ben 9`));
    ben.send('reaction', { emoji: '👍' });
    assert.deepEqual(await ann.next('reaction').then(({ from, emoji }) => [from, emoji]), [ben.id, '👍']);
    ben.send('name', { name: 'Benjamin' });
    const told = await ann.next('members', ({ changed }) => changed.length > 0);
    assert.deepEqual(told.changed[0], { id: ben.id, name: 'Benjamin', role: 'participant' });
  });

  test('who comes and goes on one node is told on the other, with the count', async () => {
    const { key, ann, ben } = await pair();
    const cem = await join(b, key, { name: 'Cem' });
    for (const who of [ann, ben]) {
      const came = await who.next('members', ({ joined }) => joined.some(({ id }) => id === cem.id));
      assert.equal(came.count, 3);
    }
    await cem.close();
    for (const who of [ann, ben]) {
      const went = await who.next('members', ({ left }) => left.some(({ id }) => id === cem.id));
      assert.equal(went.count, 2);
    }
    for (const node of [a, b]) assert.equal((await info(node, key)).members, 2);
  });

  test('a host who is given the seat on the other node is told of once, and why; the session moves after it', async () => {
    const { key, ann, ben } = await pair();
    const amy = await join(a, key, { name: 'Amy' });
    const bea = await join(b, key, { name: 'Bea' });
    const all = [ann, ben, amy, bea];
    for (const [from, to] of [[ann, ben], [ben, amy]]) {
      for (const who of all) who.clear();
      from.send('give', { to: to.id });
      const told = await Promise.all(all.map((who) => who.next('host')));
      // It has moved when the states are of a newer epoch than the new host's first one.
      await eventually(() => {
        to.send('seek', { position: 1 });
        return all.map((who) => who.of('state').at(-1)?.epoch ?? 0);
      }, (epochs) => epochs.every((epoch) => epoch > told[0].epoch), 'the move');
      to.send('chat', { text: 'the last word' });
      for (const who of all) {
        await who.next('chat');
        assert.deepEqual(who.of('host').map(({ id, reason }) => [id, reason]), [[to.id, 'given']]);
      }
    }
  });

  test('settings hold on both nodes', async () => {
    const { key, ann, ben } = await pair();
    ann.send('settings', { control: 'everyone', onStall: 'wait' });
    for (const who of [ann, ben]) {
      const told = await who.next('settings');
      assert.deepEqual([told.control, told.onStall], ['everyone', 'wait']);
    }
    ben.send('play');
    assert.equal((await ann.next('state')).by, ben.id);
    assert.equal((await info(b, key)).onStall, 'wait');
  });

  test('each node serves the video that the session watches', async () => {
    const { key, ann, ben } = await pair({ video: 'one' });
    const bytes = async (node) => Buffer.from(await (await ask(node, `/api/video?session=${key}`)).arrayBuffer());
    for (const node of [a, b]) assert.ok(ONE.equals(await bytes(node)));
    ann.send('load', { video: 'two' });
    await Promise.all([ann.next('state'), ben.next('state')]);
    for (const node of [a, b]) assert.ok(TWO.equals(await bytes(node)));
  });

  test('what is said of a session is the same on both nodes', async () => {
    const { key, ann, ben } = await pair();
    ann.send('seek', { position: 31 });
    await Promise.all([ann.next('state'), ben.next('state')]);
    const [here, there] = await Promise.all([info(a, key), info(b, key)]);
    assert.ok(Math.abs(here.serverTimeMs - there.serverTimeMs) < 1_000);
    assert.deepEqual({ ...there, serverTimeMs: 0 }, { ...here, serverTimeMs: 0 });
    assert.deepEqual([here.members, here.state.position], [2, 31]);
  });

  test('the host ends it for both: 4001, and no node knows it any more', async () => {
    const { key, ann, ben } = await pair();
    ann.send('end');
    for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
    for (const node of [a, b]) {
      await eventually(() => isValid(node, key), (valid) => valid === false, 'the session');
      assert.equal((await refusal(node, { session: key })).status, 404);
    }
  });

  test('DELETE on the node that is not its home: 401, 403, then 204', async () => {
    const { key, hostToken, ann, ben } = await pair();
    assert.equal((await remove(b, key)).status, 401);
    assert.equal((await remove(b, key, 'f'.repeat(32))).status, 403);
    assert.equal((await remove(b, key, hostToken)).status, 204);
    for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
    for (const node of [a, b]) {
      assert.equal((await remove(node, key, hostToken)).status, 404);
      assert.equal(await isValid(node, key), false);
    }
  });
});
