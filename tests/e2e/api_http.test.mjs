// A real server's answers, held against docs/openapi.yaml: every route, with success and with each refusal.
import assert from 'node:assert/strict';
import path from 'node:path';
import { rm, stat, writeFile } from 'node:fs/promises';
import test, { after, before } from 'node:test';
import { holdAnswer, operations, responsesOf } from '../support/api_files.mjs';
import { makeFilm } from '../support/films.mjs';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { fetchPatiently } from '../support/forms.mjs';
import { HttpConnection, ask, exchange, requestText } from '../support/http_connection.mjs';
import { ffmpeg } from '../support/loops.mjs';
import { join, knock } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { makePgs } from '../support/pgs.mjs';
import { handshake } from '../support/raw_websocket.mjs';
import { startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';

const UNKNOWN = '1b4e28ba-2fa1-4d3b-a1c5-0123456789ab';
const WORDS = '1\n00:00:01,000 --> 00:00:02,000\nHi\n';
const TRAILER = 'One Film (2001)/One Film (2001)-trailer.mp4';
const SITE = 'https://films.example';
const HANDSHAKE = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };

// What takes a Redis or a storage that fails in its own way; who sees to it.
const SEEN_ELSEWHERE = {
  'health 503': 'supervised',
  'debugSessions 403 forbidden': 'debug_sessions',
  'mediaFile 503 unavailable': 'hanging_storage',
  'filmFacts 503 unavailable': 'forms_faults',
  'formFile 503 unavailable': 'forms_faults',
  'filmFacts 503 busy': 'of formFile here, by the same function',
};

let folder;
let cache;
let server;
const servers = [];
const seen = new Set();

before(async () => {
  folder = await makeFolder({
    'One Film (2001)/One Film (2001) - 720p.mp4': patternBytes(300_000),
    'One Film (2001)/One Film (2001) - 1080p.en.sdh.srt': WORDS,
    'One Film (2001)/One Film (2001) - 1080p.srt': WORDS,
    'One Film (2001)/poster.jpg': patternBytes(1_000),
    [TRAILER]: patternBytes(5_000),
    'Show/Season 01/Show S01E01 - Pilot.mp4': patternBytes(5_000),
    'Show/Season 01/Show S01E02.mp4': patternBytes(5_000),
    'Stream/master.m3u8': '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\nv.m3u8\n',
  });
  cache = await makeFolder();
  const plain = cache.path('plain.mkv');
  await makeFilm(plain, { seconds: 6, picture: 'h264', sounds: [{ codec: 'ac3', lang: 'ger' }] });
  await writeFile(cache.path('a.sup'), makePgs([320, 180], [{ from: 0, to: 900, x: 8, y: 8, w: 16, h: 16 }]));
  await writeFile(cache.path('a.srt'), WORDS);
  await ffmpeg('-i', plain, '-i', cache.path('a.srt'), '-i', cache.path('a.sup'), '-map', 0, '-map', 1, '-map', 2, '-c', 'copy',
    folder.path('One Film (2001)/One Film (2001) - 1080p.mkv'));
  server = await start('--session-rate', '0', '--code-rate', '0', '--allow-source', SITE);
  await until(async () => (await listed(({ forms }) => forms?.length === 3)).length === 1, 'the film to be known', 60_000);
});

after(async () => {
  for (const one of servers) await one.stop();
  await folder?.remove();
  await cache?.remove();
});

async function start(...args) {
  const one = await startServer({ args: ['--media', folder.directory, '--workers', '1', ...args], env: { VIDEOSYNC_CACHE: cache.path('made') } });
  servers.push(one);
  return one;
}

const listed = async (filter) => (await (await fetch(`${server.origin}/api/videos`)).json()).videos.filter(filter).map(({ id }) => id);

// Holds the answer against the file. Resolves to it, with its JSON as `said`.
function hold(method, target, answer, status) {
  const { seen: what, faults } = holdAnswer(method, target, answer);
  assert.deepEqual(faults, [], `${method} ${target}: ${answer.status} ${String(answer.body).slice(0, 500)}`);
  assert.equal(answer.status, status, `${method} ${target}: ${answer.body}`);
  seen.add(what);
  const isJson = answer.headers['content-type'] === 'application/json' && answer.body.length > 0;
  return isJson ? { ...answer, said: JSON.parse(answer.body) } : answer;
}

async function look(status, target, { at = server, origin = at.origin, method = 'GET', headers = {}, body = '' } = {}) {
  return hold(method, target, await ask(origin, method, target, { Host: new URL(origin).host, ...headers }, body), status);
}

const post = (status, body, more) => look(status, '/api/sessions', { method: 'POST', body, ...more });
const tell = (status, more) => look(status, '/api/password', { method: 'POST', ...more });
const bearer = (token) => ({ headers: { Authorization: `Bearer ${token}` } });

// What each kind of file does with the conditions and ranges of a request.
async function lookAtFile(target, { hasRanges = true, mayMatch = true, at } = {}) {
  const { headers } = await look(200, target, { at });
  await look(200, target, { at, method: 'HEAD' });
  await look(304, target, { at, headers: { 'If-None-Match': headers.etag } });
  if (mayMatch) await look(412, target, { at, headers: { 'If-Match': '"another"' } });
  if (!hasRanges) return;
  await look(206, target, { at, headers: { Range: 'bytes=0-3' } });
  await look(206, target, { at, headers: { Range: 'bytes=0-0,2-3' } });
  await look(416, target, { at, headers: { Range: 'bytes=99999999-' } });
}

test('sessions', async () => {
  await post(201);
  const { key, code, hostToken } = (await post(201, '{"control":"everyone","onStall":"wait","queue":"host","door":"open"}')).said;
  await post(400, '{');
  await post(400, '{"door":"ajar"}');
  await post(400, '{"video":"no-such"}');
  await post(415, '{}', { headers: { 'Content-Type': 'text/xml' } });
  for (const name of [key, code, UNKNOWN, 'nonsense']) await look(200, `/api/sessions/${name}/validate`);
  await look(200, `/api/sessions/${key}`, { method: 'HEAD' });
  assert.equal((await look(200, `/api/sessions/${key}`)).said.code, undefined);
  assert.equal((await look(200, `/api/sessions/${key}`, bearer(hostToken))).said.code, code);
  await look(404, `/api/sessions/${UNKNOWN}`);
  await look(302, `/r/${code}`);
  await look(404, '/r/ZZZZZZZZ');
  await look(404, '/api/sessions/a/b/c');
  const end = (status, its, more) => look(status, `/api/sessions/${its}`, { method: 'DELETE', ...more });
  await end(401, key);
  await end(403, key, bearer('0'.repeat(32)));
  await end(204, key, bearer(hostToken));
  await end(404, key, bearer(hostToken));
});

test('a session that watches a film of another site', async () => {
  const { key } = (await post(201)).said;
  const ann = await join(server, key);
  ann.send('settings', { audioLanguage: 'de', controllers: [ann.id] });
  ann.send('load', { url: `${SITE}/film.mp4` });
  await ann.next('state');
  await look(200, `/api/sessions/${key}`);
  await look(307, `/api/video?session=${key}`);
  await ann.close();
});

test('the library', async () => {
  const { videos } = (await look(200, '/api/videos')).said;
  const has = (field, find) => assert.ok(videos.some(find), `no video of this library has ${field}`);
  for (const field of ['year', 'show', 'extra', 'duration', 'hls', 'poster', 'versions', 'tracks', 'forms']) has(field, (video) => video[field] !== undefined);
  has('captions of a kind', ({ captions }) => captions.some(({ kind }) => kind));
  has('pictures', ({ tracks }) => tracks?.subtitles.some(({ pictures }) => pictures));
  await lookAtFile('/api/videos', { hasRanges: false, mayMatch: false });
  const { folders } = (await look(200, '/api/videos?folder=&order=newest')).said;
  assert.ok(folders.length > 0);
  const { next } = (await look(200, '/api/videos?limit=2')).said;
  await look(200, `/api/videos?limit=2&after=${next}`);
  await look(200, '/api/videos?query=film');
  for (const wrong of ['limit=0', 'after=no-such', 'order=odd']) await look(400, `/api/videos?${wrong}`);
});

test('files of the library', async () => {
  await lookAtFile('/api/video');
  await look(404, '/api/video?id=no-such');
  await look(404, `/api/video?session=${UNKNOWN}`);
  const [stream] = await listed(({ hls }) => hls);
  await look(307, `/api/video?id=${stream}`);
  await lookAtFile('/media/Stream/master.m3u8');
  await look(404, '/media/no-such.jpg');
  await folder.add('Gone.mp4', patternBytes(2_000, 3));
  process.kill(server.pid, 'SIGHUP');
  await until(async () => (await listed(({ id }) => id === 'gone')).length === 1, 'the new film');
  await rm(folder.path('Gone.mp4'));
  await look(404, '/api/video?id=gone');
});

test('forms of films', async () => {
  const { videos } = (await look(200, '/api/videos')).said;
  const film = videos.find(({ forms }) => forms?.length === 3);
  await look(404, '/forms/no-such/film.json');
  await lookAtFile(`/forms/${film.id}/film.json`, { hasRanges: false });
  const [unreadable] = videos.filter(({ extra }) => extra).map(({ id }) => id);
  await look(422, `/forms/${unreadable}/film.json`);
  const copy = film.forms.find(({ form }) => form === 'copy').url;
  const base = copy.slice(0, copy.lastIndexOf('/') + 1);
  // What is not made within the time of an answer is to be asked for again.
  const subtitles = film.tracks.subtitles.map(({ url, pictures }) => url ?? `${pictures.url}0.json`);
  for (const target of [copy, `${base}sound-1/index.m3u8`, `${base}copy/0.m4s`, ...subtitles]) await fetchPatiently(new URL(target, server.origin));
  await lookAtFile(copy, { hasRanges: false });
  await look(200, `${base}copy/index.m3u8`);
  await look(200, `${base}sound-1/index.m3u8`);
  await look(200, `${base}copy/0.m4s`, { method: 'HEAD' });
  await look(200, `${base}copy/init.mp4`);
  await lookAtFile(`${base}copy/0.m4s`);
  for (const target of subtitles) await look(200, target);
  await look(404, `${base}copy/999.m4s`);
  await look(404, copy.replace(/\/[^/]+\/copy\.m3u8$/, '/1-1/copy.m3u8'));
  await look(422, `/forms/${unreadable}/${await versionOf(TRAILER)}/transcode.m3u8`);
  await busy(`${base}480p/0.m4s`);
});

// As it stands in the addresses of its forms.
async function versionOf(file) {
  const { size, mtimeNs } = await stat(folder.path(file), { bigint: true });
  return `${size.toString(16)}-${mtimeNs.toString(16)}`;
}

// Who has left, as far as the server can see, is told that.
async function busy(target) {
  const connection = await HttpConnection.open(server.origin);
  try {
    hold('GET', target, await connection.write(requestText('GET', target)).endInput().readAnswer(), 503);
  } finally {
    connection.close();
  }
}

test('pages', async () => {
  await lookAtFile('/', { hasRanges: false });
  await lookAtFile('/player.html?session=1', { hasRanges: false });
  const page = String((await look(200, '/')).body);
  await lookAtFile(/src="(\/[^"]+\.js)"/.exec(page)[1], { hasRanges: false });
  await look(404, '/no-such.js');
  const empty = await start('--www', cache.directory);
  for (const gone of ['/', '/player.html', '/r/nonsense']) await look(404, gone, { at: empty });
});

test('the WebSocket before it is one', async () => {
  const { key } = (await post(201)).said;
  const ws = (status, query = {}, headers = HANDSHAKE, method = 'GET') => look(status, `/ws?${new URLSearchParams({ session: key, ...query })}`, { headers, method });
  await ws(101);
  await ws(426, {}, {});
  await ws(405, {}, HANDSHAKE, 'POST');
  await ws(400, {}, { ...HANDSHAKE, 'Sec-WebSocket-Key': 'x' });
  await ws(400, { name: '\u200b' });
  await ws(403, {}, { ...HANDSHAKE, Origin: 'https://evil.example' });
  await ws(404, { session: UNKNOWN });
  const ann = await join(server, key);
  await ws(503, { resume: ann.resume, held: `${ann.welcome.state.epoch + 1}.0` });
  await ann.close();
});

test('doors', async () => {
  const { key, hostToken } = (await post(201, '{"door":"locked"}')).said;
  const ws = (status, headers = {}) => look(status, `/ws?session=${key}`, { headers: { ...HANDSHAKE, ...headers } });
  await ws(403);
  const ann = await join(server, key, { host: hostToken });
  ann.send('settings', { door: 'open' });
  await ann.next('settings');
  const ben = await join(server, key);
  ann.send('kick', { id: ben.id });
  await ben.closed;
  await ws(403, { Cookie: ben.cookie });
  ann.send('settings', { door: 'knock' });
  await ann.next('settings');
  for (let i = 0; i < 50; i += 1) await knock(server, key);
  await ws(503);
});

test('what is refused at every address', async () => {
  const refuse = async (status, bytes, at = server) => {
    const [method, target] = bytes.split(' ');
    hold(/^[A-Z]+$/.test(method) ? method : 'GET', target?.startsWith('/') ? target : '/', await exchange(at.origin, bytes, {}), status);
  };
  await refuse(400, 'GET / HTTP/1.1\r\nHost: a:b:c\r\n\r\n');
  await refuse(405, requestText('POST', '/api/videos'));
  await refuse(413, requestText('POST', '/api/sessions', { 'Content-Length': 70_000 }));
  await refuse(414, `GET /${'a'.repeat(9_000)} HTTP/1.1\r\n\r\n`);
  await refuse(417, requestText('POST', '/api/sessions', { Expect: 'a-miracle' }, '{}'));
  await refuse(431, requestText('GET', '/', { X: 'a'.repeat(17_000) }));
  await refuse(501, requestText('BREW', '/'));
  await refuse(505, 'GET / HTTP/3.0\r\n\r\n');
  const brief = await start('--header-timeout', '1s');
  await refuse(408, 'GET / HTTP/1.1\r\n', brief);
  assert.equal((await fetch(server.origin, { method: 'OPTIONS' })).status, 204);
});

test('limits', async () => {
  const strict = await start('--session-rate', '1', '--code-rate', '1', '--max-members', '1');
  const { key } = (await post(201, '', { at: strict })).said;
  await until(async () => (await ask(strict.origin, 'POST', '/api/sessions')).status === 429, 'the rate of sessions', 5_000, 1);
  await post(429, '', { at: strict });
  for (let i = 0; i < 5; i += 1) await ask(strict.origin, 'GET', '/r/ZZZZZZZZ');
  await look(429, '/r/ZZZZZZZZ', { at: strict });
  await look(429, '/api/sessions/ZZZZZZZZ/validate', { at: strict });
  const ann = await join(strict, key);
  await look(503, `/ws?session=${key}`, { at: strict, headers: HANDSHAKE });
  await ann.close();
  const small = await start('--max-sessions', '1', '--max-per-address', '1', '--session-rate', '0', '--trusted-proxy', '127.0.0.0/8');
  const { key: only } = (await post(201, '', { at: small })).said;
  await post(503, '', { at: small });
  const from = { 'X-Forwarded-For': '198.51.100.1' };
  const ben = await join(small, only, {}, { headers: from });
  await look(503, `/ws?session=${only}`, { at: small, headers: { ...HANDSHAKE, ...from } });
  await ben.close();
  const crowded = await start('--max-per-address', '1');
  // The kernel hands a silent one over seconds later, and then perhaps while another has the only place.
  const first = await HttpConnection.open(crowded.origin);
  first.write('GET / HTTP/1.1\r\n');
  await until(async () => (await readMetric(crowded, 'connections')) === 1, 'the only place is taken');
  await look(503, '/', { at: crowded });
  first.close();
});

test('a server that asks for its password', async () => {
  const [shut, strict] = [await start('--create-password', 'sesame', '--code-rate', '0'), await start('--create-password', 'sesame', '--code-rate', '1')];
  const said = (password) => ({ headers: { Authorization: `Basic ${btoa(`:${password}`)}` } });
  const told = await tell(204, { at: shut, ...said('sesame') });
  assert.match(told.headers['set-cookie'], /^videosync_password=/);
  await tell(204, said('whatever')); // none is asked for there
  const { key } = (await post(201, '', { at: shut, ...said('sesame') })).said;
  for (const about of [`/api/sessions/${key}`, `/api/sessions/${key}/validate`]) {
    assert.match((await look(200, about, { at: shut })).headers['set-cookie'], /^videosync_viewer=/);
  }
  for (const more of [{}, said('guess')]) {
    await tell(401, { at: shut, ...more });
    await post(401, '', { at: shut, ...more });
    await look(401, '/api/videos', { at: shut, ...more });
  }
  await ask(strict.origin, 'GET', '/api/videos', said('guess').headers);
  await until(async () => (await ask(strict.origin, 'GET', '/api/videos', said('guess').headers)).status === 429, 'the rate of passwords', 5_000, 1);
  await tell(429, { at: strict, ...said('guess') });
  await look(429, '/api/videos', { at: strict, ...said('guess') });
  for (const target of ['/api/video', '/media/no-such', '/forms/no-such/film.json', '/forms/no-such/1-2/a.m3u8']) {
    await look(403, target, { at: shut });
    await look(401, target, { at: shut, ...said('guess') });
    await look(404, `${target}?session=${UNKNOWN}`, { at: shut });
    await look(429, target, { at: strict, ...said('guess') });
  }
  await look(200, `/api/video?session=${key}`, { at: shut });
});

test('a server that is about to end', async () => {
  const ending = await start('--drain', '3s');
  const { key } = (await post(201, '', { at: ending })).said;
  const ann = await join(ending, key);
  await look(200, '/healthz', { origin: ending.adminOrigin });
  await look(200, '/readyz', { origin: ending.adminOrigin });
  await look(200, '/metrics', { origin: ending.adminOrigin });
  await look(200, '/debug/sessions', { origin: ending.adminOrigin });
  await look(400, '/debug/sessions?limit=-1', { origin: ending.adminOrigin });
  await look(404, '/no-such', { origin: ending.adminOrigin });
  const late = await HttpConnection.open(ending.origin);
  const words = handshake(ending, { session: key });
  late.write(words.slice(0, 30));
  for (let turn = 0; turn < 4; turn += 1) await ann.settled();
  process.kill(ending.pid, 'SIGTERM');
  await ann.next('notice');
  await look(503, '/readyz', { origin: ending.adminOrigin });
  hold('GET', `/ws?session=${key}`, await late.write(words.slice(30)).readAnswer(), 503);
  late.close();
});

test('a node whose store is away', async () => {
  const node = await start('--redis', 'redis://127.0.0.1:1', '--session-rate', '0');
  const of = (status, target, more) => look(status, target, { at: node, ...more });
  await of(503, '/readyz', { origin: node.adminOrigin });
  await post(503, '', { at: node });
  await of(503, `/api/sessions/${UNKNOWN}/validate`);
  await of(503, `/api/sessions/${UNKNOWN}`);
  await of(503, `/api/sessions/${UNKNOWN}`, { method: 'DELETE', ...bearer('0'.repeat(32)) });
  await of(503, '/r/7K3MQ0TZ');
  await of(503, `/api/video?session=${UNKNOWN}`);
  await of(503, `/ws?session=${UNKNOWN}`, { headers: HANDSHAKE });
  // Whose cookies count it does not know yet.
  const shut = await start('--redis', 'redis://127.0.0.1:1', '--create-password', 'sesame');
  await look(503, '/media/no-such', { at: shut });
});

test('nothing that is described was left out', () => {
  const described = new Set(operations.filter(({ route }) => !route.startsWith('/api/uploads')).flatMap((one) => responsesOf(one).filter(({ status }) => status !== 'default').flatMap(({ status, codes }) => codes.map((code) => `${one.id} ${status} ${code}`.trim()))));
  for (const one of Object.keys(SEEN_ELSEWHERE)) assert.ok(described.has(one), `${one} is not described`);
  assert.deepEqual([...described].filter((one) => !seen.has(one) && !(one in SEEN_ELSEWHERE)), []);
  const [{ codes }] = responsesOf(operations[0]).filter(({ status }) => status === 'default');
  const everywhere = new Set([...seen].map((one) => one.split(' ')).filter(([, status]) => status === 'default').map((words) => words.at(-1)));
  assert.deepEqual(codes.filter((code) => !everywhere.has(code) && code !== 'unavailable'), []);
});
