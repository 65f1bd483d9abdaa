// curl as client: what it asks for is what it gets, byte by byte, as RFC 9110 and 9112 have it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { makeCurl, plainCurl } from '../support/curl.mjs';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startServer } from '../support/server.mjs';
import { metadata } from '../support/tus.mjs';
import { until } from '../support/until.mjs';

const SIZE = 1_500_001;
const FILM = patternBytes(SIZE, 11);
const BROUGHT = patternBytes(400_000, 12);
const DATE = 'Wed, 01 Jan 2020 00:00:00 GMT';
const DAY_BEFORE = 'Tue, 31 Dec 2019 00:00:00 GMT';
const DAY_AFTER = 'Thu, 02 Jan 2020 00:00:00 GMT';
let media;
let uploads;
let server;
let client;
let url;
let etag;

before(async () => {
  media = await makeFolder({ 'film.mp4': FILM, 'long.mp4': '' });
  await truncate(media.path('long.mp4'), 256 << 20);
  uploads = await makeFolder();
  await utimes(media.path('film.mp4'), new Date(DATE), new Date(DATE));
  server = await startServer({ args: ['--media', media.directory, '--uploads', uploads.directory, '--session-rate', '0'] });
  client = await makeCurl();
  url = `${server.origin}/api/video?id=film`;
  ({ etag } = (await client.curl(['-I', url])).fields);
});
after(async () => {
  await server?.stop();
  await client?.remove();
  await uploads?.remove();
  await media?.remove();
});

const curl = (...options) => client.curl(options);
const header = (name, value) => ['-H', `${name}: ${value}`];

function assertWhole({ status, fields, body }) {
  assert.equal(status, 200);
  assert.equal(fields['content-range'], undefined);
  assert.equal(fields['content-length'], String(SIZE));
  assert.ok(FILM.equals(body), `${body.length} bytes, or others`);
}

function assertPart({ status, fields, body }, first, last) {
  assert.deepEqual([status, fields['content-range'], fields['content-length']], [206, `bytes ${first}-${last}/${SIZE}`, String(last - first + 1)]);
  assert.ok(FILM.subarray(first, last + 1).equals(body), `bytes ${first}-${last}`);
}

// Of a 304 (RFC 9110, 15.4.5): no body, and the fields that a 200 would have had for a cache.
function assertUnchanged({ status, fields, told }) {
  assert.deepEqual([status, told.size_download], [304, 0]);
  assert.equal(fields.etag, etag);
  assert.equal(fields['cache-control'], 'no-cache');
}

describe('ranges', () => {
  for (const [what, range, first, last] of [
    ['the first byte', '0-0', 0, 0], ['the first ones', '0-4095', 0, 4095], ['some in the middle', '700001-800000', 700_001, 800_000],
    ['the last ones', '-500', SIZE - 500, SIZE - 1], ['the last byte', `${SIZE - 1}-${SIZE - 1}`, SIZE - 1, SIZE - 1],
    ['an open end', '1400000-', 1_400_000, SIZE - 1], ['an end beyond the end', '1499990-9999999', 1_499_990, SIZE - 1],
    ['a suffix longer than the film', '-9999999', 0, SIZE - 1],
  ]) test(what, async () => assertPart(await curl('-r', range, url), first, last));

  test('several: parts in the order asked for, each with its place', async () => {
    const { status, fields, body } = await curl('-r', '1000-1999,0-9,-5', url);
    assert.equal(status, 206);
    assert.equal(fields['content-length'], String(body.length));
    const [, boundary] = /^multipart\/byteranges; ?boundary="?([^"]+)"?$/.exec(fields['content-type']);
    const asked = [[1000, 1999], [0, 9], [SIZE - 5, SIZE - 1]];
    const expected = asked.map(([first, last]) => Buffer.concat([
      Buffer.from(`\r\n--${boundary}\r\nContent-Type: video/mp4\r\nContent-Range: bytes ${first}-${last}/${SIZE}\r\n\r\n`),
      FILM.subarray(first, last + 1),
    ]));
    assert.ok(Buffer.concat([...expected, Buffer.from(`\r\n--${boundary}--\r\n`)]).equals(body));
  });

  test('beyond the end: 416, how long the film is, and an error for curl -f', async () => {
    const { status, fields } = await curl('-r', `${SIZE}-`, url);
    assert.deepEqual([status, fields['content-range']], [416, `bytes */${SIZE}`]);
    assert.equal((await curl('-f', '-r', `${SIZE}-`, url)).exitCode, 22);
  });

  test('--continue-at goes on where a download broke off', async () => {
    const place = client.folder.path('broken.mp4');
    await writeFile(place, FILM.subarray(0, 654_321));
    const { status, told } = await client.curl(['-C', '-', url], { output: place });
    assert.deepEqual([status, told.size_download], [206, SIZE - 654_321]);
    assert.ok(FILM.equals(await readFile(place)));
  });

  test('one that was read by eight curls at once, a part each, is the film', async () => {
    const step = Math.ceil(SIZE / 8);
    const parts = await Promise.all(Array.from({ length: 8 }, (_, i) => curl('-r', `${i * step}-${(i + 1) * step - 1}`, url)));
    assert.ok(FILM.equals(Buffer.concat(parts.map(({ body }) => body))));
  });
});

describe('conditions', () => {
  test('If-Range, by tag and by date: the part of the same film, the whole of another', async () => {
    const part = ['-r', '10-19', url];
    assertPart(await curl(...header('If-Range', etag), ...part), 10, 19);
    assertPart(await curl(...header('If-Range', DATE), ...part), 10, 19);
    assertWhole(await curl(...header('If-Range', '"another"'), ...part));
    assertWhole(await curl(...header('If-Range', `W/${etag}`), ...part));
    assertWhole(await curl(...header('If-Range', DAY_BEFORE), ...part));
  });

  test('--etag-save and --etag-compare: nothing comes twice', async () => {
    const place = client.folder.path('etag');
    assertWhole(await curl('--etag-save', place, url));
    assertUnchanged(await curl('--etag-compare', place, url));
    assertWhole(await curl(...header('If-None-Match', '"another"'), url));
    assertUnchanged(await curl(...header('If-None-Match', `"another", ${etag}`), url));
    assertUnchanged(await curl('-I', '--etag-compare', place, url));
  });

  test('--time-cond: what is newer, and what is not', async () => {
    assertUnchanged(await curl('-z', DATE, url));
    assertWhole(await curl('-z', DAY_BEFORE, url));
    assertWhole(await curl('-z', `-${DAY_AFTER}`, url));
    assert.equal((await curl('-z', `-${DAY_BEFORE}`, url)).status, 412);
  });

  // As fields: with -z curl judges the date itself, too.
  test('a tag goes before a date (RFC 9110, 13.2.2)', async () => {
    assertWhole(await curl(...header('If-Modified-Since', DATE), ...header('If-None-Match', '"another"'), url));
    assertWhole(await curl(...header('If-Unmodified-Since', DAY_BEFORE), ...header('If-Match', etag), url));
  });

  test('If-Match: 412 for another film, also of a range', async () => {
    assertWhole(await curl(...header('If-Match', etag), url));
    assertPart(await curl(...header('If-Match', `"another", ${etag}`), '-r', '0-9', url), 0, 9);
    assert.equal((await curl(...header('If-Match', '"another"'), '-r', '0-9', url)).status, 412);
    assert.equal((await curl('-I', ...header('If-Match', '"another"'), url)).status, 412);
  });
});

describe('requests', () => {
  test('HEAD has the fields of GET and no body', async () => {
    const head = await curl('-I', url);
    const whole = await curl(url);
    assertWhole(whole);
    const fieldsOf = ({ fields: { date: _, ...rest } }) => rest;
    assert.deepEqual(fieldsOf(head), fieldsOf(whole));
    assert.equal(head.told.size_download, 0);
  });

  test('HTTP/1.0: the answer, and the end of the connection', async () => {
    const answer = await curl('--http1.0', url);
    assertWhole(answer);
    assert.equal(answer.fields.connection, 'close');
    assertPart(await curl('--http1.0', '-r', '5-9', url), 5, 9);
  });

  test('an upgrade to HTTP/2 is not taken, and the answer is of HTTP/1.1 (RFC 9110, 7.8)', async () => {
    const answer = await curl('--http2', url);
    assertWhole(answer);
    assert.deepEqual([answer.heads.length, answer.told.http_version], [1, '1.1']);
  });

  test('HTTP/2 without asking is refused, and harms nobody', async () => {
    assert.notEqual((await curl('--http2-prior-knowledge', url)).exitCode, 0);
    assertPart(await curl('-r', '0-9', url), 0, 9);
  });

  test('one after the other take one connection', async () => {
    const told = await plainCurl(['-w', '%{num_connects} %{response_code}\n', '-o', '/dev/null', url, '--next', '-sS', '-w', '%{num_connects} %{response_code}\n', '-I', '-o', '/dev/null', url,
      '--next', '-sS', '-w', '%{num_connects} %{response_code}\n', '-d', '{}', '-o', '/dev/null', `${server.origin}/api/sessions`,
      '--next', '-sS', '-w', '%{num_connects} %{response_code}\n', '-o', '/dev/null', `${server.origin}/nothing`,
      '--next', '-sS', '-w', '%{num_connects} %{response_code}\n', '-r', '0-9', '-o', '/dev/null', url]);
    assert.deepEqual(told.trim().split('\n'), ['1 200', '0 200', '0 201', '0 404', '0 206']);
  });

  test('fifty at once, each its own part', async () => {
    const parts = Array.from({ length: 50 }, (_, i) => i);
    const place = (i) => client.folder.path(`parallel-${i}`);
    await plainCurl(['-Z', '--parallel-max', '50', '--fail-early', ...parts.flatMap((i) => [...(i > 0 ? ['--next'] : []), '-f', '-r', `${i * 30_000}-${i * 30_000 + 29_999}`, '-o', place(i), url])]);
    const files = await Promise.all(parts.map((i) => readFile(place(i))));
    assert.ok(FILM.subarray(0, 50 * 30_000).equals(Buffer.concat(files)));
  });

  test('--compressed: a page comes packed and is the same, a film comes as it is', async () => {
    const page = `${server.origin}/player.html`;
    const plain = await curl(page);
    assert.equal(plain.fields['content-encoding'], undefined);
    for (const coding of ['br', 'gzip']) {
      const packed = await curl('--compressed', ...header('Accept-Encoding', coding), page);
      assert.equal(packed.fields['content-encoding'], coding);
      assert.match(packed.fields.vary, /accept-encoding/i);
      assert.ok(packed.told.size_download < plain.body.length);
      assert.ok(plain.body.equals(packed.body));
    }
    const film = await curl('--compressed', url);
    assertWhole(film);
    assert.equal(film.fields['content-encoding'], undefined);
  });

  test('a session is made, found by its code, led to, and ended', async () => {
    const made = await curl('-d', '{"video":"film"}', `${server.origin}/api/sessions`);
    assert.equal(made.status, 201);
    const { key, code, hostToken } = JSON.parse(made.body);
    const asked = await curl(`${server.origin}/api/sessions/${code}/validate`);
    assert.deepEqual([asked.status, JSON.parse(asked.body)], [200, { valid: true, key }]);
    const led = await curl('-L', `${server.origin}/r/${code}`);
    assert.deepEqual([led.told.num_redirects, led.status], [1, 200]);
    assert.match(led.told.url_effective, new RegExp(key));
    assert.equal((await curl('-X', 'DELETE', '--oauth2-bearer', hostToken, `${server.origin}/api/sessions/${key}`)).status, 204);
    assert.equal((await curl(`${server.origin}/api/sessions/${key}`)).status, 404);
  });

  test('ways out of the folders lead nowhere', async () => {
    for (const path of ['/../../etc/passwd', '/media/../../../etc/passwd', '/media/%2e%2e/%2e%2e/etc/passwd', '/media/..%2f..%2fetc/passwd', '//etc/passwd']) {
      const { status, body } = await curl('--path-as-is', server.origin + path);
      assert.ok(status === 400 || status === 404, `${path}: ${status}`);
      assert.doesNotMatch(body.toString(), /root:/);
    }
  });
});

describe('bodies', () => {
  let session;
  const tus = () => ['-H', 'Tus-Resumable: 1.0.0', '--oauth2-bearer', session.hostToken];
  const part = (offset) => [...tus(), '-X', 'PATCH', ...header('Content-Type', 'application/offset+octet-stream'), ...header('Upload-Offset', offset)];

  before(async () => {
    session = JSON.parse((await curl('-d', '{}', `${server.origin}/api/sessions`)).body);
  });

  test('Expect: 100-continue is answered before the body, and the body then read', async () => {
    const { heads, status } = await client.curl([...header('Expect', '100-continue'), '--expect100-timeout', '15', '-d', '@-', `${server.origin}/api/sessions`], { input: '{"video":"film"}' });
    assert.deepEqual(heads.map((head) => head.status), [100, 201]);
    assert.equal(status, 201);
  });

  test('what is refused anyway is refused instead of a 100, and its body stays where it is', async () => {
    const { heads, told } = await client.curl([...header('Expect', '100-continue'), '--expect100-timeout', '15', '-d', '@-', `${server.origin}/api/sessions`], { input: 'x'.repeat(100_000) });
    assert.deepEqual(heads.map((head) => head.status), [413]);
    assert.equal(told.size_upload, 0);
  });

  test('a film is brought in two parts, one with its length and one in chunks, and comes back the same', async () => {
    const created = await curl(...tus(), '-X', 'POST', ...header('Upload-Length', BROUGHT.length), ...header('Upload-Metadata', metadata('Brought.mp4', session.key)), `${server.origin}/api/uploads`);
    assert.equal(created.status, 201, created.body.toString());
    const place = new URL(created.fields.location, server.origin).href;
    const half = BROUGHT.length / 2;
    await writeFile(client.folder.path('half'), BROUGHT.subarray(0, half));
    const first = await curl(...part(0), '-T', client.folder.path('half'), place);
    assert.deepEqual([first.status, first.fields['upload-offset']], [204, String(half)]);
    const rest = await client.curl([...part(half), '-T', '-', place], { input: BROUGHT.subarray(half) });
    assert.deepEqual([rest.status, rest.fields['upload-offset']], [204, String(BROUGHT.length)]);
    const listed = async () => JSON.parse((await curl(`${server.origin}/api/videos?session=${session.key}`)).body).videos.find(({ title }) => title === 'Brought');
    const brought = await until(listed, 'the film is listed');
    assert.ok(BROUGHT.equals((await curl(server.origin + brought.url)).body));
  });
});

// The last one: what curl left half way leaves nothing.
test('a curl that ends in the middle of a film leaves no connection', async () => {
  // Nobody reads the pipe, so it stands still, far from the end.
  const child = spawn('curl', ['-q', '-sS', `${server.origin}/api/video?id=long`], { stdio: ['ignore', 'pipe', 'inherit'] });
  await until(async () => (await readMetric(server, 'connections')) === 1, 'curl is there');
  child.kill('SIGKILL');
  await until(async () => (await readMetric(server, 'connections')) === 0, 'its connection has gone');
  assertPart(await curl('-r', '0-9', url), 0, 9);
});
