// Films that hosts bring: by tus 1.0.0, into files, with clear answers and nothing left behind.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { filesBelow, makeFolder, patternBytes } from '../support/files.mjs';
import { ask, assertError, exchange, HttpConnection, requestText } from '../support/http_connection.mjs';
import { createSession, join } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';
import { metadata, PART, unseenAnswers, uploader } from '../support/tus.mjs';
import { until } from '../support/until.mjs';

const run = promisify(execFile);
const BYTES = patternBytes(3_000_000, 5);

let media;
let folder;
let server;
before(async () => {
  media = await makeFolder({ 'film.mp4': patternBytes(2_000, 1) });
  folder = await makeFolder();
  server = await start(folder.directory);
});
after(async () => {
  await server?.stop();
  await folder?.remove();
  await media?.remove();
});

const start = (uploads, ...args) => startServer({
  args: ['--media', media.directory, '--session-rate', '0', '--workers', '2', ...(uploads ? ['--uploads', uploads] : []), ...args],
});
async function startOwn(t, ...args) {
  const own = await makeFolder();
  const one = await start(own.directory, ...args);
  t.after(async () => {
    await one.stop();
    await own.remove();
  });
  return { server: one, folder: own };
}
const untilEmpty = (directory) => until(async () => (await filesBelow(directory)).length === 0, 'nothing is left behind');
const nameOf = (file) => path.basename(file);
const code = ({ body }) => JSON.parse(body).error.code;

test('what is spoken is told by OPTIONS', async () => {
  const { status, headers } = await ask(server.origin, 'OPTIONS', '/api/uploads');
  assert.equal(status, 204);
  assert.equal(headers['tus-version'], '1.0.0');
  assert.equal(headers['tus-extension'], 'creation,termination,expiration');
  assert.equal(headers['tus-max-size'], String(20 * 2 ** 30));
});

test('a film comes whole in one part, and goes with a DELETE', async () => {
  const host = await uploader(server);
  const made = await host.create(BYTES.length, 'Brought.mp4');
  assert.equal(made.status, 201);
  assert.equal(made.headers['tus-resumable'], '1.0.0');
  assert.match(made.headers['upload-expires'], /GMT$/);
  const url = made.headers.location;
  assert.match(url, new RegExp(`^/api/uploads/${host.key}/[0-9a-f]{32}$`));
  const looked = await host.head(url);
  assert.deepEqual([looked.headers['upload-offset'], looked.headers['upload-length'], looked.headers['cache-control']],
    ['0', String(BYTES.length), 'no-store']);
  assert.equal(looked.headers['upload-metadata'], metadata('Brought.mp4', host.key));
  const done = await host.patch(url, 0, BYTES);
  assert.equal(done.status, 204, String(done.body));
  assert.equal(done.headers['upload-offset'], String(BYTES.length));
  assert.equal(done.headers['tus-resumable'], '1.0.0');
  assert.equal(done.headers['upload-expires'], undefined);
  const [file, ...others] = await filesBelow(folder.directory);
  assert.deepEqual([nameOf(file), others], ['Brought.mp4', []]);
  assert.ok((await readFile(file)).equals(BYTES));
  assert.equal(await host.offset(url), BYTES.length);
  assert.equal((await host.remove(url)).status, 204);
  assert.deepEqual(await filesBelow(folder.directory), []);
  assertError(await host.remove(url), 404, 'no_such_upload');
  assert.equal((await host.head(url)).status, 404);
});

test('a part goes in pieces, on a connection that goes on with the next request', async () => {
  const host = await uploader(server);
  const url = await host.begin(9_000);
  const connection = await HttpConnection.open(server.origin);
  let offset = 0;
  for (const length of [1, 4_999, 4_000]) {
    const bytes = BYTES.subarray(offset, offset + length);
    connection.write(requestText('PATCH', url, host.partOf(offset, { 'Content-Length': length })));
    connection.write(bytes.subarray(0, length / 2));
    connection.write(bytes.subarray(length / 2));
    offset += length;
    const { status, headers } = await connection.readAnswer();
    assert.deepEqual([status, headers['upload-offset']], [204, String(offset)]);
  }
  connection.write(requestText('GET', '/api/videos'));
  assert.equal((await connection.readAnswer()).status, 200);
  connection.close();
  assert.ok((await readFile((await filesBelow(folder.directory))[0])).equals(BYTES.subarray(0, 9_000)));
  await host.remove(url);
});

test('chunks come, too, and a client that waits for 100', async () => {
  const host = await uploader(server);
  const url = await host.begin(20);
  const chunked = host.partOf(0, { 'Transfer-Encoding': 'chunked' });
  const first = await exchange(server.origin, `${requestText('PATCH', url, chunked)}8;a=b\r\n01234567\r\n2\r\n89\r\n0\r\nX: y\r\n\r\n`);
  assert.deepEqual([first.status, first.headers['upload-offset']], [204, '10']);
  const malformed = await exchange(server.origin, `${requestText('PATCH', url, { ...chunked, 'Upload-Offset': 10 })}2\r\nab\r\nzz\r\n`);
  assert.equal(malformed.status, 400);
  assert.equal(await host.offset(url), 12);
  const connection = await HttpConnection.open(server.origin);
  connection.write(requestText('PATCH', url, host.partOf(12, { 'Content-Length': 8, Expect: '100-continue' })));
  assert.equal((await connection.readAnswer()).status, 100);
  connection.write('cdefghij');
  assert.equal((await connection.readAnswer()).status, 204);
  connection.close();
  assert.equal(await readFile((await filesBelow(folder.directory))[0], 'latin1'), '0123456789abcdefghij');
  await host.remove(url);
});

test('after a cut it goes on where what came has ended', async () => {
  const host = await uploader(server);
  const url = await host.begin(BYTES.length);
  for (const end of ['reset', 'close', 'endInput']) {
    const from = await host.offset(url);
    const connection = await host.open(url, from, BYTES.length - from);
    connection.write(BYTES.subarray(from, from + 700_000));
    await connection.drained();
    await until(async () => await host.offset(url) > from + 100_000, 'some of it is there');
    connection[end]();
    await until(async () => (await host.patch(url, 0, Buffer.alloc(0))).status !== 423, 'the server knows that it is cut');
    connection.close();
  }
  const from = await host.offset(url);
  assert.ok(from > 300_000 && from <= 2_100_000, String(from));
  assert.equal((await host.patch(url, from, BYTES.subarray(from))).status, 204);
  assert.ok((await readFile((await filesBelow(folder.directory))[0])).equals(BYTES));
  await host.remove(url);
});

test('who comes anew does not wait for a connection that was left', async () => {
  const host = await uploader(server);
  const url = await host.begin(BYTES.length);
  const left = await host.open(url, 0, BYTES.length);
  left.write(BYTES.subarray(0, 100_000)); // and it says nothing any more, as a network that is gone
  await until(async () => await host.offset(url) === 100_000, 'what came is there');
  assertError(await host.patch(url, 100_000, BYTES.subarray(100_000)), 423, 'upload_in_progress');
  const answer = host.held('PATCH', url, await left.readAnswer(), 403, 'upload_taken_over');
  assert.equal(answer.headers['upload-offset'], '100000');
  await until(async () => {
    const { status } = await host.patch(url, 100_000, BYTES.subarray(100_000));
    assert.ok(status === 204 || status === 423, String(status));
    return status === 204;
  }, 'the rest is taken', 5_000);
  left.close();
  assert.ok((await readFile((await filesBelow(folder.directory))[0])).equals(BYTES));
  await host.remove(url);
});

test('a part that begins elsewhere, is too long, or comes twice at once is refused', async () => {
  const host = await uploader(server);
  const url = await host.begin(1_000);
  assert.equal((await host.patch(url, 0, BYTES.subarray(0, 100))).status, 204);
  for (const offset of [0, 99, 101, 1_000]) {
    const answer = await host.patch(url, offset, BYTES.subarray(0, 10));
    assertError(answer, 409, 'wrong_offset');
    assert.equal(answer.headers['upload-offset'], '100');
  }
  assertError(await host.patch(url, 100, BYTES.subarray(0, 901)), 413, 'upload_too_large');
  assert.equal(await host.offset(url), 100);
  const chunked = host.partOf(100, { 'Transfer-Encoding': 'chunked' });
  const beyond = await exchange(server.origin, `${requestText('PATCH', url, chunked)}400\r\n${'x'.repeat(1_024)}\r\n0\r\n\r\n`);
  assertError(beyond, 413, 'upload_too_large');
  const other = await uploader(server);
  const second = await other.begin(1_000);
  const open = await other.open(second, 0, 1_000);
  open.write('x'.repeat(10));
  await until(async () => await other.offset(second) === 10, 'the first is being written');
  assertError(await other.patch(second, 10, BYTES.subarray(0, 10)), 423, 'upload_in_progress');
  other.held('PATCH', second, await open.readAnswer(), 403, 'upload_taken_over');
  open.close();
  await other.remove(second);
  await host.remove(url);
  await untilEmpty(folder.directory);
});

test('a refused part of any length gets its answer', async () => {
  const host = await uploader(server);
  const url = await host.begin(8_000_000);
  const answer = await host.patch(url, 1, Buffer.alloc(7_000_000));
  assertError(answer, 409, 'wrong_offset');
  assert.equal(answer.headers.connection, 'close');
  await host.remove(url);
});

test('a session brings one film at a time, and is told which', async () => {
  const host = await uploader(server);
  const url = await host.begin(10);
  const refused = await host.create(10, 'Other.mp4');
  assertError(refused, 409, 'upload_exists');
  assert.equal(refused.headers.location, url);
  const other = await uploader(server);
  await other.remove(await other.bring(BYTES.subarray(0, 10)));
  await host.patch(url, 0, BYTES.subarray(0, 10));
  const again = await host.bring(BYTES.subarray(0, 20));
  assert.deepEqual((await filesBelow(folder.directory)).map(nameOf).sort(), ['Brought (2).mp4', 'Brought.mp4']);
  await host.remove(url);
  await host.remove(again);
});

test('only the host may, and only of its own session', async () => {
  const host = await uploader(server);
  const stranger = await uploader(server);
  const url = await host.begin(10);
  const asked = { 'Upload-Length': 10, 'Upload-Metadata': metadata('a.mp4', host.key) };
  const guest = await join(server, host.key);
  for (const token of [stranger.hostToken, '0'.repeat(32), guest.resume, 'x']) {
    const headers = { ...host.fields(), Authorization: `Bearer ${token}` };
    assertError(await host.send('POST', '/api/uploads', { ...headers, ...asked }), 403, 'not_host');
    assertError(await host.send('PATCH', url, { ...headers, 'Content-Type': PART, 'Upload-Offset': 0 }, 'abc'), 403, 'not_host');
    assertError(await host.send('DELETE', url, headers), 403, 'not_host');
  }
  const bare = { 'Tus-Resumable': '1.0.0' };
  assertError(await host.send('POST', '/api/uploads', { ...bare, ...asked }), 401, 'unauthorized');
  assertError(await host.send('DELETE', url, bare), 401, 'unauthorized');
  const unknown = metadata('a.mp4', '0d9c2e5a-8a1b-4c3d-9e0f-112233445566');
  assertError(await host.send('POST', '/api/uploads', host.fields({ ...asked, 'Upload-Metadata': unknown })), 404, 'session_not_found');
  assert.equal(await host.offset(url), 0);
  guest.close?.();
  await host.remove(url);
});

test('requests that do not say what tus wants are told so', async () => {
  const host = await uploader(server);
  const old = await host.create(10, 'a.mp4', { 'Tus-Resumable': '0.2.2' });
  assertError(old, 412, 'precondition_failed');
  assert.equal(old.headers['tus-version'], '1.0.0');
  assertError(await host.create(0), 400);
  assertError(await host.create('18446744073709551616'), 400);
  assertError(await host.create('18446744073709551615'), 413, 'upload_too_large');
  assertError(await host.create(20 * 2 ** 30 + 1), 413, 'upload_too_large');
  assertError(await host.create(10, 'a.txt'), 400, 'not_a_film');
  assertError(await host.create(10, 'a.mp4', { 'Upload-Metadata': 'filename !' }), 400);
  const url = await host.begin(10);
  assertError(await host.patch(url, 0, Buffer.alloc(1), { 'Content-Type': 'video/mp4' }), 415, 'unsupported_media_type');
  assertError(await host.patch(url, 'x', Buffer.alloc(1)), 400);
  assertError(await host.send('GET', url, host.fields()), 405);
  assertError(await host.send('GET', '/api/uploads', host.fields()), 405);
  assertError(await host.send('PATCH', '/api/uploads', host.partOf(0), 'x'), 405);
  for (const target of [`/api/uploads/${host.key}`, `/api/uploads/${host.key}/1`, '/api/uploads/x/y', `${url}/more`]) {
    assert.equal((await ask(server.origin, 'HEAD', target, host.fields())).status, 404, target);
  }
  assertError(await host.patch(`${url.slice(0, -1)}${url.endsWith('0') ? 1 : 0}`, 0, Buffer.alloc(5)), 404, 'no_such_upload');
  await host.remove(url);
});

test('where uploads are off there are none', async (t) => {
  const off = await start(null);
  t.after(() => off.stop());
  const host = await uploader(off);
  assertError(await host.create(10), 403, 'uploads_off');
  assertError(await host.patch(`/api/uploads/${host.key}/${'0'.repeat(32)}`, 0, Buffer.alloc(500_000)), 403, 'uploads_off');
  const { status, headers } = await ask(off.origin, 'OPTIONS', '/api/uploads');
  assert.deepEqual([status, headers['tus-version'], headers['tus-max-size']], [204, undefined, undefined]);
});

test('limits of one and of all are told before a byte comes', async (t) => {
  const { server: small } = await startOwn(t, '--upload-max', '1000', '--upload-quota', '1500');
  const [a, b] = [await uploader(small), await uploader(small)];
  assertError(await a.create(1_001), 413, 'upload_too_large');
  const url = await a.bring(BYTES.subarray(0, 1_000));
  assertError(await b.create(501), 507, 'uploads_full');
  await b.remove(await b.bring(BYTES.subarray(0, 500)));
  await a.remove(url);
  await b.bring(BYTES.subarray(0, 1_000));
});

test('a full disk: what has come is kept, and it goes on when there is room', async (t) => {
  const disk = await mkdtemp(path.join(tmpdir(), 'videosync-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
  } catch (error) {
    await rm(disk, { recursive: true });
    return t.skip(`nothing can be mounted: ${error.message.trim()}`);
  }
  await writeFile(path.join(disk, 'filler'), Buffer.alloc(1_000_000));
  const full = await start(disk);
  t.after(async () => {
    await full.stop();
    await run('umount', ['-l', disk]);
    await rm(disk, { recursive: true });
  });
  const host = await uploader(full);
  const url = await host.begin(1_800_000);
  const answer = await host.patch(url, 0, BYTES.subarray(0, 1_800_000));
  assertError(answer, 507, 'storage_full');
  const offset = await host.offset(url);
  assert.ok(offset > 500_000 && offset < 1_100_000, String(offset));
  assertError(await host.patch(url, offset, BYTES.subarray(offset, 1_800_000)), 507, 'storage_full');
  await rm(path.join(disk, 'filler'));
  assert.equal((await host.patch(url, offset, BYTES.subarray(offset, 1_800_000))).status, 204);
  const [film] = await filesBelow(disk);
  assert.ok((await readFile(film)).equals(BYTES.subarray(0, 1_800_000)));
});

test('a connection that brings nothing is closed, and what rests is given up', async (t) => {
  const { server: hasty, folder: own } = await startOwn(t, '--upload-idle', '1s', '--upload-expires', '1s');
  const host = await uploader(hasty);
  const url = await host.begin(1_000);
  const connection = await host.open(url, 0, 1_000);
  connection.write('x'.repeat(300));
  const answer = await connection.readAnswer();
  assertError(answer, 408, 'request_timeout');
  connection.close();
  assert.equal(await host.offset(url), 300);
  await untilEmpty(own.directory);
  assert.equal((await host.head(url)).status, 404);
});

test('a film goes with its session, whole or not', async () => {
  for (const isWhole of [false, true]) {
    const host = await uploader(server);
    const url = await host.begin(1_000);
    await host.patch(url, 0, BYTES.subarray(0, isWhole ? 1_000 : 400));
    assert.equal((await filesBelow(folder.directory)).length, 1);
    assert.equal((await ask(server.origin, 'DELETE', `/api/sessions/${host.key}`, { Authorization: `Bearer ${host.hostToken}` })).status, 204);
    await untilEmpty(folder.directory);
    assertError(await host.patch(url, 0, Buffer.alloc(1)), 404, 'session_not_found');
  }
  const host = await uploader(server);
  const url = await host.begin(1_000);
  const connection = await host.open(url, 0, 1_000);
  connection.write('x'.repeat(10));
  await until(async () => await host.offset(url) === 10, 'it is being written');
  await ask(server.origin, 'DELETE', `/api/sessions/${host.key}`, { Authorization: `Bearer ${host.hostToken}` });
  await untilEmpty(folder.directory);
  connection.write('x'.repeat(10));
  assertError(await connection.readAnswer(), 404, 'no_such_upload');
  connection.close();
});

test('a host that leaves leaves its upload to whoever has the token', async () => {
  const session = await createSession(server);
  const host = await uploader(server, session);
  const member = await join(server, session.key, { host: session.hostToken });
  const url = await host.begin(20);
  await host.patch(url, 0, BYTES.subarray(0, 10));
  member.socket.close();
  await member.closed;
  assert.equal((await host.patch(url, 10, BYTES.subarray(10, 20))).status, 204);
  await host.remove(url);
});

test('a start finds nothing of before, and touches nothing else', async (t) => {
  const own = await makeFolder({ 'mine.mp4': 'mine', 'Films/other.mp4': 'mine', '.partial/notes': 'mine' });
  t.after(() => own.remove());
  const first = await start(own.directory);
  const host = await uploader(first);
  await host.bring(BYTES.subarray(0, 10));
  const other = await uploader(first);
  await other.patch(await other.begin(1_000), 0, BYTES.subarray(0, 10));
  assert.equal((await filesBelow(own.directory)).length, 5);
  await first.stop('SIGKILL');
  const second = await start(own.directory);
  const mine = [['.partial', 'notes'], ['Films', 'other.mp4'], ['mine.mp4']].map((parts) => path.join(own.directory, ...parts));
  await until(async () => (await filesBelow(own.directory)).length === 3, 'what was brought is gone');
  assert.deepEqual((await filesBelow(own.directory)).sort(), mine.sort());
  const third = await uploader(second);
  await third.bring(BYTES.subarray(0, 10));
  await second.stop();
  assert.deepEqual((await filesBelow(own.directory)).sort(), mine.sort());
  await mkdir(own.path('empty'));
});

test('the internal listener takes none', async () => {
  const host = await uploader(server);
  const url = await host.begin(10);
  const answer = await ask(server.adminOrigin, 'PATCH', url, host.partOf(0), 'x'.repeat(10));
  assertError(answer, 405, 'method_not_allowed');
  assertError(await ask(server.adminOrigin, 'DELETE', url, host.fields()), 405, 'method_not_allowed');
  assert.equal(await host.offset(url), 0);
  await host.remove(url);
});

test('a folder that will not do is told at the start', async () => {
  await assert.rejects(start('/nowhere/at/all'), /--uploads: open the folder/);
  await assert.rejects(start(media.directory), /--uploads: .* may not lie in each other/);
  await assert.rejects(start(path.dirname(media.directory)), /--uploads: .* may not lie in each other/);
});

// What a session's members, or everybody, may choose from.
async function listed(at, query = '') {
  const { status, body } = await ask(at.origin, 'GET', `/api/videos${query}`);
  assert.equal(status, 200, String(body));
  return JSON.parse(body);
}
const untilListed = (at, key, title) => until(
  async () => (await listed(at, `?session=${key}`)).videos.find((video) => video.title === title), `${title} is listed`);

test('what was brought is for its session alone, and plays by its id', async (t) => {
  const { server: own } = await startOwn(t);
  const [host, other] = [await uploader(own), await uploader(own)];
  const url = await host.bring(BYTES, 'Brought (1999).mp4');
  const video = await untilListed(own, host.key, 'Brought');
  assert.equal(video.year, 1999);
  assert.match(video.id, /^brought-1999--[0-9a-f]{10}$/);
  assert.ok(!JSON.stringify(video).includes(host.key));
  const queries = ['', '?query=brought', '?limit=10', '?order=newest', '?folder=', '?folder=~1', `?folder=~1/${host.key.replaceAll('-', '')}`,
    `?session=${other.key}`, `?session=${other.key}&query=brought`, '?session=x'];
  for (const query of queries) {
    const { videos, folders = [] } = await listed(own, query);
    assert.deepEqual(videos.filter(({ title }) => title === 'Brought'), [], query);
    assert.deepEqual(folders, [], query);
  }
  for (const query of ['', '&query=BROU', '&limit=1', '&order=newest']) {
    const { videos } = await listed(own, `?session=${host.key}${query}`);
    assert.equal(videos[0].id, video.id, query);
  }
  assert.equal((await listed(own, `?session=${host.key}&limit=1`)).videos.length, 2);
  assert.equal((await ask(own.origin, 'GET', '/api/video?id=brought-1999')).status, 404);
  const bytes = await ask(own.origin, 'GET', video.url, { Range: 'bytes=1000-1999' });
  assert.ok(bytes.body.equals(BYTES.subarray(1_000, 2_000)));
  const member = await join(own, host.key, { host: host.hostToken });
  member.send('load', { video: video.id });
  assert.equal((await member.next('state', ({ cause }) => cause === 'load')).video, video.id);
  assert.equal((await createSession(own)).key.length, 36);
  await host.remove(url);
  await until(async () => (await listed(own, `?session=${host.key}`)).videos.every(({ id }) => id !== video.id), 'it goes from the list');
  assert.equal((await ask(own.origin, 'GET', video.url)).status, 404);
  member.socket.close();
});

test('all members hear how far it is, and that it was given up', async () => {
  const session = await createSession(server);
  const host = await uploader(server, session);
  const guests = [await join(server, session.key), await join(server, session.key)];
  const stranger = await join(server, (await createSession(server)).key);
  const url = await host.begin(1_000, 'A "film".mp4');
  const connection = await host.open(url, 0, 500);
  connection.write('x'.repeat(200));
  await until(async () => await host.offset(url) === 200, 'some of it is there');
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // more often it is not told
  connection.write('x'.repeat(300));
  assert.equal((await connection.readAnswer()).status, 204);
  connection.close();
  for (const guest of guests) {
    const { name, percent } = await guest.next('upload');
    assert.deepEqual([name, percent], ['A "film".mp4', 50]);
  }
  await host.patch(url, 500, Buffer.alloc(500));
  for (const guest of guests) assert.equal((await guest.next('upload')).percent, 100);
  await host.remove(url);
  for (const guest of guests) assert.equal((await guest.next('upload')).gone, true);
  assert.deepEqual(stranger.all.filter(({ type }) => type === 'upload'), []);
  for (const member of [...guests, stranger]) member.socket.close();
});

test('with nothing but what was brought there is no video for everybody', async (t) => {
  const [empty, own] = [await makeFolder(), await makeFolder()];
  const alone = await startServer({ args: ['--media', empty.directory, '--uploads', own.directory] });
  t.after(async () => {
    await alone.stop();
    await empty.remove();
    await own.remove();
  });
  const host = await uploader(alone);
  await host.bring(BYTES, 'Only.mp4');
  await untilListed(alone, host.key, 'Only');
  assert.deepEqual((await listed(alone)).videos, []);
  assert.equal((await ask(alone.origin, 'GET', '/api/video')).status, 404);
});

test('bad uploads cost neither descriptors nor memory', async () => {
  const descriptors = async () => (await readdir(`/proc/${server.pid}/fd`)).length;
  const host = await uploader(server);
  const url = await host.begin(BYTES.length);
  const before = await descriptors();
  for (let i = 0; i < 50; i += 1) {
    const offset = await until(async () => {
      const at = await host.offset(url);
      return (await host.patch(url, at, Buffer.alloc(0))).status === 204 && { at };
    }, 'the one before is over');
    const connection = await host.open(url, offset.at, BYTES.length);
    connection.write(Buffer.alloc(1_000));
    if (i % 2) connection.reset(); else connection.close();
    assert.ok(code(await host.patch(url, BYTES.length + i, Buffer.alloc(10))) !== undefined);
  }
  await until(async () => await descriptors() <= before, 'all descriptors are given back');
  await host.remove(url);
  await untilEmpty(folder.directory);
});

test('each request for an upload is judged alike', async (t) => {
  const [host, other] = [await uploader(server), await uploader(server)];
  const url = await host.begin(10);
  const nowhere = '/api/uploads/1b4e28ba-2fa1-4d3b-a1c5-0123456789ab/' + '0'.repeat(32);
  const off = await start(null);
  t.after(() => off.stop());
  const elsewhere = await uploader(off);
  for (const [method, body] of [['HEAD', ''], ['PATCH', 'x'], ['DELETE', '']]) {
    const asked = async (by, target, more, status) => assert.equal((await by.send(method, target, by.partOf(0, more), body)).status, status, `${method} ${target}`);
    await asked(host, url, { Authorization: '' }, 401);
    await asked(other, url, {}, 403);
    await asked(host, url, { 'Tus-Resumable': '2.0.0' }, 412);
    await asked(host, '/api/uploads/x/y', {}, 404);
    await asked(host, nowhere, {}, 404);
    await asked(host, `/api/uploads/${host.key}/${'0'.repeat(32)}`, {}, 404);
    await asked(elsewhere, url, {}, 403);
  }
  await host.remove(url);
});

// Who sees what this file does not bring about.
const SEEN_ELSEWHERE = {
  'createUpload 403 uploads_not_shared': 'redis_uploads',
  'createUpload 503 busy': 'upload_table_test',
  'bringBytes 500 storage_failed': 'upload_keeper_test',
};

test('no answer that is described was left out', () => {
  assert.deepEqual(unseenAnswers(), Object.keys(SEEN_ELSEWHERE));
});
