// Bodies of videos: whole, in ranges, under conditions, byte by byte the file's.
import assert from 'node:assert/strict';
import { open, stat, truncate, utimes } from 'node:fs/promises';
import test, { after, before } from 'node:test';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { HttpConnection, ask, assertError, requestText } from '../support/http_connection.mjs';
import { startServer } from '../support/server.mjs';

const SIZE = 1_000_003;
const VIDEO = patternBytes(SIZE);
const LARGE = patternBytes(8 * 1024 * 1024, 7);
const HUGE_SIZE = 5 * 1024 ** 3; // sparse
const HUGE_MARK = 2 ** 32 + 12_345;
const LAST_MODIFIED = 'Wed, 01 Jan 2020 00:00:00 GMT';
const url = '/api/video?id=film';
let server;
let media;
let etag;

before(async () => {
  media = await makeFolder({ 'film.mp4': VIDEO, 'large.mp4': LARGE, 'shrinks.webm': patternBytes(40_000_000, 3), 'empty.mp4': '' });
  await utimes(media.path('film.mp4'), new Date(LAST_MODIFIED), new Date(LAST_MODIFIED));
  const huge = await open(media.path('huge.mkv'), 'w');
  await huge.truncate(HUGE_SIZE);
  await huge.write('beyond four gigabytes', HUGE_MARK);
  await huge.close();
  server = await startServer({ args: ['--media', media.directory] });
  etag = (await ask(server.origin, 'HEAD', url)).headers.etag;
});
after(async () => {
  await server?.stop();
  await media?.remove();
});

const get = (headers, target = url) => ask(server.origin, 'GET', target, headers);

function assertRange(answer, first, last, size = SIZE, bytes = VIDEO) {
  assert.equal(answer.status, 206, `${answer.status} for ${first}-${last}`);
  assert.equal(answer.headers['content-range'], `bytes ${first}-${last}/${size}`);
  assert.equal(answer.body.length, last - first + 1);
  assert.ok(answer.body.equals(bytes.subarray(first, last + 1)), `bytes ${first}-${last} are others`);
}

function assertWhole(answer) {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-range'], undefined);
  assert.ok(answer.body.equals(VIDEO));
}

// [{range: "first-last", bytes}], strictly by RFC 2046 and RFC 9110, 14.6.
function partsOf(answer) {
  const [, boundary] = /^multipart\/byteranges; boundary=([0-9a-zA-Z'()+_,./:=?-]{1,70})$/.exec(answer.headers['content-type']);
  const text = answer.body.toString('latin1');
  const pieces = text.split(`\r\n--${boundary}`);
  assert.equal(pieces.shift(), '');
  assert.equal(pieces.pop(), '--\r\n');
  return pieces.map((piece) => {
    const [head] = piece.split('\r\n\r\n', 1);
    const [, range] = /^\r\nContent-Type: video\/mp4\r\nContent-Range: bytes (\d+-\d+)\/1000003$/.exec(head);
    return { range, bytes: Buffer.from(piece.slice(head.length + 4), 'latin1') };
  });
}

test('the whole file, with all that a player and a cache want to know', async () => {
  const answer = await get();
  assertWhole(answer);
  assert.equal(answer.headers['accept-ranges'], 'bytes');
  assert.equal(answer.headers['content-type'], 'video/mp4');
  assert.equal(answer.headers['last-modified'], LAST_MODIFIED);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.match(answer.headers.etag, /^"[^"]+"$/);
  const empty = await get({}, '/api/video?id=empty');
  assert.equal(empty.status, 200);
  assert.equal(empty.body.length, 0);
});

test('one range: inner, single byte, open-ended, suffix, clamped', async () => {
  for (const [range, first, last] of [
    ['0-0', 0, 0], ['0-1', 0, 1], ['4095-4097', 4095, 4097], ['1000002-1000002', SIZE - 1, SIZE - 1],
    ['0-', 0, SIZE - 1], ['500000-', 500_000, SIZE - 1], ['-1', SIZE - 1, SIZE - 1], ['-70000', SIZE - 70_000, SIZE - 1],
    ['-99999999', 0, SIZE - 1], ['999999-99999999999999999999999', 999_999, SIZE - 1], ['00000000000000000000000005-6', 5, 6],
  ]) {
    assertRange(await get({ Range: `bytes=${range}` }), first, last);
  }
  assertRange(await get({ Range: 'BYTES=1-2' }), 1, 2);
});

test('a range beyond the end is 416 and says the size', async () => {
  for (const range of ['1000003-', '99999999999999999999-', '-0', '5000000-6000000,7000000-']) {
    const answer = await get({ Range: `bytes=${range}` });
    assertError(answer, 416, 'range_not_satisfiable');
    assert.equal(answer.headers['content-range'], `bytes */${SIZE}`);
  }
  assertError(await get({ Range: 'bytes=0-0' }, '/api/video?id=empty'), 416);
});

test('a malformed or unknown range, or one of HEAD, is ignored', async () => {
  for (const range of ['bytes=5-1', 'bytes=a-b', 'bytes=-', 'bytes', 'bytes=1', 'items=0-1', 'bytes=0-1,x', 'bytes=--1']) {
    assertWhole(await get({ Range: range }));
  }
  const head = await ask(server.origin, 'HEAD', url, { Range: 'bytes=0-1' });
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], String(SIZE));
});

test('several ranges come as parts in the order asked', async () => {
  const answer = await get({ Range: 'bytes=900000-900009, 0-4, -3,7000000-,20000-89999' });
  assert.equal(answer.status, 206);
  assert.equal(answer.headers['content-range'], undefined);
  const parts = partsOf(answer);
  assert.deepEqual(parts.map(({ range }) => range), ['900000-900009', '0-4', '1000000-1000002', '20000-89999']);
  for (const { range, bytes } of parts) {
    const [first, last] = range.split('-').map(Number);
    assert.ok(bytes.equals(VIDEO.subarray(first, last + 1)), range);
  }
  assertRange(await get({ Range: 'bytes=5-6,7000000-' }), 5, 6);
});

test('ranges that together ask for more than the file get the file, once', async () => {
  assertWhole(await get({ Range: 'bytes=0-,0-' }));
  assertWhole(await get({ Range: `bytes=${'0-999999,'.repeat(100)}-1` }));
  assertWhole(await get({ Range: `bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i}`).join()}` }));
});

test('If-Range: the part of what the client has, the whole of anything else', async () => {
  const Range = 'bytes=10-19';
  assertRange(await get({ Range, 'If-Range': etag }), 10, 19);
  assertRange(await get({ Range, 'If-Range': LAST_MODIFIED }), 10, 19);
  assertWhole(await get({ Range, 'If-Range': '"another"' }));
  assertWhole(await get({ Range, 'If-Range': `W/${etag}` }));
  assertWhole(await get({ Range, 'If-Range': 'Thu, 02 Jan 2020 00:00:00 GMT' }));
  assertWhole(await get({ Range, 'If-Range': 'nonsense' }));
});

test('If-None-Match and If-Modified-Since: 304 without a body', async () => {
  for (const headers of [
    { 'If-None-Match': etag }, { 'If-None-Match': `"x", W/${etag}` }, { 'If-None-Match': '*' },
    { 'If-Modified-Since': LAST_MODIFIED }, { 'If-Modified-Since': 'Thu, 02 Jan 2020 00:00:00 GMT' },
    { 'If-None-Match': etag, Range: 'bytes=0-1' },
  ]) {
    const answer = await get(headers);
    assert.equal(answer.status, 304);
    assert.equal(answer.headers.etag, etag);
    assert.equal(answer.headers['content-length'], undefined);
  }
  assertWhole(await get({ 'If-None-Match': '"another"' }));
  assertWhole(await get({ 'If-None-Match': '"another"', 'If-Modified-Since': LAST_MODIFIED }));
  assertWhole(await get({ 'If-Modified-Since': 'Tue, 31 Dec 2019 23:59:59 GMT' }));
  assertWhole(await get({ 'If-Modified-Since': 'yesterday' }));
});

test('If-Match and If-Unmodified-Since: 412 when it is another file', async () => {
  assertWhole(await get({ 'If-Match': etag }));
  assertWhole(await get({ 'If-Match': '*' }));
  assertWhole(await get({ 'If-Unmodified-Since': LAST_MODIFIED }));
  assertError(await get({ 'If-Match': '"another"' }), 412, 'precondition_failed');
  assertError(await get({ 'If-Match': `W/${etag}` }), 412);
  assertError(await get({ 'If-Unmodified-Since': 'Tue, 31 Dec 2019 23:59:59 GMT' }), 412);
  assertError(await get({ 'If-Match': '"another"', Range: 'bytes=0-1' }), 412);
});

test('ranges on both sides of four gigabytes', async () => {
  const target = '/api/video?id=huge';
  assert.equal((await ask(server.origin, 'HEAD', target)).headers['content-length'], String(HUGE_SIZE));
  const answer = await get({ Range: `bytes=${HUGE_MARK}-${HUGE_MARK + 20}` }, target);
  assert.equal(answer.headers['content-range'], `bytes ${HUGE_MARK}-${HUGE_MARK + 20}/${HUGE_SIZE}`);
  assert.equal(answer.body.toString(), 'beyond four gigabytes');
  const across = await get({ Range: `bytes=${2 ** 32 - 50_000}-${HUGE_MARK + 2}` }, target);
  assert.equal(across.body.length, 50_000 + 12_345 + 3);
  assert.equal(across.body.subarray(-3).toString(), 'bey');
  assert.ok(across.body.subarray(0, -3).every((byte) => byte === 0));
});

test('64 downloads side by side, each of a sequence of random ranges', { timeout: 120_000 }, async () => {
  let seed = 20_240_501;
  const random = (below) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const download = async (cuts) => {
    const connection = await HttpConnection.open(server.origin);
    for (let i = 0; i + 1 < cuts.length; ++i) {
      connection.write(requestText('GET', '/api/video?id=large', { Range: `bytes=${cuts[i]}-${cuts[i + 1] - 1}` }));
      assertRange(await connection.readAnswer({ timeoutMs: 100_000 }), cuts[i], cuts[i + 1] - 1, LARGE.length, LARGE);
    }
    connection.close();
  };
  // Each downloads all 8 MiB in at most nine pieces.
  const plans = Array.from({ length: 64 }, () => {
    const inner = Array.from({ length: 8 }, () => 1 + random(LARGE.length - 1));
    return [...new Set([0, ...inner, LARGE.length])].sort((a, b) => a - b);
  });
  await Promise.all(plans.map(download));
});

test('a file that is cut short while it is sent: the connection ends early, nothing else suffers', async () => {
  const connection = (await HttpConnection.open(server.origin)).pause();
  connection.write(requestText('GET', '/api/video?id=shrinks'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await truncate(media.path('shrinks.webm'), 1000);
  connection.resume();
  await assert.rejects(connection.readAnswer(), /the connection ended/);
  connection.close();
  assert.equal((await stat(media.path('shrinks.webm'))).size, 1000);
  assertWhole(await get());
});
