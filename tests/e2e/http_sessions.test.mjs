// Sessions over plain HTTP: made, looked at, ended; and what is said of every misuse.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { HttpConnection, ask, assertError, requestText } from '../support/http_connection.mjs';
import { startServer } from '../support/server.mjs';

const UNKNOWN = '0b8ff5c5-2a9f-4f1d-8d23-3b2a1e6f9c11';
const FIRST = patternBytes(5_000, 1);
const SECOND = patternBytes(6_000, 2);
let server;
let media;

before(async () => {
  media = await makeFolder({ 'alpha first.mp4': FIRST, 'beta second.webm': SECOND });
  // Two workers: a session's home is often another thread than the connection's.
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--workers', '2'] });
});
after(async () => {
  await server?.stop();
  await media?.remove();
});

const request = (method, target, headers, body) => ask(server.origin, method, target, headers, body);

async function create(order, headers = {}) {
  const answer = await request('POST', '/api/sessions', headers, order === undefined ? '' : JSON.stringify(order));
  assert.equal(answer.status, 201, String(answer.body));
  return { ...JSON.parse(answer.body), answer };
}

test('a session is made with nothing said, and has what its maker needs', async () => {
  const { key, hostToken, url, answer } = await create();
  assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(hostToken, /^[0-9a-f]{32}$/);
  assert.equal(url, `/player.html?session=${key}`);
  assert.equal(answer.headers.location, `/api/sessions/${key}`);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['cache-control'], 'no-store');
});

test('keys and tokens never repeat', async () => {
  const made = await Promise.all(Array.from({ length: 200 }, () => create()));
  assert.equal(new Set(made.map(({ key }) => key)).size, 200);
  assert.equal(new Set(made.map(({ hostToken }) => hostToken)).size, 200);
});

test('what is said of a session: its video, settings, members, state, the time', async () => {
  const { key } = await create({ video: 'beta-second', control: 'everyone', onStall: 'wait', queue: 'host' });
  const beforeMs = Date.now();
  const answer = await request('GET', `/api/sessions/${key}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['cache-control'], 'no-store');
  const info = JSON.parse(answer.body);
  assert.deepEqual(Object.keys(info).sort(), ['control', 'controllers', 'door', 'key', 'members',
    'onStall', 'queue', 'serverTimeMs', 'state', 'video']);
  assert.equal(info.key, key);
  assert.equal(info.control, 'everyone');
  assert.equal(info.onStall, 'wait');
  assert.equal(info.queue, 'host');
  assert.equal(info.members, 0);
  assert.equal(info.video.id, 'beta-second');
  assert.equal(info.state.playing, false);
  assert.equal(info.state.position, 0);
  assert.equal(info.state.rate, 1);
  assert.equal(info.state.video, 'beta-second');
  assert.ok(Math.abs(info.serverTimeMs - beforeMs) < 5_000);
  assert.ok(!String(answer.body).includes('oken'), 'no token is told');
});

test('before joining one answer tells all: the library\'s whole entry, and whoever asks is nobody here', async () => {
  const { key } = await create({ video: 'beta-second' });
  for (let asked = 0; asked < 3; asked += 1) {
    const { video, members, state } = JSON.parse((await request('GET', `/api/sessions/${key}`)).body);
    const { videos } = JSON.parse((await request('GET', '/api/videos')).body);
    assert.deepEqual(video, videos.find(({ id }) => id === 'beta-second'));
    assert.deepEqual([members, state.seq, state.epoch], [0, 0, 0], 'no member, no host');
  }
});

test('settings left out are the defaults', async () => {
  const { key } = await create({});
  const info = JSON.parse((await request('GET', `/api/sessions/${key}`)).body);
  assert.equal(info.control, 'host');
  assert.equal(info.onStall, 'continue');
  assert.equal(info.door, 'open');
  assert.equal(info.video.id, 'alpha-first');
});

test('a session that cannot be made is refused with the reason', async () => {
  const json = { 'Content-Type': 'application/json' };
  for (const [body, code] of [
    ['{', 'bad_json'], ['[]', 'bad_message'], ['"x"', 'bad_message'], ['{"control":"nobody"}', 'bad_message'],
    ['{"onStall":1}', 'bad_message'], ['{"video":7}', 'bad_message'], ['{} {}', 'bad_json'],
    [`${'['.repeat(40)}${']'.repeat(40)}`, 'bad_json'], ['{"video":"\xff"}', 'bad_json'],
  ]) {
    const bytes = Buffer.from(body, 'latin1');
    const connection = await HttpConnection.open(server.origin);
    connection.write(requestText('POST', '/api/sessions', { ...json, 'Content-Length': bytes.length })).write(bytes);
    assertError(await connection.readAnswer(), 400, code);
    connection.close();
  }
  const missing = await request('POST', '/api/sessions', json, '{"video":"no-such"}');
  assert.ok(missing.status === 400 || missing.status === 404);
  assertError(missing, missing.status, 'no_such_video');
});

test('bodies that are not JSON by their own word are 415', async () => {
  for (const type of ['application/xml', 'multipart/form-data; boundary=x', 'video/mp4']) {
    assertError(await request('POST', '/api/sessions', { 'Content-Type': type }, '{}'), 415, 'unsupported_media_type');
  }
  assertError(await request('POST', '/api/sessions', { 'Content-Encoding': 'gzip' }, '{}'), 415);
  await create({}, { 'Content-Type': 'Application/JSON ; charset=utf-8' });
});

test('validate: true for a session, false for anything else', async () => {
  const { key } = await create();
  const validate = async (text) => {
    const answer = await request('GET', `/api/sessions/${text}/validate`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['cache-control'], 'no-store');
    return JSON.parse(answer.body);
  };
  assert.deepEqual(await validate(key), { valid: true, key });
  assert.deepEqual(await validate(key.toUpperCase()), { valid: true, key });
  for (const text of [UNKNOWN, 'nonsense', '', `${key}0`, key.replace('-', ''), '%20']) {
    assert.deepEqual(await validate(text), { valid: false }, text);
  }
});

test('a session nobody knows is 404 everywhere', async () => {
  for (const key of [UNKNOWN, 'nonsense']) {
    assertError(await request('GET', `/api/sessions/${key}`), 404, 'session_not_found');
    assertError(await request('GET', `/api/video?session=${key}`), 404, 'session_not_found');
    assertError(await request('DELETE', `/api/sessions/${key}`, { Authorization: `Bearer ${'0'.repeat(32)}` }), 404, 'session_not_found');
  }
  assertError(await request('GET', `/api/sessions/${UNKNOWN}/other`), 404, 'not_found');
});

test('only the holder of the host token ends a session, and it is gone', async () => {
  const { key, hostToken } = await create();
  const end = (headers) => request('DELETE', `/api/sessions/${key}`, headers);
  const unasked = await end({});
  assertError(unasked, 401);
  assert.match(unasked.headers['www-authenticate'], /^Bearer/);
  assertError(await end({ Authorization: `Basic ${hostToken}` }), 401);
  assertError(await end({ Authorization: `Bearer ${'0'.repeat(32)}` }), 403);
  assertError(await end({ Authorization: 'Bearer nonsense' }), 403);
  assert.deepEqual(JSON.parse((await request('GET', `/api/sessions/${key}/validate`)).body), { valid: true, key });
  const ended = await end({ Authorization: `bearer ${hostToken}` });
  assert.equal(ended.status, 204);
  assert.equal(ended.headers['content-length'], undefined);
  assertError(await end({ Authorization: `Bearer ${hostToken}` }), 404, 'session_not_found');
  assert.deepEqual(JSON.parse((await request('GET', `/api/sessions/${key}/validate`)).body), { valid: false });
});

test('the video: the default, by id, of a session, and ranges of each', async () => {
  const { key } = await create({ video: 'beta-second' });
  for (const [target, bytes, type] of [
    ['/api/video', FIRST, 'video/mp4'],
    ['/api/video?id=beta-second', SECOND, 'video/webm'],
    [`/api/video?session=${key}`, SECOND, 'video/webm'],
    [`/api/video?t=12&session=${key}`, SECOND, 'video/webm'],
  ]) {
    const answer = await request('GET', target);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], type);
    assert.ok(answer.body.equals(bytes));
    const part = await request('GET', target, { Range: 'bytes=100-199' });
    assert.equal(part.status, 206);
    assert.ok(part.body.equals(bytes.subarray(100, 200)));
  }
  assertError(await request('GET', '/api/video?id=none'), 404, 'video_not_found');
});

test('no Origin is asked of the HTTP API, a foreign one gets no permission', async () => {
  const answer = await request('POST', '/api/sessions', { Origin: 'https://evil.example' });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
});

test('/ws without an upgrade is 426, with a foreign Origin 403, without a session 404', async () => {
  const { key } = await create();
  const plain = await request('GET', `/ws?session=${key}`);
  assertError(plain, 426, 'upgrade_required');
  assert.equal(plain.headers.upgrade, 'websocket');
  const upgrade = {
    Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  assertError(await request('GET', `/ws?session=${UNKNOWN}`, { ...upgrade, Origin: 'https://evil.example' }), 403);
  assertError(await request('GET', `/ws?session=${UNKNOWN}`, upgrade), 404, 'session_not_found');
  assertError(await request('GET', '/ws', upgrade), 404, 'session_not_found');
  assertError(await request('GET', `/ws?session=${UNKNOWN}`, { ...upgrade, 'Sec-WebSocket-Key': 'short' }), 400);
  const old = await request('GET', `/ws?session=${key}`, { ...upgrade, 'Sec-WebSocket-Version': '8' });
  assertError(old, 426);
  assert.equal(old.headers['sec-websocket-version'], '13');
});
