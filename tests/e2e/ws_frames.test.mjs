// Frames as RFC 6455 has them, and those that it forbids.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSession, join } from '../support/member.mjs';
import { closePayload, frame, joinRaw, opcode, text } from '../support/raw_websocket.mjs';
import { residentKib } from '../support/process.mjs';
import { startServer } from '../support/server.mjs';

let server;
let key;
let witness; // is there throughout: one member's faults are nobody else's

before(async () => {
  server = await startServer({ args: ['--media', 'tests/support', '--session-rate', '0', '--message-rate', '0'] });
  ({ key } = await createSession(server));
  witness = await join(server, key);
});

after(async () => {
  await witness?.settled();
  assert.equal(witness?.of('error').length, 0);
  await server?.stop();
});

async function member() {
  const raw = await joinRaw(server, key);
  await raw.nextMessage('welcome');
  return raw;
}

const chat = (words) => JSON.stringify({ type: 'chat', text: words });

test('what the server sends is final, unmasked, without reserved bits', async () => {
  const raw = await joinRaw(server, key);
  const first = await raw.nextFrame();
  assert.deepEqual([first.code, first.fin, first.rsv, first.masked], [opcode.text, true, 0, false]);
  raw.end();
});

test('a message in fragments, with pings in between', async () => {
  const raw = await member();
  const bytes = Buffer.from(chat('a ☕ cut in the middle'));
  const cup = bytes.indexOf(0xe2) + 1; // inside the character
  raw.write(Buffer.concat([
    frame(opcode.text, bytes.subarray(0, 1), { fin: false }),
    frame(opcode.ping, 'one'),
    frame(opcode.continuation, '', { fin: false }),
    frame(opcode.continuation, bytes.subarray(1, cup), { fin: false }),
    frame(opcode.ping, 'two'),
    frame(opcode.continuation, bytes.subarray(cup)),
  ]));
  assert.equal((await raw.nextOf(opcode.pong)).payload.toString(), 'one');
  assert.equal((await raw.nextOf(opcode.pong)).payload.toString(), 'two');
  assert.equal((await raw.nextMessage('chat')).text, 'a ☕ cut in the middle');
  raw.end();
});

test('256 fragments are a message, 257 are too many', async () => {
  const raw = await member();
  const bytes = Buffer.from(chat('x'.repeat(400)));
  const pieces = (count) => {
    const frames = [];
    for (let i = 0; i < count; i += 1) {
      const part = i === count - 1 ? bytes.subarray(count - 1) : bytes.subarray(i, i + 1);
      frames.push(frame(i === 0 ? opcode.text : opcode.continuation, part, { fin: i === count - 1 }));
    }
    return Buffer.concat(frames);
  };
  raw.write(pieces(256));
  assert.equal((await raw.nextMessage('chat')).text.length, 400);
  raw.write(pieces(257));
  assert.equal(await raw.closeCode(), 1008);
});

test('a message of 16 KiB is read, a longer one is not', async () => {
  const fits = await member();
  fits.write(frame(opcode.text, ' '.repeat(16 * 1024 - 2) + '{}'));
  assert.equal((await fits.nextMessage('error')).code, 'bad_message');
  fits.write(frame(opcode.text, ' '.repeat(8 * 1024), { fin: false }));
  fits.write(frame(opcode.continuation, ' '.repeat(8 * 1024 + 1)));
  assert.equal(await fits.closeCode(), 1009);
  for (const length of [16 * 1024 + 1, 70_000, 2 ** 40]) {
    const raw = await member();
    // A frame is judged by its header and the first byte of it: nobody waits for the rest.
    raw.write(frame(opcode.text, ' ', { length }));
    assert.equal(await raw.closeCode(), 1009, `${length}`);
  }
});

const FAULTS = [
  ['an unmasked frame', frame(opcode.text, '{}', { masked: false }), 1002],
  ['an unmasked ping', frame(opcode.ping, 'x', { masked: false }), 1002],
  ['a reserved bit', frame(opcode.text, '{}', { rsv: 4 }), 1002],
  ['another reserved bit', frame(opcode.text, '{}', { rsv: 1 }), 1002],
  ['reserved opcode 3', frame(3, 'x'), 1002],
  ['reserved opcode 11', frame(11, 'x'), 1002],
  ['a continuation of nothing', frame(opcode.continuation, 'x'), 1002],
  ['a message inside a message', Buffer.concat([frame(opcode.text, '{', { fin: false }), frame(opcode.text, '}')]), 1002],
  ['a ping in fragments', frame(opcode.ping, 'x', { fin: false }), 1002],
  ['a ping of 126 bytes', frame(opcode.ping, 'x'.repeat(126)), 1002],
  ['a length not in its shortest form', Buffer.from([0x81, 0xfe, 0, 1, 0, 0, 0, 0, 0x20]), 1002],
  ['a length with its top bit set', Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x20]), 1002],
  ['a binary message', frame(opcode.binary, 'x'), 1003],
  ['an empty binary message', frame(opcode.binary), 1003],
  ['text that is not UTF-8', frame(opcode.text, Buffer.from([0xc3, 0x28])), 1007],
  ['text that ends inside a character', frame(opcode.text, Buffer.from([0xe2, 0x98])), 1007],
  ['a surrogate', frame(opcode.text, Buffer.from([0xed, 0xa0, 0x80])), 1007],
  ['bad UTF-8 in an unfinished message', frame(opcode.text, Buffer.from([0xff]), { fin: false }), 1007],
  ['a Close of one byte', frame(opcode.close, 'x'), 1002],
  ['a Close with a code that may not be sent', frame(opcode.close, closePayload(1005)), 1002],
  ['a Close with code 999', frame(opcode.close, closePayload(999)), 1002],
  ['a Close whose reason is not UTF-8', frame(opcode.close, Buffer.from([3, 232, 0xff])), 1007],
];

for (const [what, bytes, code] of FAULTS) {
  test(`${what}: ${code}`, async () => {
    const raw = await member();
    raw.write(bytes);
    assert.equal(await raw.closeCode(), code);
    raw.end();
  });
}

test('a Close comes back with its code, an empty one empty', async () => {
  for (const code of [1000, 1001, 3000, 4999]) {
    const raw = await member();
    raw.write(frame(opcode.close, closePayload(code, 'so long')));
    assert.equal(await raw.closeCode(), code);
    raw.end();
  }
  const raw = await member();
  raw.write(frame(opcode.close));
  assert.equal(await raw.closeCode(), 1005);
  raw.end();
});

test('what follows a Close is ignored', async () => {
  const raw = await member();
  raw.write(Buffer.concat([frame(opcode.close, closePayload(1000)), text({ type: 'chat', text: 'too late' }), frame(3, 'x')]));
  assert.equal(await raw.closeCode(), 1000);
  raw.end();
  await witness.settled();
  assert.equal(witness.of('chat').filter((message) => message.text === 'too late').length, 0);
});

test('ten pings get ten pongs, with their payloads, in order', async () => {
  const raw = await member();
  const payloads = Array.from({ length: 10 }, (_, i) => (i === 9 ? '' : `${i}`.repeat(125 / (i + 1))));
  raw.write(Buffer.concat(payloads.map((payload) => frame(opcode.ping, payload))));
  for (const payload of payloads) assert.equal((await raw.nextOf(opcode.pong)).payload.toString(), payload);
  raw.end();
});

test('pongs that nobody asked for are ignored', async () => {
  const raw = await member();
  raw.write(Buffer.concat([frame(opcode.pong, 'x'), frame(opcode.pong), frame(opcode.ping, 'y')]));
  assert.equal((await raw.nextOf(opcode.pong)).payload.toString(), 'y');
  raw.end();
});

test('10,000 pings of a client that does not read cost no memory; the newest is answered', async () => {
  const raw = await member();
  raw.pause();
  const before = residentKib(server.pid);
  for (let i = 0; i < 100; i += 1) {
    const payload = (j) => `${i * 100 + j}`.padStart(125, '0');
    raw.write(Buffer.concat(Array.from({ length: 100 }, (_, j) => frame(opcode.ping, payload(j)))));
  }
  await witness.settled();
  raw.resume();
  for (;;) {
    const pong = await raw.nextOf(opcode.pong);
    if (Number(pong.payload) === 9_999) break;
  }
  assert.ok(residentKib(server.pid) - before < 2 * 1024, 'memory grew');
  raw.end();
});

test('many messages in one packet, and one message in many packets', async () => {
  const raw = await member();
  raw.socket.setNoDelay(true);
  const bytes = Buffer.concat(Array.from({ length: 50 }, (_, i) => text({ type: 'ping', id: i, t1: i })));
  raw.write(bytes);
  for (let i = 0; i < 50; i += 1) assert.equal((await raw.nextMessage('pong')).id, i);
  for (const byte of text({ type: 'ping', id: 'slow', t1: 0 })) {
    raw.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  assert.equal((await raw.nextMessage('pong')).id, 'slow');
  raw.end();
});
