// HTTP clients that are not of our making and ask for much: h2load, Node's own client with an agent that keeps connections,
// and undici, which pipelines. Each answer is as it is to be, and what was counted on both sides agrees.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Client, fetch } from 'undici';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { createSession } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';

const run = promisify(execFile);
const SIZE = 2_000_003;
const FILM = patternBytes(SIZE, 21);
const FILM_URL = '/api/video?id=film';
let media;
let server;

before(async () => {
  media = await makeFolder({ 'film.mp4': FILM });
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--workers', '2'] });
});
after(async () => {
  await server?.stop();
  await media?.remove();
});

let looks = 0; // at the metrics: each is an answer of 200 itself, and counted after it was told

function look(name) {
  looks += 1;
  return readMetric(server, name);
}

// Of the public's requests.
async function answered(status) {
  const counted = await look(`http_responses_total{status="${status}"}`);
  return status === '2xx' ? counted - (looks - 1) : counted;
}

const sentBytes = async () => (await look('video_sent_bytes_total{source="warm"}')) + (await look('video_sent_bytes_total{source="cold"}'));

// What h2load says of a run: {total, succeeded, failed, errored, timeout, ok: answers of 2xx, others, dataBytes}.
async function h2load(args) {
  const { stdout } = await run('h2load', ['--h1', '-t', '1', ...args.map(String)], { timeout: 60_000 });
  const counts = /^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m.exec(stdout).slice(1).map(Number);
  const [ok, ...others] = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$/m.exec(stdout).slice(1).map(Number);
  const [, dataBytes] = /^traffic: .*\((\d+)\) data$/m.exec(stdout);
  const [total, started, done, succeeded, failed, errored, timeout] = counts;
  return { total, started, done, succeeded, failed, errored, timeout, ok, others, dataBytes: Number(dataBytes) };
}

// All of `count` were answered 2xx, as h2load saw it and as the server counts.
async function assertAllAnswered(count, args) {
  const before = await answered('2xx');
  const connected = await look('connections'); // such as one that fetch() keeps for a while
  const told = await h2load(['-n', count, ...args]);
  const { dataBytes, ...counts } = told;
  assert.deepEqual(counts, { total: count, started: count, done: count, succeeded: count, failed: 0, errored: 0, timeout: 0, ok: count, others: [0, 0, 0] });
  // A worker counts an answer a moment after it has left.
  await until(async () => (await answered('2xx')) - before === count, async () => `${count} answers: ${(await answered('2xx')) - before}`);
  await until(async () => (await look('connections')) <= connected, 'the connections have gone');
  return dataBytes;
}

describe('h2load', () => {
  test('20,000 small requests over 100 connections, eight in a row each', async () => {
    const { key } = await createSession(server);
    const target = `${server.origin}/api/sessions/${key}/validate`;
    const length = JSON.stringify({ valid: true, key }).length;
    assert.equal(await assertAllAnswered(20_000, ['-c', 100, '-m', 8, target]), 20_000 * length);
  });

  test('2,000 ranges over 50 connections: as many bytes as asked for, and as the server counts', async () => {
    const before = await sentBytes();
    const bytes = await assertAllAnswered(2_000, ['-c', 50, '-H', 'Range: bytes=100000-165535', server.origin + FILM_URL]);
    assert.equal(bytes, 2_000 * 65_536);
    // Each worker tells what it has sent, in its own time.
    await until(async () => (await sentBytes()) - before === bytes, async () => `${bytes} bytes: ${(await sentBytes()) - before}`);
  });

  test('1,000 sessions over 20 connections, each another one', async () => {
    const before = await look('sessions');
    const body = media.path('body');
    await media.add('body', '{"video":"film"}');
    await assertAllAnswered(1_000, ['-c', 20, '-d', body, `${server.origin}/api/sessions`]);
    assert.equal((await look('sessions')) - before, 1_000);
  });

  test('what is refused is refused each time, and the connections are kept', async () => {
    const before = await answered('4xx');
    const { done, others, errored } = await h2load(['-n', 2_000, '-c', 20, '-m', 4, `${server.origin}/nothing-here`]);
    assert.deepEqual([done, others, errored], [2_000, [0, 2_000, 0], 0]);
    await until(async () => (await answered('4xx')) - before === 2_000, 'all are counted');
  });
});

describe('Node\'s own client', () => {
  const ask = (agent, target, headers = {}, method = 'GET') => new Promise((resolve, reject) => {
    http.request(server.origin + target, { agent, headers, method }, async (answer) => {
      resolve({ status: answer.statusCode, headers: answer.headers, body: await buffer(answer) });
    }).on('error', reject).end();
  });

  test('200 requests of every kind take the four connections that its agent keeps', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    const ports = new Set();
    agent.on('free', (socket) => ports.add(socket.localPort));
    const { key } = await createSession(server);
    const kinds = [
      async (i) => {
        const { status, body } = await ask(agent, FILM_URL, { Range: `bytes=${i * 9_000}-${i * 9_000 + 8_999}` });
        assert.equal(status, 206);
        assert.ok(FILM.subarray(i * 9_000, i * 9_000 + 9_000).equals(body));
      },
      async () => assert.deepEqual(JSON.parse((await ask(agent, `/api/sessions/${key}/validate`)).body), { valid: true, key }),
      async () => assert.equal((await ask(agent, '/player.html', {}, 'HEAD')).status, 200),
      async () => assert.equal((await ask(agent, '/api/sessions', {}, 'POST')).status, 201),
      async () => assert.equal((await ask(agent, '/nothing-here')).status, 404),
    ];
    await Promise.all(Array.from({ length: 200 }, (_, i) => kinds[i % kinds.length](i)));
    assert.equal(ports.size, 4);
    agent.destroy();
  });

  test('an answer that is given up takes its connection along and nothing else', async () => {
    const request = http.get(server.origin + FILM_URL, { agent: false });
    const [answer] = await once(request, 'response');
    await once(answer, 'data');
    request.destroy();
    const { body } = await ask(undefined, FILM_URL);
    assert.ok(FILM.equals(body));
  });

  test('a body waits for the 100 that it has asked for', async () => {
    const request = http.request(`${server.origin}/api/sessions`, { method: 'POST', agent: false, headers: { Expect: '100-continue', 'Content-Length': 2 } });
    request.flushHeaders();
    await once(request, 'continue');
    request.end('{}');
    const [answer] = await once(request, 'response');
    assert.equal(answer.statusCode, 201);
    answer.resume();
  });
});

describe('undici', () => {
  test('ten in a row on one connection are answered in their order', async () => {
    const client = new Client(server.origin, { pipelining: 10 });
    const connects = [];
    client.on('connect', () => connects.push(1));
    const pieces = await Promise.all(Array.from({ length: 200 }, async (_, i) => {
      const { statusCode, body } = await client.request({ path: FILM_URL, method: 'GET', headers: { range: `bytes=${i * 10_000}-${i * 10_000 + 9_999}` } });
      assert.equal(statusCode, 206);
      return Buffer.from(await body.arrayBuffer());
    }));
    assert.ok(FILM.subarray(0, 2_000_000).equals(Buffer.concat(pieces)));
    assert.equal(connects.length, 1);
    await client.close();
  });

  test('fetch: a stream that is cancelled, and one that is read to its end', async () => {
    const cancelled = await fetch(server.origin + FILM_URL);
    const reader = cancelled.body.getReader();
    await reader.read();
    await reader.cancel();
    const whole = await fetch(server.origin + FILM_URL);
    assert.ok(FILM.equals(Buffer.from(await whole.arrayBuffer())));
    const { status, headers } = await fetch(server.origin + FILM_URL, { headers: { 'If-None-Match': whole.headers.get('etag') } });
    assert.deepEqual([status, headers.get('etag')], [304, whole.headers.get('etag')]);
  });

  test('fetch: a page is packed on the way and the same', async () => {
    const answer = await fetch(`${server.origin}/player.html`);
    assert.match(answer.headers.get('content-encoding'), /^(br|gzip)$/);
    const plain = await fetch(`${server.origin}/player.html`, { headers: { 'Accept-Encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(await answer.text(), await plain.text());
  });
});
