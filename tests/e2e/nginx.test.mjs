// A real nginx, with the operator's own file, before two nodes: what must come through, and what
// nginx has to say itself.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { startCluster } from '../support/cluster.mjs';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { HttpConnection, ask, assertError, requestText } from '../support/http_connection.mjs';
import { createSession, eventually, join, refusal } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startNginx } from '../support/nginx.mjs';

const FILM = patternBytes(200_000);
const LONG = patternBytes(32 << 20, 2);
const UNKNOWN = '0b8ff5c5-2a9f-4f1d-8d23-3b2a1e6f9c11';
let media;
let cluster;
let nginx;

before(async () => {
  media = await makeFolder({ 'film.mp4': FILM, 'long.mp4': LONG });
  cluster = await startCluster({ args: ['--media', media.directory, '--trusted-proxy', '127.0.0.1'] });
  nginx = await startNginx(cluster.nodes);
});

after(async () => {
  await nginx?.stop();
  await cluster?.stop();
  await media?.remove();
});

const totalOf = async (name) => {
  const values = await Promise.all(cluster.nodes.map((node) => readMetric(node, name)));
  return values.reduce((sum, value) => sum + value, 0);
};

describe('videos', () => {
  test('ranges, conditions and HEAD are as VideoSync answers them', async () => {
    const whole = await ask(nginx.origin, 'GET', '/api/video?id=film');
    assert.equal(whole.status, 200);
    assert.ok(FILM.equals(whole.body));
    const { etag } = whole.headers;
    const part = await ask(nginx.origin, 'GET', '/api/video?id=film', { Range: 'bytes=1000-1999', 'If-Range': etag });
    assert.deepEqual([part.status, part.headers['content-range']], [206, `bytes 1000-1999/${FILM.length}`]);
    assert.ok(FILM.subarray(1000, 2000).equals(part.body));
    const tail = await ask(nginx.origin, 'GET', '/api/video?id=film', { Range: 'bytes=-10' });
    assert.ok(FILM.subarray(-10).equals(tail.body));
    const several = await ask(nginx.origin, 'GET', '/api/video?id=film', { Range: 'bytes=0-9,100-109' });
    assert.equal(several.status, 206);
    assert.match(several.headers['content-type'], /^multipart\/byteranges/);
    const beyond = await ask(nginx.origin, 'GET', '/api/video?id=film', { Range: 'bytes=200000-' });
    assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, `bytes */${FILM.length}`]);
    const known = await ask(nginx.origin, 'GET', '/api/video?id=film', { 'If-None-Match': etag });
    assert.equal(known.status, 304);
    const head = await ask(nginx.origin, 'HEAD', '/api/video?id=film');
    assert.deepEqual([head.status, head.headers['content-length']], [200, String(FILM.length)]);
  });

  test('a viewer who does not read slows the node down, and nothing goes to nginx\'s disk', async () => {
    const before = await totalOf('video_sent_bytes_total{source="warm"}');
    const viewer = await HttpConnection.open(nginx.origin);
    viewer.pause().write(requestText('GET', '/api/video?id=long'));
    let last = -1;
    const sent = await eventually(async () => {
      const now = (await totalOf('video_sent_bytes_total{source="warm"}')) - before;
      const rests = now > 0 && now === last;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return rests ? now : 0;
    }, (bytes) => bytes > 0, 'the node rests');
    assert.ok(sent < LONG.length, `${sent} bytes were sent to nobody`);
    assert.deepEqual(await readdir(nginx.folder.path('proxy')), []);
    const answer = await viewer.resume().readAnswer();
    assert.ok(LONG.equals(answer.body));
    viewer.close();
  });
});

describe('sessions', () => {
  test('a WebSocket comes through, in both directions, and names who it is from', async () => {
    const { key } = await createSession(nginx);
    const ann = await join(nginx, key, { name: 'Ann' }, { origin: nginx.origin });
    const ben = await join(nginx, key, { name: 'Ben' });
    ann.send('seek', { position: 5 });
    assert.equal((await ben.next('state')).position, 5);
    ann.send('end');
    for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
  });

  test('an unknown session and a foreign page are refused before the upgrade', async () => {
    const { status, body } = await refusal(nginx, { session: UNKNOWN });
    assert.deepEqual([status, body.error.code], [404, 'session_not_found']);
    const { key } = await createSession(nginx);
    assert.equal((await refusal(nginx, { session: key }, { origin: 'https://elsewhere.example' })).status, 403);
  });

  test('all that names one session goes to one node, other sessions to others', async () => {
    const [first] = cluster.nodes;
    const places = new Set();
    for (let i = 0; i < 30 && places.size < 2; i += 1) {
      const { key } = await createSession(nginx);
      const before = await readMetric(first, 'members');
      const crowd = [await join(nginx, key), await join(nginx, key), await join(nginx, key)];
      const here = (await readMetric(first, 'members')) - before;
      assert.ok(here === 0 || here === 3, `${here} of 3 are on the first node`);
      places.add(here);
      for (const member of crowd) await member.close();
      await eventually(() => totalOf('members'), (members) => members === 0, 'members have left');
    }
    assert.equal(places.size, 2);
  });

  test('the internal pages are not to be had from outside', async () => {
    for (const page of ['/metrics', '/healthz', '/readyz']) assertError(await ask(nginx.origin, 'GET', page), 404);
  });
});

describe('limits', () => {
  test('413 as JSON, whether VideoSync or nginx says it', async () => {
    for (const bytes of [100_000, 300_000]) {
      const answer = await ask(nginx.origin, 'POST', '/api/sessions', {}, 'x'.repeat(bytes));
      assert.deepEqual([answer.status, JSON.parse(answer.body).error.code], [413, 'body_too_large']);
      assert.equal(answer.headers['content-type'], 'application/json');
    }
  });

  test('429 with Retry-After counts the client\'s address, not what it claims to be', async () => {
    const limited = await startCluster({
      redis: cluster.redis,
      args: ['--media', media.directory, '--trusted-proxy', '127.0.0.1', '--session-rate', '1', '--session-burst', '3'],
    });
    const front = await startNginx(limited.nodes);
    try {
      const make = (claim) => ask(front.origin, 'POST', '/api/sessions', { 'X-Forwarded-For': claim }, '{}');
      for (let i = 0; i < 3; i += 1) assert.equal((await make(`10.0.0.${i}`)).status, 201);
      const refused = await make('10.0.0.9');
      assertError(refused, 429, 'rate_limited');
      assert.match(refused.headers['retry-after'], /^\d+$/);
    } finally {
      await front.stop();
      await limited.stop();
    }
  });
});

// The last one: it leaves no node.
test('a node that was killed is passed over at once; without any, 503 with Retry-After', async () => {
  const { key } = await createSession(nginx);
  await cluster.nodes[0].stop('SIGKILL');
  for (let i = 0; i < 20; i += 1) {
    const answer = await ask(nginx.origin, 'GET', `/api/video?id=film&session=${i}`, { Range: 'bytes=0-0' });
    assert.equal(answer.status, 206);
  }
  const member = await join(nginx, key);
  await member.close();
  await cluster.nodes[1].stop('SIGKILL');
  const answer = await ask(nginx.origin, 'GET', `/api/sessions/${key}`);
  assert.equal(answer.status, 503);
  assert.equal(JSON.parse(answer.body).error.code, 'unavailable');
  assert.equal(answer.headers['retry-after'], '2');
});
