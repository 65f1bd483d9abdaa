// WebSocket clients that are not of our making, `ws` and undici (of which Node's own is made), in one session: what each is told,
// in which order, and how its connection ends, as RFC 6455 and docs/PROTOCOL.md have it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocket as UndiciSocket } from 'undici';
import { createSession, join, openRoom } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';

const MESSAGE_MAX = 16 * 1024;
const COMMANDS = 50; // of each of three
let server;

before(async () => {
  server = await startServer({
    args: ['--media', 'tests/support', '--session-rate', '0', '--message-rate', '0', '--chat-rate', '0', '--workers', '2'],
  });
});
after(() => server?.stop());

const isNewer = (one, other) => one.epoch > other.epoch || (one.epoch === other.epoch && one.seq > other.seq);

// A member over undici: {socket, all, next(type, accept), send(), closed}.
async function joinByUndici(key, query = {}, at = server) {
  const socket = new UndiciSocket(`${at.wsOrigin}/ws?${new URLSearchParams({ session: key, ...query })}`);
  const member = { socket, all: [] };
  let passed = 0;
  socket.addEventListener('message', ({ data }) => member.all.push(JSON.parse(data)));
  member.closed = new Promise((resolve) => socket.addEventListener('close', resolve));
  member.send = (type, fields = {}) => socket.send(JSON.stringify({ type, ...fields }));
  member.next = (type, accept = () => true) => until(() => {
    const at = member.all.findIndex((message, i) => i >= passed && message.type === type && accept(message));
    if (at < 0) return null;
    passed = at + 1;
    return member.all[at];
  }, () => `${type}: ${JSON.stringify(member.all.slice(-5))}`);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', ({ error }) => reject(error ?? new Error('the handshake failed')));
  });
  member.welcome = await member.next('welcome');
  return member;
}

describe('both in one session', () => {
  test('welcome comes first, names who one is, and who else is there', async () => {
    const [ann, session] = await openRoom(server, 1);
    const ben = await joinByUndici(session.key, { name: 'Ben' });
    assert.deepEqual([ann.all[0].type, ben.all[0].type], ['welcome', 'welcome']);
    assert.deepEqual([ben.welcome.you.name, ben.welcome.you.role, ben.welcome.host], ['Ben', 'participant', ann.id]);
    assert.deepEqual(ben.welcome.members.list.map(({ id }) => id).sort(), [ann.id, ben.welcome.you.id].sort());
    assert.equal((await ann.next('members', ({ joined }) => joined.some(({ name }) => name === 'Ben'))).count, 2);
    ben.send('chat', { text: 'a ☕ and 👍🏽' });
    for (const who of [ann, ben]) assert.equal((await who.next('chat')).text, 'a ☕ and 👍🏽');
    ann.socket.terminate();
    ben.socket.close();
    await ben.closed;
  });

  test('what three members command at once all see in one order, each state once', async () => {
    const [ann, ben, session] = await openRoom(server, 2, { control: 'everyone' });
    const cem = await joinByUndici(session.key);
    // Each says its next one when it has the state of its last one: so all keep up, and see every state.
    await Promise.all([ann, ben, cem].map(async (who, j) => {
      for (let i = 0; i < COMMANDS; i += 1) {
        const position = 3 * i + j;
        who.send('seek', { position });
        await who.next('state', (state) => state.position === position);
      }
    }));
    const seen = [];
    for (const who of [ann, ben, cem]) {
      await until(() => who.all.filter(({ type }) => type === 'state').length === 3 * COMMANDS, () => `${who.all.length} messages`);
      let last = who.welcome.state;
      for (const state of who.all.filter(({ type }) => type === 'state')) {
        assert.ok(isNewer(state, last), `${JSON.stringify(state)} after ${JSON.stringify(last)}`);
        last = state;
      }
      seen.push(who.all.filter(({ type }) => type === 'state').map(({ receivedMs: _, ...state }) => state));
    }
    assert.deepEqual(seen[1], seen[0]);
    assert.deepEqual(seen[2], seen[0]);
    assert.equal(new Set(seen[0].map(({ position }) => position)).size, 3 * COMMANDS);
    const late = await join(server, session.key);
    const vectorOf = ({ epoch, seq, position, atMs, playing }) => ({ epoch, seq, position, atMs, playing });
    assert.deepEqual(vectorOf(late.welcome.state), vectorOf(seen[0].at(-1)));
    for (const who of [ann, ben, late]) who.socket.terminate();
    cem.socket.close();
    await cem.closed;
  });

  test('permessage-deflate that they offer is not taken, and both speak without it', async () => {
    const { key } = await createSession(server);
    const ann = await join(server, key, {}, { perMessageDeflate: { threshold: 0 } });
    const ben = await joinByUndici(key); // offers it always
    assert.deepEqual([ann.socket.extensions, ben.socket.extensions], ['', '']);
    ann.send('chat', { text: 'x'.repeat(500) });
    assert.equal((await ben.next('chat')).text, 'x'.repeat(500));
    ben.send('chat', { text: 'y'.repeat(500) });
    assert.equal((await ann.next('chat', ({ text }) => text.startsWith('y'))).text, 'y'.repeat(500));
    ann.socket.terminate();
    ben.socket.close();
    await ben.closed;
  });
});

describe('pings', () => {
  test('ws: its pings come back as pongs, in order and with what they carried', async () => {
    const [ann] = await openRoom(server, 1);
    const payloads = ['', 'a', Buffer.alloc(125, 7)].map((payload) => Buffer.from(payload));
    const pongs = [];
    ann.socket.on('pong', (payload) => pongs.push(payload));
    for (const payload of payloads) ann.socket.ping(payload);
    await until(() => pongs.length === payloads.length, 'the pongs');
    assert.deepEqual(pongs, payloads);
    ann.socket.terminate();
  });

  test('the server pings who is silent, and both answer by themselves and stay', async () => {
    const own = await startServer({ args: ['--media', 'tests/support', '--heartbeat', '1s', '--silence-timeout', '2s'] });
    const { key } = await createSession(own);
    const [ann, ben] = [await join(own, key), await joinByUndici(key, {}, own)];
    for (let i = 0; i < 3; i += 1) await once(ann.socket, 'ping'); // 3 s: a silent one would be closed
    ben.send('chat', { text: 'still here' });
    assert.equal((await ann.next('chat')).text, 'still here');
    await own.stop();
  });
});

describe('sizes', () => {
  const padded = (bytes) => JSON.stringify({ type: 'ping', id: 1, t1: 2 }).padEnd(bytes);

  test('a message of 16 KiB is read, in one frame and in fragments of every size', async () => {
    const [ann] = await openRoom(server, 1);
    const bytes = Buffer.from(padded(MESSAGE_MAX));
    for (const size of [MESSAGE_MAX, 8_000, 126, 125, 100]) {
      for (let at = 0; at < bytes.length; at += size) ann.socket.send(bytes.subarray(at, at + size), { binary: false, fin: at + size >= bytes.length });
      assert.deepEqual((await ann.next('pong')).id, 1, `fragments of ${size}`);
    }
    ann.socket.terminate();
  });

  for (const bytes of [MESSAGE_MAX + 1, 65_535, 65_536, 1 << 20]) {
    test(`one of ${bytes} bytes is closed with 1009, and the others go on`, async () => {
      const { key } = await createSession(server);
      const [ann, ben, cem] = [await join(server, key), await joinByUndici(key), await join(server, key)];
      ann.socket.on('error', () => {}); // the rest of it may not be taken any more
      ann.sendText(padded(bytes));
      ben.socket.send(padded(bytes));
      assert.equal(await ann.closeCode(), 1009);
      assert.equal((await ben.closed).code, 1009);
      await cem.settled();
      cem.socket.terminate();
    });
  }
});

describe('ends', () => {
  test('a code and reason of theirs come back, and nothing is lost before', async () => {
    for (const code of [1000, 3000, 4999]) {
      const [ann, ben, session] = await openRoom(server, 2);
      const cem = await joinByUndici(session.key);
      ben.send('chat', { text: `leaving with ${code}` });
      ben.socket.close(code, 'so long');
      cem.socket.close(code, 'so long');
      assert.equal((await ben.closed).code, code);
      const end = await cem.closed;
      assert.deepEqual([end.code, end.wasClean], [code, true]);
      assert.equal((await ann.next('chat')).text, `leaving with ${code}`);
      ann.socket.terminate();
    }
  });

  test('binary messages are closed with 1003', async () => {
    const { key } = await createSession(server);
    const [ann, ben] = [await join(server, key), await joinByUndici(key)];
    ann.socket.send(Buffer.from('{"type":"play"}'));
    ben.socket.send(new Uint8Array([1, 2, 3]));
    assert.equal(await ann.closeCode(), 1003);
    assert.equal((await ben.closed).code, 1003);
  });

  test('who is removed reads 4004, who comes again elsewhere 4002, and all 4001 at the end', async () => {
    const [ann, ben, session] = await openRoom(server, 2);
    const cem = await joinByUndici(session.key);
    const again = await joinByUndici(session.key, { resume: cem.welcome.you.resume });
    assert.equal(again.welcome.you.id, cem.welcome.you.id);
    assert.equal((await cem.closed).code, 4002);
    ann.send('kick', { id: again.welcome.you.id });
    assert.equal((await again.closed).code, 4004);
    ann.send('end');
    for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
    await assert.rejects(joinByUndici(session.key));
  });

  test('who does not read for a while has the newest state when it does', async () => {
    const [ann, ben] = await openRoom(server, 2);
    ben.socket.pause();
    for (let i = 1; i <= 300; i += 1) {
      ann.send('seek', { position: i });
      await ann.next('state', ({ position }) => position === i);
    }
    ben.socket.resume();
    await ben.next('state', ({ position }) => position === 300);
    const states = ben.of('state');
    states.reduce((last, state) => {
      assert.ok(isNewer(state, last));
      return state;
    });
    for (const who of [ann, ben]) who.socket.terminate();
  });

  test('a server that ends says so to both, and then 1001', async () => {
    const own = await startServer({ args: ['--media', 'tests/support', '--drain', '2s'] });
    const { key } = await createSession(own);
    const [ann, ben] = [await join(own, key), await joinByUndici(key, {}, own)];
    const ended = own.stop();
    for (const who of [ann, ben]) assert.equal((await who.next('notice')).code, 'draining');
    assert.equal(await ann.closeCode(), 1001);
    assert.equal((await ben.closed).code, 1001);
    assert.deepEqual(await ended, { code: 0, signal: null });
  });
});
