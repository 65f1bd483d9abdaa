// The pages as they are built: everything they name is there, kept for good, and sent packed.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { brotliDecompressSync } from 'node:zlib';
import { makeFolder } from '../support/files.mjs';
import { ask } from '../support/http_connection.mjs';
import { startServer } from '../support/server.mjs';

const HASHED = /^\/[\w./-]+\.[0-9a-f]{10}\.(js|mjs|css|svg)$/;
let server;
let media;

before(async () => {
  media = await makeFolder();
  server = await startServer({ args: ['--media', media.directory] });
});
after(async () => {
  await server?.stop();
  await media?.remove();
});

const get = (target, headers = {}) => ask(server.origin, 'GET', target, headers);
const namesIn = (text) => [...text.matchAll(/["'`(](\/[\w./-]+\.(?:js|mjs|css|svg))(?=["'`)#])/g)].map(([, name]) => name);

test('every file that the pages lead to is there, by a name that is kept for good', async () => {
  const waiting = new Set(['/', '/player.html']);
  for (const name of waiting) {
    const answer = await get(name);
    assert.equal(answer.status, 200, name);
    if (name.endsWith('/') || name.endsWith('.html')) {
      assert.equal(answer.headers['cache-control'], 'no-cache', name);
    } else {
      assert.match(name, HASHED);
      assert.match(answer.headers['cache-control'], /max-age=31536000, immutable/, name);
    }
    for (const next of namesIn(answer.body.toString())) waiting.add(next);
  }
  for (const kind of ['styles/index', 'styles/player', 'home', 'player', 'watch', 'player/company/picker', 'strings/de', 'strings/home_de', 'vendor/media-chrome', 'vendor/hls.js/hls.min', 'favicon', 'icons']) {
    assert.ok([...waiting].some((name) => name.startsWith(`/${kind}.`)), kind);
  }
});

test('a script is sent packed by brotli, and not again to who has it', async () => {
  const script = namesIn((await get('/')).body.toString()).find((name) => name.startsWith('/home.'));
  const plain = await get(script);
  const packed = await get(script, { 'Accept-Encoding': 'gzip, deflate, br' });
  assert.equal(packed.headers['content-encoding'], 'br');
  assert.ok(packed.body.length < plain.body.length / 2, `${packed.body.length} of ${plain.body.length}`);
  assert.deepEqual(brotliDecompressSync(packed.body), plain.body);
  const again = await get(script, { 'Accept-Encoding': 'br', 'If-None-Match': packed.headers.etag });
  assert.equal(again.status, 304);
});

test('the licence of a library lies beside it', async () => {
  for (const [library, words] of [['hls.js', /Apache License/], ['media-chrome', /Permission is hereby granted/], ['uqr', /MIT License/]]) {
    assert.match((await get(`/vendor/${library}/LICENSE.txt`)).body.toString(), words);
  }
});
