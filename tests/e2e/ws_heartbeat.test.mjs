// Connections that fall silent, half-close or break: members leave in time and not before.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createSession, eventually, join, sleep } from '../support/member.mjs';
import { frame, joinRaw, opcode } from '../support/raw_websocket.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startServer } from '../support/server.mjs';

const HEARTBEAT_MS = 1_000;
const SILENCE_MS = 2_000;
const SLACK_MS = 800;
let server;

before(async () => {
  server = await startServer({
    args: ['--media', 'tests/support', '--session-rate', '0', '--heartbeat', '1s', '--silence-timeout', '2s', '--host-grace', '0'],
  });
});

after(() => server?.stop());

const countOf = async (key) => (await (await fetch(`${server.origin}/api/sessions/${key}`)).json()).members;
const isEmpty = (key) => eventually(() => countOf(key), (count) => count === 0, 'members');

describe('members that fall silent', { concurrency: true }, () => {
  test('a silent member is pinged, and closed when it stays silent', async () => {
    const { key } = await createSession(server);
    // The server counts from some moment between these two.
    const asked = Date.now();
    const raw = await joinRaw(server, key);
    const joined = Date.now();
    await raw.nextOf(opcode.ping);
    const pinged = Date.now();
    assert.ok(pinged - asked >= HEARTBEAT_MS && pinged - joined < HEARTBEAT_MS + SLACK_MS, `pinged after ${pinged - joined} ms`);
    assert.equal(await raw.closeCode(), 1001);
    const closed = Date.now();
    assert.ok((await readMetric(server, 'members_cut_total{reason="silent"}')) > 0);
    assert.ok(closed - asked >= SILENCE_MS && closed - joined < SILENCE_MS + SLACK_MS + 5_000, `closed after ${closed - joined} ms`);
    await isEmpty(key);
  });

  test('pongs keep a member, and one that talks is not pinged', async () => {
    const { key } = await createSession(server);
    const quiet = await join(server, key); // the library answers pings
    const talker = await joinRaw(server, key);
    let pings = 0;
    quiet.socket.on('ping', () => (pings += 1));
    for (let spent = 0; spent < 2 * SILENCE_MS; spent += 400) {
      talker.write(frame(opcode.pong));
      await sleep(400);
    }
    assert.equal(quiet.socket.readyState, 1);
    assert.ok(pings >= 3 && pings <= 5, `${pings} pings`);
    talker.write(frame(opcode.close));
    const codes = [];
    for (let found = await talker.nextFrame(); found !== null; found = await talker.nextFrame()) codes.push(found.code);
    assert.ok(!codes.includes(opcode.ping), `${codes}`);
    await quiet.close();
  });

  test('a member that closes its half without a Close has left', async () => {
    const { key } = await createSession(server);
    const raw = await joinRaw(server, key);
    await raw.nextMessage('welcome');
    raw.socket.end();
    assert.equal(await raw.closeCode(), 1006);
    await isEmpty(key);
  });

  test('a member whose connection is reset has left', async () => {
    const { key } = await createSession(server);
    const raw = await joinRaw(server, key);
    await raw.nextMessage('welcome');
    raw.socket.resetAndDestroy();
    await isEmpty(key);
  });

  test('a half frame and then silence ends like silence', async () => {
    const { key } = await createSession(server);
    const raw = await joinRaw(server, key);
    raw.write(frame(opcode.text, '{"type":"play"}').subarray(0, 9));
    assert.equal(await raw.closeCode(), 1001);
    await isEmpty(key);
  });

  test('a peer that never closes its side is let go', async () => {
    const { key } = await createSession(server);
    const raw = await joinRaw(server, key);
    await raw.nextMessage('welcome');
    const ended = new Promise((resolve) => raw.socket.once('close', resolve));
    raw.write(frame(opcode.close));
    assert.equal(await raw.closeCode(), 1005);
    // Our half stays open: the server gives up after its wait, and the next write is reset.
    await sleep(5_500);
    raw.write('x');
    await sleep(50);
    raw.write('x');
    await ended;
  });

  test('with no grace the next is host at once', async () => {
    const { key } = await createSession(server);
    const [ann, ben] = [await join(server, key), await join(server, key)];
    await ann.drop();
    assert.equal((await ben.next('host', ({ reason }) => reason === 'left')).id, ben.id);
    await ben.close();
  });
});
