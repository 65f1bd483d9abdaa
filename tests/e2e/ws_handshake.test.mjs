// How a WebSocket opens, and why it may not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSession, join, refusal, sleep } from '../support/member.mjs';
import { connectRaw, frame, handshake, joinRaw, opcode, text } from '../support/raw_websocket.mjs';
import { startServer } from '../support/server.mjs';

const UNKNOWN = '1b4e28ba-2fa1-4d3b-a1c5-0123456789ab';
let server;
let key;

before(async () => {
  server = await startServer({
    args: ['--media', 'tests/support', '--session-rate', '0', '--allow-origin', 'https://friends.example'],
  });
  ({ key } = await createSession(server));
});

after(() => server?.stop());

// The status line of the answer to a raw handshake.
async function answerTo(query, fields) {
  const raw = await connectRaw(server);
  raw.write(handshake(server, query, fields));
  const head = await raw.readHead();
  raw.end();
  return head;
}

const statusOf = (head) => Number(head.split(' ')[1]);

test('the answer is 101 with the accept value of RFC 6455, 1.3', async () => {
  const head = await answerTo({ session: key });
  assert.equal(statusOf(head), 101);
  assert.match(head, /^upgrade: websocket\r$/im);
  assert.match(head, /^connection: upgrade\r$/im);
  assert.match(head, /^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/im);
  assert.doesNotMatch(head, /extensions|content-length/i);
});

test('extensions and subprotocols that are offered are not taken', async () => {
  const head = await answerTo(
    { session: key },
    { 'Sec-WebSocket-Extensions': 'permessage-deflate', 'Sec-WebSocket-Protocol': 'chat' },
  );
  assert.equal(statusOf(head), 101);
  assert.doesNotMatch(head, /sec-websocket-(extensions|protocol)/i);
});

test('a session that is not there is refused with 404', async () => {
  for (const session of [UNKNOWN, 'nonsense', '', key.toUpperCase().replaceAll('-', '')]) {
    const { status, body } = await refusal(server, { session });
    assert.equal(status, 404, session);
    assert.equal(body.error.code, 'session_not_found');
  }
  assert.equal((await refusal(server, {})).status, 404);
});

test('a foreign origin is refused, the same host and the listed one are not', async () => {
  const foreign = ['https://evil.example', `${server.origin}1`, 'null', 'http://friends.example', ''];
  for (const origin of foreign) {
    const head = await answerTo({ session: key }, { Origin: origin });
    assert.equal(statusOf(head), 403, origin);
  }
  for (const origin of [server.origin, 'https://friends.example', null]) {
    const head = await answerTo({ session: key }, { Origin: origin });
    assert.equal(statusOf(head), 101, origin);
  }
});

test('of several hosts that were forwarded the one that the trusted proxy wrote last is compared', async () => {
  const proxied = await startServer({ args: ['--media', 'tests/support', '--trusted-proxy', '127.0.0.1'] });
  try {
    const session = await createSession(proxied);
    const statusFor = async (origin, hosts) => {
      const raw = await connectRaw(proxied);
      raw.write(handshake(proxied, { session: session.key }, { Origin: origin, ...hosts }));
      const head = await raw.readHead();
      raw.end();
      return statusOf(head);
    };
    const lines = { 'X-Forwarded-Host': 'evil.example', 'x-forwarded-host': 'watch.example' };
    assert.equal(await statusFor('https://watch.example', lines), 101);
    assert.equal(await statusFor('https://evil.example', lines), 403);
    assert.equal(await statusFor('https://evil.example', { 'X-Forwarded-Host': 'evil.example, watch.example' }), 403);
  } finally {
    await proxied.stop();
  }
});

test('what is no WebSocket of version 13 is told 426', async () => {
  for (const fields of [
    { Upgrade: null, Connection: null },
    { Upgrade: 'h2c' },
    { 'Sec-WebSocket-Version': '8' },
    { 'Sec-WebSocket-Version': null },
  ]) {
    const head = await answerTo({ session: key }, fields);
    assert.equal(statusOf(head), 426, JSON.stringify(fields));
    assert.match(head, /^upgrade: websocket\r$/im);
    assert.match(head, /^sec-websocket-version: 13\r$/im);
  }
  const plain = await fetch(`${server.origin}/ws?session=${key}`);
  assert.equal(plain.status, 426);
});

test('a malformed handshake is told 400', async () => {
  for (const fields of [
    { Connection: 'keep-alive' },
    { 'Sec-WebSocket-Key': null },
    { 'Sec-WebSocket-Key': 'c2hvcnQ=' },
    { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' },
  ]) {
    assert.equal(statusOf(await answerTo({ session: key }, fields)), 400, JSON.stringify(fields));
  }
  const raw = await connectRaw(server);
  raw.write(`${handshake(server, { session: key }, { 'Content-Length': '3' })}abc`);
  assert.equal(statusOf(await raw.readHead()), 400);
  raw.end();
});

test('another method is told 405', async () => {
  const response = await fetch(`${server.origin}/ws?session=${key}`, { method: 'POST' });
  assert.equal(response.status, 405);
  assert.match(response.headers.get('allow'), /GET/);
});

test('a connection that was refused can be used again', async () => {
  const raw = await connectRaw(server);
  raw.write(handshake(server, { session: UNKNOWN }));
  assert.equal(statusOf(await raw.readHead()), 404);
  raw.end();
});

test('the query gives a name, trimmed and decoded', async () => {
  const member = await join(server, key, { name: '  Zoë & Ko ☕ ' });
  assert.equal(member.welcome.you.name, 'Zoë & Ko ☕');
  await member.close();
  const guest = await join(server, key);
  assert.match(guest.welcome.you.name, /^Guest \d+$/);
  await guest.close();
});

test('a name is cleaned of what cannot be seen, when joining and later', async () => {
  const member = await join(server, key, { name: '\u202aAnn\u202c\tLee\0\u200b' });
  assert.equal(member.welcome.you.name, 'Ann Lee');
  member.send('name', { name: '\u2066می\u200cخواهم\u2069 👨\u200d👩\u200d👧' });
  const { changed } = await member.next('members', ({ changed: list }) => list.length > 0);
  assert.equal(changed[0].name, 'می\u200cخواهم 👨\u200d👩\u200d👧');
  member.send('name', { name: '\u200b\u2066' });
  assert.deepEqual(await member.next('error').then(({ code, re }) => [code, re]), ['out_of_range', 'name']);
  await member.close();
});

test('a name of which nothing is left, or too much, is refused with 400', async () => {
  for (const name of ['x'.repeat(41), '  ', '\0\t', '\u200b', '\u2028', '\u2066\u2069']) {
    const { status, body } = await refusal(server, { session: key, name });
    assert.equal(status, 400);
    assert.equal(body.error.code, 'bad_name');
  }
  const raw = await connectRaw(server);
  raw.write(handshake(server, { session: key, name: 'x' }).replace('name=x', 'name=%ff'));
  assert.equal(statusOf(await raw.readHead()), 400, 'no UTF-8');
  raw.end();
  const longest = await join(server, key, { name: 'é'.repeat(40) });
  assert.equal(longest.welcome.you.name, 'é'.repeat(40));
  await longest.close();
});

test('tokens that are wrong or malformed are ignored', async () => {
  const session = await createSession(server);
  const first = await join(server, session.key);
  for (const query of [
    { resume: 'nonsense' },
    { resume: `${first.resume.slice(0, -1)}${first.resume.endsWith('0') ? 1 : 0}` },
    { host: 'f'.repeat(32) },
    { host: '' },
  ]) {
    const other = await join(server, session.key, query);
    assert.notEqual(other.id, first.id);
    assert.equal(other.welcome.you.role, 'participant');
    await other.close();
  }
  await first.close();
});

test('frames in the packet of the handshake are answered, after welcome', async () => {
  const first = Buffer.concat([
    text({ type: 'ping', id: 1, t1: 2 }),
    text('no json'),
    frame(opcode.ping, 'early'),
    text({ type: 'chat', text: 'early bird' }),
  ]);
  const raw = await joinRaw(server, key, { first });
  assert.equal(statusOf(raw.head), 101);
  const welcome = await raw.nextFrame();
  assert.equal(JSON.parse(welcome.payload).type, 'welcome');
  assert.equal((await raw.nextMessage('pong')).id, 1);
  assert.equal((await raw.nextMessage('error')).code, 'bad_json');
  assert.equal((await raw.nextOf(opcode.pong)).payload.toString(), 'early');
  assert.equal((await raw.nextMessage('chat')).text, 'early bird');
  raw.end();
});

test('a handshake that comes byte by byte, and its first frame too', async () => {
  const raw = await connectRaw(server);
  raw.socket.setNoDelay(true);
  const bytes = Buffer.concat([Buffer.from(handshake(server, { session: key })), text({ type: 'ping', id: 7, t1: 7 })]);
  for (let i = 0; i < bytes.length; i += 1) {
    raw.write(bytes.subarray(i, i + 1));
    if (i % 16 === 0) await sleep(1);
  }
  assert.equal(statusOf(await raw.readHead()), 101);
  assert.equal((await raw.nextMessage('pong')).id, 7);
  raw.end();
});

test('a client that leaves during the handshake leaves no member behind', async () => {
  const session = await createSession(server);
  for (let i = 0; i < 20; i += 1) {
    const raw = await connectRaw(server);
    raw.write(handshake(server, { session: session.key }));
    if (i % 2) raw.socket.end();
    else raw.socket.resetAndDestroy();
  }
  const member = await join(server, session.key);
  for (let tries = 0; ; tries += 1) {
    const info = await (await fetch(`${server.origin}/api/sessions/${session.key}`)).json();
    if (info.members === 1) break;
    assert.ok(tries < 200, `${info.members} members`);
    await sleep(20);
  }
  await member.close();
});
