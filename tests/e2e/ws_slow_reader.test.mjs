// A member that does not read: nobody else notices, little is kept for it, the newest state comes
// first when it reads again, and in the end it is closed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSession, eventually, join, sleep } from '../support/member.mjs';
import { joinRaw, opcode } from '../support/raw_websocket.mjs';
import { readMetric } from '../support/metrics.mjs';
import { residentKib } from '../support/process.mjs';
import { startServer } from '../support/server.mjs';

// AddressSanitizer keeps up to 256 MiB of what was freed.
const GROWTH_KIB_MAX = (process.env.VIDEOSYNC_SANITIZE ? 300 : 4) * 1024;
const SLOW_MS = 3_000;
let server;
let key;
let ann;
let ben;

before(async () => {
  server = await startServer({
    args: ['--media', 'tests/support', '--session-rate', '0', '--message-rate', '0', '--chat-rate', '0', '--workers', '1',
      '--slow-timeout', `${SLOW_MS}ms`],
  });
  ({ key } = await createSession(server));
  ann = await join(server, key);
  ben = await join(server, key);
});

after(() => server?.stop());

async function slowMember() {
  const raw = await joinRaw(server, key);
  await raw.nextMessage('welcome');
  raw.pause();
  return raw;
}

// So much chat that no socket buffer takes it, a seek now and then; ben must get all of it.
async function talk(messages) {
  const words = 'x'.repeat(480);
  let slowest = 0;
  for (let i = 1; i <= messages; i += 1) {
    ann.send('chat', { text: words });
    if (i % 20) continue;
    const start = performance.now();
    ann.send('seek', { position: i });
    await ben.next('state', ({ position }) => position === i);
    slowest = Math.max(slowest, performance.now() - start);
  }
  return slowest;
}

test('others are not delayed, memory is bounded, and the newest state is soon there', async () => {
  const slow = await slowMember();
  await talk(200); // warms up
  ben.clear();
  const before = residentKib(server.pid);
  const slowest = await talk(4_000);
  assert.equal(ben.of('chat').length, 4_000);
  assert.ok(slowest < 1_000, `a state took ${slowest.toFixed(0)} ms`);
  assert.ok(residentKib(server.pid) - before < GROWTH_KIB_MAX, 'memory grew');
  assert.ok((await readMetric(server, 'frames_dropped_total{of="news"}')) > 0);
  const newest = ben.of('state').at(-1);
  slow.resume();
  let states = 0;
  let bytes = 0;
  for (;;) {
    const { payload } = await slow.nextOf(opcode.text);
    bytes += payload.length;
    const message = JSON.parse(payload);
    if (message.type === 'state') states += 1;
    if (message.seq === newest.seq) break;
  }
  // What had left before it stopped reading, a queue's worth, then the newest one.
  assert.ok(states < 150, `${states} states`);
  assert.ok(bytes < 600_000, `${bytes} bytes`);
  slow.end();
});

test('without progress it is closed with 4003, and has left', async () => {
  const cut = await readMetric(server, 'members_cut_total{reason="not_reading"}');
  const slow = await slowMember();
  const info = async () => (await (await fetch(`${server.origin}/api/sessions/${key}`)).json()).members;
  const count = await info();
  const start = Date.now();
  let isOver = false;
  const talking = (async () => {
    while (!isOver) await talk(100);
  })();
  await eventually(info, (members) => members === count - 1, 'members');
  const gone = Date.now() - start;
  isOver = true;
  await talking;
  assert.ok(gone > SLOW_MS * 0.8 && gone < SLOW_MS * 2 + 2_000, `after ${gone} ms`);
  slow.resume();
  assert.equal(await slow.closeCode(), 4003);
  assert.equal(await readMetric(server, 'members_cut_total{reason="not_reading"}'), cut + 1);
  assert.equal(ben.of('error').length, 0);
});

test('a member that reads slowly but reads is kept', async () => {
  const slow = await slowMember();
  const start = Date.now();
  while (Date.now() - start < SLOW_MS * 2) {
    await talk(60);
    slow.resume();
    await sleep(5);
    slow.pause();
  }
  slow.resume();
  ann.send('seek', { position: 123_456 });
  await slow.nextMessage('state', ({ position }) => position === 123_456);
  slow.end();
});

test('what it asks is answered, however much chat waits for it', async () => {
  const slow = await slowMember();
  await talk(2_000);
  const pings = () => readMetric(server, 'messages_received_total{type="ping"}');
  const before = await pings();
  for (let i = 0; i < 10; i += 1) slow.write(ping); // there may be room for one or two of the answers
  await eventually(pings, (count) => count === before + 10, 'pings');
  slow.resume();
  for (let i = 0; i < 10; i += 1) await slow.nextMessage('pong');
  slow.end();
});

test('a member that asks and never reads the answers is closed with 4003, too', async () => {
  const slow = await slowMember();
  const info = async () => (await (await fetch(`${server.origin}/api/sessions/${key}`)).json()).members;
  const count = await info();
  const before = residentKib(server.pid);
  const flood = setInterval(() => {
    if (slow.socket.writableLength < 1 << 20) for (let i = 0; i < 200; i += 1) slow.write(ping);
  }, 5);
  try {
    await eventually(info, (members) => members === count - 1, 'members');
  } finally {
    clearInterval(flood);
  }
  assert.ok(residentKib(server.pid) - before < GROWTH_KIB_MAX, 'memory grew');
  assert.ok((await readMetric(server, 'frames_dropped_total{of="answers"}')) > 0);
  slow.end();
});

const ping = (() => {
  const payload = Buffer.from(JSON.stringify({ type: 'ping', id: 'x'.repeat(60), t1: 'y'.repeat(60) }));
  return Buffer.concat([Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]), payload]);
})();
