// Every limit of HTTP that a client can reach: what it is told, and that it holds.
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../support/files.mjs';
import { HttpConnection, ask, assertError, exchange, requestText } from '../support/http_connection.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';

let media;
before(async () => {
  media = await makeFolder();
  await media.add('film.mp4', Buffer.alloc(64 * 1024 * 1024, 'film'));
});
after(() => media?.remove());

const videos = requestText('GET', '/api/videos');

// Starts a server for one group of tests; `the.server` is it.
function serverFor(args) {
  const the = {};
  before(async () => {
    the.server = await startServer({ args: ['--media', media.directory, ...args] });
  });
  after(() => the.server?.stop());
  the.open = (options) => HttpConnection.open(the.server.origin, options);
  return the;
}

// Writes, expects this error and a proper end.
async function assertRefused(the, bytes, status, code) {
  const connection = await the.open();
  try {
    const answer = await connection.write(bytes).readAnswer();
    assertError(answer, status, code);
    assert.equal(answer.headers.connection, 'close');
    await connection.assertEnds();
  } finally {
    connection.close();
  }
}

describe('sizes', () => {
  const the = serverFor(['--session-rate', '0']);

  test('a request line of 8 KiB is served, a longer one is 414', async () => {
    const line = (bytes) => `GET /${'a'.repeat(bytes - 'GET / HTTP/1.1\r\n'.length)} HTTP/1.1\r\n`;
    const fitting = await the.open();
    assertError(await fitting.write(`${line(8192)}Host: test\r\n\r\n`).readAnswer(), 404, 'not_found');
    fitting.close();
    await assertRefused(the, `${line(8193)}Host: test\r\n\r\n`, 414, 'uri_too_long');
    await assertRefused(the, 'GET /' + 'a'.repeat(100_000), 414, 'uri_too_long');
  });

  test('a head of 16 KiB is served, a larger one is 431', async () => {
    const head = (bytes) => {
      const start = 'GET /api/videos HTTP/1.1\r\nHost: test\r\nX: ';
      return `${start}${'a'.repeat(bytes - start.length - 4)}\r\n\r\n`;
    };
    const fitting = await the.open();
    assert.equal((await fitting.write(head(16 * 1024)).readAnswer()).status, 200);
    fitting.close();
    await assertRefused(the, head(16 * 1024 + 1), 431, 'head_too_large');
  });

  test('a hundred fields are served, one more is 431', async () => {
    const fields = (count) => `GET /api/videos HTTP/1.1\r\nHost: test\r\n${'X: 1\r\n'.repeat(count - 1)}\r\n`;
    const fitting = await the.open();
    assert.equal((await fitting.write(fields(100)).readAnswer()).status, 200);
    fitting.close();
    await assertRefused(the, fields(101), 431, 'head_too_large');
  });

  test('a body beyond 64 KiB is 413 before it comes, by Content-Length or by the chunk', async () => {
    const post = (headers) => requestText('POST', '/api/sessions', headers);
    await assertRefused(the, post({ 'Content-Length': 65_537 }), 413, 'body_too_large');
    await assertRefused(the, post({ 'Content-Length': '99999999999999999999' }), 413);
    await assertRefused(the, post({ 'Content-Length': 65_537, Expect: '100-continue' }), 413);
    await assertRefused(the, `${post({ 'Transfer-Encoding': 'chunked' })}10001\r\n`, 413);
    await assertRefused(the, `${post({ 'Transfer-Encoding': 'chunked' })}ffffffffffffffffff\r\n`, 413);
    const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`;
    await assertRefused(the, `${post({ 'Transfer-Encoding': 'chunked' })}${chunk}${chunk}1\r\n`, 413);
  });

  test('a body of exactly 64 KiB is read', async () => {
    const connection = await the.open();
    connection.write(requestText('POST', '/api/sessions', {}, '{}'.padEnd(65_536)));
    assert.equal((await connection.readAnswer()).status, 201);
    connection.close();
  });

  test('a refused client that goes on sending still gets to read the refusal', async () => {
    const connection = await the.open();
    connection.write(requestText('POST', '/api/sessions', { 'Content-Length': 500_000 }));
    for (let i = 0; i < 50; ++i) connection.write('x'.repeat(10_000));
    assertError(await connection.readAnswer(), 413);
    await connection.assertEnds();
    connection.close();
  });
});

describe('times', () => {
  const second = ['--header-timeout', '1s', '--body-timeout', '1s', '--idle-timeout', '2s', '--slow-timeout', '2s'];
  const the = serverFor(second);

  const openConnections = () => readMetric(the.server, 'connections');

  test('a head that drips is cut with 408 when its time is over', { timeout: 10_000 }, async () => {
    const connection = await the.open();
    const start = performance.now();
    connection.write('GET / HTTP/1.1\r\nHost: test\r\n');
    const drip = setInterval(() => connection.write('X: y\r\n'), 100);
    const answer = await connection.readAnswer().finally(() => clearInterval(drip));
    const took = performance.now() - start;
    assertError(answer, 408, 'request_timeout');
    assert.equal(answer.headers.connection, 'close');
    assert.ok(took > 900 && took < 3_000, `${took} ms`);
    await connection.assertEnds();
    connection.close();
  });

  test('so is a body that drips', { timeout: 10_000 }, async () => {
    const connection = await the.open();
    connection.write(requestText('POST', '/api/sessions', { 'Content-Length': 1000 }));
    const drip = setInterval(() => connection.write('{'), 100);
    const answer = await connection.readAnswer().finally(() => clearInterval(drip));
    assertError(answer, 408, 'request_timeout');
    connection.close();
    assert.equal(await readMetric(the.server, 'requests_cut_total{reason="late"}'), 2);
  });

  test('a download that nobody reads is given up, one that is read slowly is not', { timeout: 20_000 }, async () => {
    await until(async () => (await openConnections()) === 0, 'no connection is left of the tests before');
    const stuck = (await the.open()).pause();
    stuck.write(requestText('GET', '/api/video'));
    const cut = () => readMetric(the.server, 'requests_cut_total{reason="not_reading"}');
    assert.equal(await cut(), 0);
    const slow = await the.open();
    slow.write(requestText('GET', '/api/video'));
    const start = performance.now();
    let pausing;
    const reading = setInterval(() => {
      slow.resume();
      pausing = setTimeout(() => slow.pause(), 1);
    }, 200);
    slow.pause();
    try {
      await until(async () => (await openConnections()) === 2, 'both are there');
      await until(async () => (await openConnections()) === 1, 'the stuck one is closed');
      assert.ok(performance.now() - start > 1_800);
      await sleep(1_000);
      assert.equal(await openConnections(), 1);
      assert.equal(await cut(), 1);
    } finally {
      clearInterval(reading);
      clearTimeout(pausing); // or it may come after this, and nobody would read any more
      stuck.close();
      slow.resume();
    }
    const answer = await slow.readAnswer();
    assert.equal(answer.body.length, 64 * 1024 * 1024);
    slow.close();
  });

  test('small answers that nobody reads are given up, too, and requests behind them stay outside', { timeout: 20_000 }, async () => {
    await until(async () => (await openConnections()) === 0, 'no connection is left of the tests before');
    const stuck = (await the.open()).pause();
    stuck.write(requestText('GET', '/').repeat(100_000));
    await until(async () => (await openConnections()) === 1, 'it is there');
    await until(async () => (await openConnections()) === 0, 'it is closed');
    assert.ok((await readMetric(the.server, 'received_bytes_total')) < 20_000_000);
    stuck.close();
  });
});

describe('silence', () => {
  const the = {};
  before(async () => {
    the.folder = await makeFolder();
    the.unix = { path: the.folder.path('silence.sock') };
    const times = ['--header-timeout', '2s', '--idle-timeout', '4s', '--listen', `unix:${the.unix.path}`];
    the.server = await startServer({ args: ['--media', media.directory, ...times] });
  });
  after(async () => {
    await the.server?.stop();
    await the.folder?.remove();
  });

  const kinds = [
    ['TCP', () => the.server.origin],
    ['a unix socket', () => the.unix],
  ];
  for (const [kind, address] of kinds) {
    test(`on ${kind} a connection that never speaks has a head's time, one between requests more`, { timeout: 15_000 }, async () => {
      const start = performance.now();
      const endOf = async (first) => {
        const connection = await HttpConnection.open(address());
        try {
          if (first === videos) await connection.write(first).readAnswer();
          else if (first) connection.write(first);
          await connection.assertEnds();
          return performance.now() - start;
        } finally {
          connection.close();
        }
      };
      // Empty lines are no request.
      const [silent, blank, used] = await Promise.all([endOf(''), endOf('\r\n'), endOf(videos)]);
      assert.ok(silent > 1_900 && silent < used - 1_000, `silent ${silent} ms, between requests ${used} ms`);
      assert.ok(blank < used - 1_000, `empty lines ${blank} ms, between requests ${used} ms`);
      assert.ok(used > 3_900, `${used} ms`);
    });
  }
});

describe('how many', () => {
  test('connections: beyond --max-connections 503 with Retry-After, until one leaves', async () => {
    const server = await startServer({ args: ['--media', media.directory, '--max-connections', '3', '--workers', '1'] });
    const open = [];
    try {
      for (let i = 0; i < 3; ++i) {
        open.push(await HttpConnection.open(server.origin));
        assert.equal((await open[i].write(videos).readAnswer()).status, 200);
      }
      for (let i = 0; i < 20; ++i) {
        const refused = await HttpConnection.open(server.origin);
        const answer = await refused.write(videos).readAnswer();
        assertError(answer, 503, 'too_many_connections');
        assert.match(answer.headers['retry-after'], /^\d+$/);
        await refused.assertEnds();
        refused.close();
      }
      open.pop().close();
      await until(async () => (await readMetric(server, 'connections')) === 2, 'one has left');
      assert.equal((await ask(server.origin, 'GET', '/api/videos')).status, 200);
    } finally {
      for (const connection of open) connection.close();
      await server.stop();
    }
  });

  test('who was refused takes nobody\'s place while its connection lingers', async () => {
    const server = await startServer({ args: ['--media', media.directory, '--max-connections', '3', '--workers', '1'] });
    const open = [];
    try {
      for (let i = 0; i < 6; ++i) {
        open.push(await HttpConnection.open(server.origin));
        const answer = await open[i].write(videos).readAnswer();
        if (i < 3) assert.equal(answer.status, 200);
        else assertError(answer, 503, 'too_many_connections');
      }
      open[0].close();
      // Sooner than the server gives up waiting for those that it refused (2 s).
      const isServed = async () => (await ask(server.origin, 'GET', '/api/videos')).status === 200;
      await until(isServed, 'the place of who left', 1_000);
    } finally {
      for (const connection of open) connection.close();
      await server.stop();
    }
  });

  test('connections of one address: beyond --max-per-address 503, while others are served', async () => {
    const server = await startServer({ args: ['--media', media.directory, '--max-per-address', '2'] });
    const open = [];
    const from = async (localAddress) => {
      open.push(await HttpConnection.open(server.origin, { localAddress }));
      return open.at(-1).write(videos).readAnswer();
    };
    try {
      assert.equal((await from('127.0.0.1')).status, 200);
      assert.equal((await from('127.0.0.1')).status, 200);
      const refused = await from('127.0.0.1');
      assertError(refused, 503, 'too_many_connections');
      assert.match(refused.headers['retry-after'], /^\d+$/);
      assert.equal((await from('127.0.0.2')).status, 200);
      open.shift().close();
      await until(async () => (await from('127.0.0.1')).status === 200, 'there is room again');
    } finally {
      for (const connection of open) connection.close();
      await server.stop();
    }
  });

  test('sessions: beyond --max-sessions 503 with Retry-After', async () => {
    const server = await startServer({ args: ['--media', media.directory, '--max-sessions', '2', '--session-rate', '0'] });
    try {
      const first = JSON.parse((await ask(server.origin, 'POST', '/api/sessions')).body);
      assert.equal((await ask(server.origin, 'POST', '/api/sessions')).status, 201);
      const refused = await ask(server.origin, 'POST', '/api/sessions');
      assertError(refused, 503);
      assert.match(refused.headers['retry-after'], /^\d+$/);
      await ask(server.origin, 'DELETE', `/api/sessions/${first.key}`, { Authorization: `Bearer ${first.hostToken}` });
      assert.equal((await ask(server.origin, 'POST', '/api/sessions')).status, 201);
    } finally {
      await server.stop();
    }
  });

  test('behind a trusted proxy it is the client that is counted, and nobody else can claim to be one', async () => {
    const limits = ['--media', media.directory, '--session-rate', '1', '--session-burst', '1'];
    const create = async (server, client) =>
      (await ask(server.origin, 'POST', '/api/sessions', { 'X-Forwarded-For': client })).status;
    const trusting = await startServer({ args: [...limits, '--trusted-proxy', '127.0.0.0/8'] });
    const wary = await startServer({ args: limits });
    try {
      assert.equal(await create(trusting, '198.51.100.1'), 201);
      assert.equal(await create(trusting, '198.51.100.2'), 201);
      assert.equal(await create(trusting, '198.51.100.1'), 429);
      assert.equal(await create(trusting, '198.51.100.3, 198.51.100.2'), 429, 'what a client itself says does not count');
      assert.equal(await create(trusting, '2001:db8::1'), 201);
      assert.equal(await create(trusting, '2001:db8::2'), 429, 'one /64 is one client');
      assert.equal(await create(wary, '198.51.100.1'), 201);
      assert.equal(await create(wary, '198.51.100.2'), 429);
    } finally {
      await trusting.stop();
      await wary.stop();
    }
  });

  test('lines that a client forged do not hide it behind a proxy that appends one of its own', async () => {
    const server = await startServer({
      args: ['--media', media.directory, '--session-rate', '1', '--session-burst', '1', '--trusted-proxy', '127.0.0.0/8'],
    });
    const create = async (lines) => {
      const fields = lines.map((client) => `X-Forwarded-For: ${client}\r\n`).join('');
      return (await exchange(server.origin, `POST /api/sessions HTTP/1.1\r\nHost: test\r\n${fields}\r\n`)).status;
    };
    // Eight times one that differs: whoever counts those lets this client in again and again.
    const forged = (i) => Array.from({ length: 8 }, () => `203.0.113.${i}`);
    try {
      assert.equal(await create([...forged(1), '198.51.100.1']), 201);
      assert.equal(await create([...forged(2), '198.51.100.1']), 429);
      assert.equal(await create([...forged(2), '198.51.100.2']), 201);
    } finally {
      await server.stop();
    }
  });

  test("behind a trusted proxy a handshake that failed leaves nothing on its client's account", async () => {
    const server = await startServer({
      args: ['--media', media.directory, '--max-per-address', '1', '--trusted-proxy', '127.0.0.0/8'],
    });
    const handshake = requestText('GET', '/ws?session=00000000-0000-4000-8000-000000000000', {
      Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'X-Forwarded-For': '198.51.100.1',
    });
    const pooled = [];
    try {
      for (let i = 0; i < 2; ++i) {
        pooled.push(await HttpConnection.open(server.origin));
        assertError(await pooled[i].write(handshake).readAnswer(), 404, 'session_not_found');
      }
      for (const connection of pooled) {
        assert.equal((await connection.write(videos).readAnswer()).status, 200, 'the proxy keeps it open');
      }
    } finally {
      for (const connection of pooled) connection.close();
      await server.stop();
    }
  });

  test('sessions made by one address: 429 with Retry-After beyond the burst', async () => {
    const server = await startServer({ args: ['--media', media.directory, '--session-rate', '10', '--session-burst', '3'] });
    try {
      for (let i = 0; i < 3; ++i) assert.equal((await ask(server.origin, 'POST', '/api/sessions')).status, 201);
      const refused = await ask(server.origin, 'POST', '/api/sessions');
      assertError(refused, 429, 'rate_limited');
      const seconds = Number(refused.headers['retry-after']);
      assert.ok(seconds >= 1 && seconds <= 6, `Retry-After: ${seconds}`);
    } finally {
      await server.stop();
    }
  });
});
