// How requests are read and answered, whatever they ask for: framing, connections, pipelines.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { HttpConnection, ask, assertError, exchange, requestText } from '../support/http_connection.mjs';
import { startServer } from '../support/server.mjs';

const VIDEO = patternBytes(3_000_000);
let server;
let media;

before(async () => {
  media = await makeFolder({ 'film.mp4': VIDEO });
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'] });
});
after(async () => {
  await server?.stop();
  await media?.remove();
});

async function withConnection(work) {
  const connection = await HttpConnection.open(server.origin);
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

const videos = requestText('GET', '/api/videos');

test('a connection is kept for request after request', () =>
  withConnection(async (connection) => {
    for (let i = 0; i < 5; ++i) {
      const answer = await connection.write(videos).readAnswer();
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.connection, undefined);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
  }));

test('Connection: close is answered, then the connection ends; what follows is not', () =>
  withConnection(async (connection) => {
    connection.write(requestText('GET', '/api/videos', { Connection: 'close' }) + videos);
    const answer = await connection.readAnswer();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.connection, 'close');
    await connection.assertEnds();
  }));

test('HTTP/1.0 ends after the answer unless it asks to be kept', async () => {
  await withConnection(async (connection) => {
    const answer = await connection.write('GET /api/videos HTTP/1.0\r\n\r\n').readAnswer();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.connection, 'close');
    await connection.assertEnds();
  });
  await withConnection(async (connection) => {
    for (let i = 0; i < 2; ++i) {
      connection.write('GET /api/videos HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
      const answer = await connection.readAnswer();
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.connection, 'keep-alive');
    }
  });
});

test('a hundred requests in one write are answered in order', () =>
  withConnection(async (connection) => {
    const created = await ask(server.origin, 'POST', '/api/sessions');
    const { key } = JSON.parse(created.body);
    // Answered at once, by another thread, with an error, without a body: all keep their place.
    const kinds = [
      { text: videos, status: 200, has: '"videos"' },
      { text: requestText('GET', `/api/sessions/${key}`), status: 200, has: key },
      { text: requestText('GET', '/nothing-here'), status: 404, has: 'not_found' },
      { text: requestText('HEAD', '/api/videos'), status: 200, has: '', method: 'HEAD' },
      { text: requestText('POST', '/api/sessions', {}, '{}'), status: 201, has: 'hostToken' },
      { text: requestText('GET', '/api/video', { Range: 'bytes=7-10' }), status: 206, has: VIDEO.toString('latin1', 7, 11) },
    ];
    const requests = Array.from({ length: 100 }, (_, i) => kinds[(i * 7 + (i >> 3)) % kinds.length]);
    connection.write(requests.map(({ text }) => text).join(''));
    for (const { status, has, method } of requests) {
      const answer = await connection.readAnswer({ method });
      assert.equal(answer.status, status);
      assert.ok(answer.body.toString('latin1').includes(has));
    }
  }));

test('a whole video, then a small request behind it in the same write', () =>
  withConnection(async (connection) => {
    connection.write(requestText('GET', '/api/video') + videos);
    assert.ok((await connection.readAnswer()).body.equals(VIDEO));
    assert.match((await connection.readAnswer()).body.toString(), /"videos"/);
  }));

test('good requests before a malformed one are answered', () =>
  withConnection(async (connection) => {
    connection.write(`${videos}${videos}GET /\x01 HTTP/1.1\r\nHost: test\r\n\r\n${videos}`);
    assert.equal((await connection.readAnswer()).status, 200);
    assert.equal((await connection.readAnswer()).status, 200);
    const refusal = await connection.readAnswer();
    assertError(refusal, 400, 'bad_request');
    assert.equal(refusal.headers.connection, 'close');
    await connection.assertEnds();
  }));

test('pipelined requests of many times the buffers are all answered to a reader that comes late', () =>
  withConnection(async (connection) => {
    const count = 20_000;
    connection.pause();
    connection.write(videos.repeat(count));
    await sleep(100);
    connection.resume();
    for (let i = 0; i < count; ++i) assert.equal((await connection.readAnswer()).status, 200);
  }));

test('a client that half-closes after its request gets the whole answer', async () => {
  for (const target of ['/api/videos', '/api/video']) {
    await withConnection(async (connection) => {
      connection.write(requestText('GET', target)).endInput();
      const answer = await connection.readAnswer();
      assert.equal(answer.status, 200);
      if (target === '/api/video') assert.ok(answer.body.equals(VIDEO));
      await connection.assertEnds();
    });
  }
});

test('half-closing after several requests and a piece of one more keeps the answers', () =>
  withConnection(async (connection) => {
    connection.write(`${videos.repeat(50)}GET /api/vid`).endInput();
    for (let i = 0; i < 50; ++i) assert.equal((await connection.readAnswer()).status, 200);
    await connection.assertEnds();
  }));

test('a request that comes byte by byte', () =>
  withConnection(async (connection) => {
    for (const byte of requestText('POST', '/api/sessions', {}, '{"control":"everyone"}')) {
      connection.write(byte);
      await new Promise(setImmediate);
    }
    assert.equal((await connection.readAnswer()).status, 201);
  }));

test('Expect: 100-continue is met before the body comes', () =>
  withConnection(async (connection) => {
    connection.write(requestText('POST', '/api/sessions', { Expect: '100-continue', 'Content-Length': 2 }));
    assert.equal((await connection.readAnswer()).status, 100);
    connection.write('{}');
    assert.equal((await connection.readAnswer()).status, 201);
    connection.write(requestText('POST', '/api/sessions', { Expect: 'a-miracle' }, '{}'));
    assertError(await connection.readAnswer(), 417);
  }));

test('a chunked body, cut anywhere, and the next request behind it', () =>
  withConnection(async (connection) => {
    const chunks = '8;note=x;quote="a;b\\""\r\n{"contro\r\n10\r\nl":  "everyone"}\r\n0\r\nTrailer: 1\r\n\r\n';
    const head = requestText('POST', '/api/sessions', { 'Transfer-Encoding': 'chunked' });
    for (const cut of [0, 3, 11, 20, 24, 30, 50, chunks.length - 1]) {
      connection.write(head + chunks.slice(0, cut));
      await sleep(2);
      connection.write(chunks.slice(cut) + videos);
      assert.equal((await connection.readAnswer()).status, 201);
      assert.equal((await connection.readAnswer()).status, 200);
    }
  }));

test('the absolute form of a target, hosts of every kind, and paths with escapes', async () => {
  const spellings = ['http://test/api/videos', 'HTTP://other.example:81/api/videos?x=1', '/api/%76ideos', '/%61pi/videos?'];
  for (const target of spellings) {
    const answer = await ask(server.origin, 'GET', target);
    assert.equal(answer.status, 200, target);
    assert.match(answer.body.toString(), /"videos"/);
  }
  for (const name of ['', 'a:', 'a:65535', '[::1]:8080', 'a%41']) {
    assert.equal((await ask(server.origin, 'GET', '/api/videos', { Host: name })).status, 200, name);
  }
  for (const target of ['/api%2Fvideos', '/api/videos%', '/api/%zz', '/api/%00', '/a%0d%0ab', '/%ff', 'ftp://test/', 'api/videos', '*']) {
    assertError(await ask(server.origin, 'GET', target), 400, 'bad_request');
  }
});

test('empty lines before a request are forgiven', () =>
  withConnection(async (connection) => {
    connection.write(`\r\n\r\n${videos}\r\n${videos}`);
    assert.equal((await connection.readAnswer()).status, 200);
    assert.equal((await connection.readAnswer()).status, 200);
  }));

test('malformed requests get 400 and the end, never another answer', async () => {
  const host = 'Host: test\r\n';
  const malformed = {
    'no Host': 'GET / HTTP/1.1\r\n\r\n',
    'two Hosts': `GET / HTTP/1.1\r\n${host}${host}\r\n`,
    'a Host with two ports': 'GET / HTTP/1.1\r\nHost: a:b:c\r\n\r\n',
    'a Host with a port that no machine has': 'GET / HTTP/1.1\r\nHost: a:99999999\r\n\r\n',
    'a Host with a bracket that stays open': 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n',
    'a Host with half an escape': 'GET / HTTP/1.1\r\nHost: a%\r\n\r\n',
    'a Host with a user': 'GET / HTTP/1.1\r\nHost: user@a\r\n\r\n',
    'a target with two ports': `GET http://a:b:c/ HTTP/1.1\r\n${host}\r\n`,
    'a target with a port that no machine has': `GET http://a:99999999/ HTTP/1.1\r\n${host}\r\n`,
    'a target with a user': `GET http://user@a/ HTTP/1.1\r\n${host}\r\n`,
    'a target that is an authority': `GET test:80 HTTP/1.1\r\n${host}\r\n`,
    'a bare LF': `GET / HTTP/1.1\n${host}\n`,
    'a folded field': `GET / HTTP/1.1\r\n${host} folded\r\n\r\n`,
    'a blank before the colon': 'GET / HTTP/1.1\r\nHost : test\r\n\r\n',
    'a NUL in a field': `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`,
    'both framings': `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'two lengths': `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
    'a signed length': `POST / HTTP/1.1\r\n${host}Content-Length: +3\r\n\r\nabc`,
    'a malformed chunk': `POST /api/sessions HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    'a quote that stays open': `POST /api/sessions HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2;a="b\r\n{}\r\n`,
    'TLS on a plain port': Buffer.from('16030100f8010000f40303', 'hex'),
  };
  for (const [what, bytes] of Object.entries(malformed)) {
    await withConnection(async (connection) => {
      const answer = await connection.write(bytes).readAnswer();
      assert.equal(answer.status, 400, what);
      assertError(answer, 400, 'bad_request');
      assert.equal(answer.headers.connection, 'close');
      await connection.assertEnds();
    });
  }
});

test('methods: 405 with Allow where it is another, 501 where nobody knows it, 505 for versions', async () => {
  for (const [method, target, allow] of [
    ['POST', '/api/videos', 'GET, HEAD'],
    ['PUT', '/api/sessions', 'POST'],
    ['GET', '/api/sessions', 'POST'],
    ['PATCH', '/api/video', 'GET, HEAD'],
    ['DELETE', '/', 'GET, HEAD'],
    ['POST', '/media/film.vtt', 'GET, HEAD'],
    ['POST', '/api/sessions/0b8ff5c5-2a9f-4f1d-8d23-3b2a1e6f9c11', 'GET, HEAD, DELETE'],
    ['DELETE', '/api/sessions/0b8ff5c5-2a9f-4f1d-8d23-3b2a1e6f9c11/validate', 'GET, HEAD'],
    ['POST', '/ws', 'GET'],
  ]) {
    const answer = await ask(server.origin, method, target);
    assertError(answer, 405, 'method_not_allowed');
    assert.equal(answer.headers.allow, allow, `${method} ${target}`);
  }
  assertError(await ask(server.origin, 'PROPFIND', '/'), 501, 'not_implemented');
  assertError(await ask(server.origin, 'BREW', '/'), 501, 'not_implemented');
  assertError(await exchange(server.origin, 'GET / HTTP/2.0\r\nHost: test\r\n\r\n'), 505);
  const options = await ask(server.origin, 'OPTIONS', '*');
  assert.equal(options.status, 204);
  assert.match(options.headers.allow, /GET, HEAD, POST/);
});

test('HEAD says what GET would, without the body', async () => {
  const { key } = JSON.parse((await ask(server.origin, 'POST', '/api/sessions')).body);
  const targets = ['/', '/player.html', '/api/videos', '/api/video', `/api/video?session=${key}`, '/nothing',
    `/api/sessions/${key}/validate`, '/api/video?id=nothing', '/api/sessions/none'];
  for (const target of targets) {
    await withConnection(async (connection) => {
      connection.write(requestText('HEAD', target) + requestText('GET', target));
      const head = await connection.readAnswer({ method: 'HEAD' });
      const whole = await connection.readAnswer();
      assert.equal(head.status, whole.status, target);
      delete head.headers.date;
      delete whole.headers.date;
      assert.deepEqual(head.headers, whole.headers, target);
    });
  }
});

test('HEAD of an address that wants a WebSocket has no body, either', () =>
  withConnection(async (connection) => {
    connection.write(requestText('HEAD', '/ws') + videos);
    assert.equal((await connection.readAnswer({ method: 'HEAD' })).status, 405);
    assert.equal((await connection.readAnswer()).status, 200);
  }));

test('no answer tells the name or version of the program', async () => {
  for (const target of ['/', '/api/videos', '/nothing']) {
    const { headers } = await ask(server.origin, 'GET', target);
    assert.equal(headers.server, undefined);
    assert.equal(headers['x-powered-by'], undefined);
  }
});
