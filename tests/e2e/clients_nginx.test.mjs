// nginx as client, set up as others would do it and not with the operator's file (nginx.test.mjs has that one): its
// default of HTTP/1.0, connections that it keeps, slices that it puts together, bodies that it gathers first, and a
// cache that asks again.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { ask } from '../support/http_connection.mjs';
import { createSession, join } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startNginx } from '../support/nginx.mjs';
import { startServer } from '../support/server.mjs';
import { uploader } from '../support/tus.mjs';
import { until } from '../support/until.mjs';

const SLICE = 64 << 10;
const SIZE = 10 * SLICE + 777;
const FILM = patternBytes(SIZE, 31);
const REQUESTS = 100;
const WORKERS = 2; // of nginx: each keeps connections of its own
let media;
let uploads;
let server;
let nginx;

// Every location is a way to proxy; what follows its name is the path for the server.
function configuration(text) {
  const [, place] = /^ *listen (\S+);$/m.exec(text);
  const node = new URL(server.origin).host;
  return `
upstream kept { server ${node}; keepalive 2; }
proxy_cache_path sliced keys_zone=sliced:1m;
proxy_cache_path asked keys_zone=asked:1m;
map $http_upgrade $connection_of { default upgrade; "" close; }
server {
  listen ${place};
  client_max_body_size 0;
  proxy_set_header Host $http_host;
  location / { proxy_pass http://${node}; }
  location /old/ { proxy_pass http://${node}/; }
  location /kept/ { proxy_pass http://kept/; proxy_http_version 1.1; proxy_set_header Connection ""; }
  location /sliced/ {
    slice ${SLICE};
    proxy_cache sliced;
    proxy_cache_key $uri$is_args$args$slice_range;
    proxy_cache_valid 200 206 1h;
    proxy_ignore_headers Cache-Control;
    proxy_set_header Range $slice_range;
    proxy_http_version 1.1;
    proxy_pass http://${node}/;
  }
  location /asked/ {
    proxy_cache asked;
    proxy_cache_revalidate on;
    proxy_cache_valid 200 1s;
    proxy_ignore_headers Cache-Control;
    add_header X-Cache $upstream_cache_status;
    add_header X-Upstream $upstream_status;
    proxy_pass http://${node}/;
  }
  location = /ws {
    proxy_pass http://${node};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_of;
    proxy_set_header Host $http_host;
  }
}`;
}

before(async () => {
  media = await makeFolder({ 'film.mp4': FILM });
  uploads = await makeFolder();
  server = await startServer({ args: ['--media', media.directory, '--uploads', uploads.directory, '--session-rate', '0', '--trusted-proxy', '127.0.0.1'] });
  nginx = await startNginx([server], { edit: configuration });
});
after(async () => {
  await nginx?.stop();
  await server?.stop();
  await uploads?.remove();
  await media?.remove();
});

const get = (way, headers = {}, target = 'api/video?id=film') => ask(nginx.origin, 'GET', `/${way}${target}`, headers);
const accepted = () => readMetric(server, 'connections_accepted_total');
const sentBytes = async () => (await readMetric(server, 'video_sent_bytes_total{source="warm"}')) + (await readMetric(server, 'video_sent_bytes_total{source="cold"}'));

const PARTS = [['0-0', 0, 0], [`${SLICE - 1}-${SLICE}`, SLICE - 1, SLICE], [`${3 * SLICE}-${7 * SLICE - 1}`, 3 * SLICE, 7 * SLICE - 1],
  ['-900', SIZE - 900, SIZE - 1], [`${10 * SLICE}-`, 10 * SLICE, SIZE - 1], ['5-99999999', 5, SIZE - 1]];

for (const [what, way] of [['HTTP/1.0, as nginx does by itself', 'old/'], ['connections that are kept', 'kept/'], ['slices', 'sliced/']]) {
  test(`${what}: the film, and each part of it`, async () => {
    const whole = await get(way);
    assert.equal(whole.status, 200);
    assert.ok(FILM.equals(whole.body));
    for (const [range, first, last] of PARTS) {
      const { status, headers, body } = await get(way, { Range: `bytes=${range}` });
      assert.deepEqual([status, headers['content-range']], [206, `bytes ${first}-${last}/${SIZE}`], range);
      assert.ok(FILM.subarray(first, last + 1).equals(body), range);
    }
    assert.equal((await ask(nginx.origin, 'HEAD', `/${way}api/video?id=film`)).headers['content-length'], String(SIZE));
    assert.equal((await get(way, { Range: `bytes=${SIZE}-` })).status, 416);
  });
}

describe('connections', () => {
  test('a hundred requests, films and refusals among them, take one of each of nginx\'s workers', async () => {
    const before = await accepted();
    for (let i = 0; i < REQUESTS; i += 1) {
      if (i % 4 === 3) assert.equal((await get('kept/', {}, 'nothing-here')).status, 404);
      else assert.equal((await get('kept/', { Range: `bytes=${i * 1_000}-${i * 1_000 + 999}` })).status, 206);
    }
    assert.ok((await accepted()) - before <= WORKERS, 'each kept its connection');
  });

  test('with HTTP/1.0 each takes one of its own, which ends with the answer', async () => {
    const before = await accepted();
    for (let i = 0; i < REQUESTS; i += 1) assert.equal((await get('old/', { Range: 'bytes=0-0' })).status, 206);
    assert.equal((await accepted()) - before, REQUESTS);
    await until(async () => (await readMetric(server, 'connections')) <= 2, 'only kept ones are there');
  });
});

describe('caches', () => {
  test('slices of one film are asked for once, by whichever ranges', async () => {
    const sent = await sentBytes();
    for (const [range] of PARTS) await get('sliced/', { Range: `bytes=${range}` });
    const whole = await get('sliced/');
    assert.ok(FILM.equals(whole.body));
    assert.equal((await sentBytes()) - sent, 0); // the test of slices has had them all
  });

  test('what has become old is asked for anew by its tag and not sent again', async () => {
    const first = await get('asked/', {}, 'player.html');
    assert.deepEqual([first.status, first.headers['x-cache']], [200, 'MISS']);
    const isAskedFor = async () => {
      const again = await get('asked/', {}, 'player.html');
      assert.ok(first.body.equals(again.body));
      return again.headers['x-cache'] === 'REVALIDATED' && again;
    };
    const again = await until(isAskedFor, 'nginx asks whether it is the same still');
    assert.deepEqual([again.status, again.headers['x-upstream'], again.headers.etag], [200, '304', first.headers.etag]);
  });
});

test('a WebSocket by the usual recipe: both directions, pings, fragments, the code at the end', async () => {
  const { key } = await createSession(server);
  const [ann, ben] = [await join(nginx, key, { name: 'Ann' }, { origin: nginx.origin }), await join(server, key, { name: 'Ben' })];
  ann.send('seek', { position: 7 });
  for (const who of [ann, ben]) assert.equal((await who.next('state')).position, 7);
  const bytes = Buffer.from(JSON.stringify({ type: 'chat', text: 'in two ☕ pieces' }));
  ann.socket.send(bytes.subarray(0, 32), { binary: false, fin: false });
  ann.socket.send(bytes.subarray(32), { binary: false, fin: true });
  assert.equal((await ben.next('chat')).text, 'in two ☕ pieces');
  const pong = new Promise((resolve) => ann.socket.once('pong', resolve));
  ann.socket.ping('through nginx');
  assert.equal((await pong).toString(), 'through nginx');
  ann.send('end');
  for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
});

test('a WebSocket whose upgrade nginx does not pass on is told so, and why', async () => {
  const { key } = await createSession(server);
  const { status, headers, body } = await ask(nginx.origin, 'GET', `/old/ws?session=${key}`, { Connection: 'Upgrade', Upgrade: 'websocket' });
  assert.equal(status, 426);
  assert.match(headers.upgrade, /websocket/i);
  assert.ok(JSON.parse(body).error.message.length > 5);
});

test('a film that nginx gathers first, and whose host sends it in chunks, arrives whole', async () => {
  const host = await uploader(nginx);
  const url = await host.begin(FILM.length, 'Brought.mp4');
  const half = FILM.length >> 1;
  assert.equal((await host.patch(url, 0, FILM.subarray(0, half))).status, 204);
  const chunks = Buffer.concat([Buffer.from(`${(FILM.length - half).toString(16)}\r\n`), FILM.subarray(half), Buffer.from('\r\n0\r\n\r\n')]);
  const done = await host.patch(url, half, chunks, { 'Content-Length': null, 'Transfer-Encoding': 'chunked' });
  assert.equal(done.status, 204);
  const listed = async () => (await (await fetch(`${server.origin}/api/videos?session=${host.key}`)).json()).videos.find(({ title }) => title === 'Brought');
  const { url: place } = await until(listed, 'the film is listed');
  assert.ok(FILM.equals((await ask(server.origin, 'GET', place)).body));
});
