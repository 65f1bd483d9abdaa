// The web pages: found, fresh, compressed, guarded.
import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import test, { after, before } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { makeFolder } from '../support/files.mjs';
import { HttpConnection, ask, assertError, requestText } from '../support/http_connection.mjs';
import { startServer } from '../support/server.mjs';

const SCRIPT = 'export const answer = 42;\n'.repeat(200);
let server;
let media;
let www;
let secrets;

before(async () => {
  media = await makeFolder();
  secrets = await makeFolder({ 'secret.html': 'not to be served' });
  www = await makeFolder({
    'index.html': '<!doctype html><title>Home</title>',
    'player.html': '<!doctype html><title>Player</title>',
    'app.js': SCRIPT,
    'app.js.br': brotliCompressSync(SCRIPT),
    'app.js.gz': gzipSync(SCRIPT),
    'app.3f9c2b7e.js': SCRIPT,
    'style/main.css': 'body{}',
    'style/icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'empty.txt': '',
    '.hidden.html': 'not to be served',
    'two words ü.html': 'found',
  });
  await symlink(secrets.path('secret.html'), www.path('link.html'));
  server = await startServer({ args: ['--media', media.directory, '--www', www.directory] });
});
after(async () => {
  await server?.stop();
  for (const folder of [media, www, secrets]) await folder?.remove();
});

const get = (target, headers = {}) => ask(server.origin, 'GET', target, headers);

test('pages are found by name, the start page by its folder', async () => {
  for (const [target, type, content] of [
    ['/', 'text/html; charset=utf-8', /Home/],
    ['/index.html', 'text/html; charset=utf-8', /Home/],
    ['/player.html?session=abc&x=%20', 'text/html; charset=utf-8', /Player/],
    ['/app.js', 'text/javascript; charset=utf-8', /answer/],
    ['/style/main.css', 'text/css; charset=utf-8', /body/],
    ['/style/icon.svg', 'image/svg+xml', /svg/],
    ['/empty.txt', 'text/plain; charset=utf-8', /^$/],
    ['/two%20words%20%C3%BC.html', 'text/html; charset=utf-8', /found/],
  ]) {
    const answer = await get(target);
    assert.equal(answer.status, 200, target);
    assert.equal(answer.headers['content-type'], type);
    assert.match(answer.body.toString(), content);
  }
});

test('nothing else is: hidden files, links that leave, ways up, forms of other pages', async () => {
  const targets = ['/nothing', '/.hidden.html', '/link.html', '/style', '/style/', '/app.js.br', '/app.js.gz',
    '//index.html', '/style/../index.html', '/../secret.html', '/%2e%2e/secret.html', '/.', '/index.html/'];
  for (const target of targets) assertError(await get(target), 404, 'not_found');
  assertError(await get('/..%2fsecret.html'), 400);
  assertError(await get('/index.html%00'), 400);
});

test('a document carries what guards it in a browser', async () => {
  for (const target of ['/', '/player.html', '/style/icon.svg']) {
    const { headers } = await get(target);
    assert.match(headers['content-security-policy'], /default-src 'self'/, target);
    assert.match(headers['content-security-policy'], /frame-ancestors 'none'/, target);
    assert.ok(!headers['content-security-policy'].includes('unsafe'), target);
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin', target);
    assert.match(headers['permissions-policy'], /camera=\(\)/, target);
  }
});

test('every file has its type taken at its word and tells nobody where it was named', async () => {
  for (const target of ['/', '/player.html', '/app.js', '/style/main.css', '/style/icon.svg', '/empty.txt']) {
    const { headers } = await get(target, { 'Accept-Encoding': 'br' });
    assert.equal(headers['x-content-type-options'], 'nosniff', target);
    assert.equal(headers['referrer-policy'], 'no-referrer', target);
  }
});

test('a script or a style sheet does not carry the long policy of documents', async () => {
  for (const target of ['/app.js', '/style/main.css', '/empty.txt']) {
    const { headers } = await get(target);
    for (const name of ['content-security-policy', 'cross-origin-opener-policy', 'permissions-policy']) {
      assert.equal(headers[name], undefined, `${target}: ${name}`);
    }
  }
});

test('the smallest form that the client takes is sent', async () => {
  for (const [accepted, coding, decode] of [
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
    ['*', 'br', brotliDecompressSync],
    ['deflate', undefined, (bytes) => bytes],
    ['', undefined, (bytes) => bytes],
  ]) {
    const answer = await get('/app.js', { 'Accept-Encoding': accepted });
    assert.equal(answer.headers['content-encoding'], coding, accepted);
    assert.equal(answer.headers.vary, 'Accept-Encoding');
    assert.equal(decode(answer.body).toString(), SCRIPT);
  }
  assert.equal((await get('/index.html', { 'Accept-Encoding': 'br' })).headers['content-encoding'], undefined);
});

test('each form has an ETag of its own, and 304 answers who has it', async () => {
  const plain = await get('/app.js');
  const packed = await get('/app.js', { 'Accept-Encoding': 'br' });
  assert.notEqual(plain.headers.etag, packed.headers.etag);
  const connection = await HttpConnection.open(server.origin);
  connection.write(requestText('GET', '/app.js', { 'If-None-Match': plain.headers.etag }).repeat(2));
  for (let i = 0; i < 2; ++i) {
    const answer = await connection.readAnswer();
    assert.equal(answer.status, 304);
    assert.equal(answer.headers.etag, plain.headers.etag);
    assert.equal(answer.headers.vary, 'Accept-Encoding');
  }
  connection.close();
  const other = await get('/app.js', { 'If-None-Match': plain.headers.etag, 'Accept-Encoding': 'br' });
  assert.equal(other.status, 200);
  assertError(await get('/app.js', { 'If-Match': '"other"' }), 412);
});

test('pages are asked about again, what carries its hash is kept for good', async () => {
  assert.equal((await get('/index.html')).headers['cache-control'], 'no-cache');
  assert.match((await get('/app.3f9c2b7e.js')).headers['cache-control'], /max-age=31536000.*immutable/);
});

test('the internal paths are not there for the public', async () => {
  for (const target of ['/healthz', '/readyz', '/metrics']) {
    assertError(await get(target), 404, 'not_found');
    assert.equal((await ask(server.adminOrigin, 'GET', target)).status, 200);
  }
  assertError(await ask(server.adminOrigin, 'GET', '/'), 404, 'not_found');
  assertError(await ask(server.adminOrigin, 'POST', '/metrics'), 405);
  assert.match((await ask(server.adminOrigin, 'GET', '/metrics')).body.toString(), /^# HELP videosync_/);
});
