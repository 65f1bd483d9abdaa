// A real nginx with the operator's own cache (deploy/nginx-cache.conf): a crowd costs the server each byte once, and
// nobody is given from the cache what the server would refuse.
import assert from 'node:assert/strict';
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { filesBelow, makeFolder, patternBytes } from '../support/files.mjs';
import { formsFolder, segmentsOf } from '../support/forms_server.mjs';
import { HttpConnection, ask, assertError, requestText } from '../support/http_connection.mjs';
import { createSession, join } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startNginx } from '../support/nginx.mjs';
import { startServer } from '../support/server.mjs';
import { uploader } from '../support/tus.mjs';
import { until } from '../support/until.mjs';

const SLICE = 1 << 20;
const FILM = patternBytes(3 * SLICE + 12_345);
const SEGMENT = patternBytes(700_000, 3);
const URL_OF_FILM = '/api/video?id=film';
const VIEWERS = 1_000;
const AT_ONCE = 100;
const PLAYLIST = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.ts\n#EXT-X-ENDLIST\n';
const MASTER = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv/index.m3u8\n';

let media;
let uploads;
let server;
let nginx;

before(async () => {
  media = await makeFolder({
    'film.mp4': FILM, 'other.mp4': patternBytes(50_000, 2), 'stream/master.m3u8': MASTER, 'stream/v/index.m3u8': PLAYLIST, 'stream/v/0.ts': SEGMENT,
  });
  uploads = await makeFolder();
  server = await startServer({
    args: ['--media', media.directory, '--uploads', uploads.directory, '--trusted-proxy', '127.0.0.1', '--session-rate', '0', '--workers', '1'],
  });
  nginx = await startNginx([server], { keepsFilms: true });
});

after(async () => {
  await nginx?.stop();
  await server?.stop();
  await uploads?.remove();
  await media?.remove();
});

// A server of one worker tells to the moment.
const sentBy = async (node) => (await readMetric(node, 'video_sent_bytes_total{source="warm"}')) + (await readMetric(node, 'video_sent_bytes_total{source="cold"}'));

// What the server itself sends of media while this is done.
async function costOf(node, act) {
  const before = await sentBy(node);
  await act();
  return (await sentBy(node)) - before;
}

// So many requests over AT_ONCE connections. `of(i)`: [target, headers, check(answer)].
async function crowd(origin, count, of) {
  let next = 0;
  const viewer = async () => {
    const connection = await HttpConnection.open(origin);
    while (next < count) {
      const [target, headers, check] = of(next++);
      connection.write(requestText('GET', target, headers));
      check(await connection.readAnswer({ timeoutMs: 60_000 }));
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, viewer));
}

function assertPart(answer, whole, from, to) {
  assert.deepEqual([answer.status, answer.headers['content-range']], [206, `bytes ${from}-${to}/${whole.length}`]);
  assert.ok(whole.subarray(from, to + 1).equals(answer.body), `bytes ${from}-${to}`);
}

describe('a crowd', () => {
  test('costs the server each byte of a film once', async () => {
    const cost = await costOf(server, () => crowd(nginx.origin, VIEWERS, (i) => {
      const from = Math.floor((i * 7_919) % (FILM.length - 1_000));
      const to = Math.min(FILM.length - 1, from + 200_000 + i);
      return [URL_OF_FILM, { Range: `bytes=${from}-${to}` }, (answer) => assertPart(answer, FILM, from, to)];
    }));
    assert.equal(cost, FILM.length);
  });

  test('finds it there under each way of naming a session', async () => {
    const { key, code } = await createSession(nginx);
    const cost = await costOf(server, async () => {
      for (const target of [`${URL_OF_FILM}&session=${key}`, `/api/video?session=${code}&id=film`]) {
        assertPart(await ask(nginx.origin, 'GET', target, { Range: 'bytes=5-1048999' }), FILM, 5, 1_048_999);
      }
    });
    assert.equal(cost, 0);
  });

  test('costs it each byte of an HLS rendition once', async () => {
    const files = { 'master.m3u8': Buffer.from(MASTER), 'v/index.m3u8': Buffer.from(PLAYLIST), 'v/0.ts': SEGMENT };
    const names = Object.keys(files);
    const all = Object.values(files).reduce((sum, { length }) => sum + length, 0);
    const cost = await costOf(server, () => crowd(nginx.origin, 300, (i) => {
      const name = names[i % names.length];
      return [`/media/stream/${name}`, {}, (answer) => {
        assert.equal(answer.status, 200, name);
        assert.ok(files[name].equals(answer.body), name);
      }];
    }));
    assert.equal(cost, all);
  });

  test('costs it each byte of a form once', async (t) => {
    const folder = await formsFolder();
    t.after(() => folder.remove());
    const maker = await folder.serve(t, { args: ['--trusted-proxy', '127.0.0.1', '--workers', '1'] });
    const front = await startNginx([maker], { keepsFilms: true });
    t.after(() => front.stop());
    const targets = (await segmentsOf(front.origin, 'copy')).slice(0, 3).map((url) => new URL(url).pathname);
    const seen = new Map();
    const cost = await costOf(maker, () => crowd(front.origin, 300, (i) => {
      const target = targets[i % targets.length];
      return [target, {}, ({ status, headers, body }) => {
        assert.equal(status, 200, target);
        assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
        assert.ok((seen.get(target) ?? body).equals(body), target);
        seen.set(target, body);
      }];
    }));
    assert.equal(seen.size, targets.length);
    assert.equal(cost, [...seen.values()].reduce((sum, { length }) => sum + length, 0));
  });
});

describe('what a viewer sees', () => {
  test('is what the server says of ranges, conditions and HEAD', async () => {
    const asked = [
      ['GET', URL_OF_FILM, {}], ['GET', URL_OF_FILM, { Range: 'bytes=-10' }], ['GET', URL_OF_FILM, { Range: `bytes=${SLICE - 1}-${SLICE}` }],
      ['GET', URL_OF_FILM, { Range: `bytes=${2 * SLICE}-` }], ['GET', URL_OF_FILM, { Range: 'bytes=0-9,100-109' }],
      ['GET', URL_OF_FILM, { Range: 'bytes=0-9', 'If-Range': '"another"' }],
      ['HEAD', URL_OF_FILM, {}], ['POST', URL_OF_FILM, {}], ['GET', '/api/video?id=nobody', {}], ['GET', '/api/video?id=film&id=other', { Range: 'bytes=0-9' }],
      ['GET', '/api/video?ID=film&id=other', { Range: 'bytes=0-9' }], ['GET', '/api/video?id=stream', {}], ['GET', '/api/video?id=film&session=nobody', {}],
      ['GET', '/media/nothing.vtt', {}], ['GET', '/forms/film/1-1/copy/0.m4s', {}],
    ];
    for (const [method, target, headers] of asked) {
      const [cached, own] = await Promise.all([nginx, server].map(({ origin }) => ask(origin, method, target, headers)));
      const told = ({ status, headers: fields }) => [status, ...['content-range', 'content-length', 'content-type', 'cache-control', 'etag', 'location'].map((name) => fields[name])];
      assert.deepEqual(told(cached), told(own), `${method} ${target} ${JSON.stringify(headers)}`);
      assert.ok(own.body.equals(cached.body), `${method} ${target} ${JSON.stringify(headers)}`);
    }
    const beyond = await ask(nginx.origin, 'GET', URL_OF_FILM, { Range: `bytes=${FILM.length}-` });
    assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, `bytes */${FILM.length}`]);
    const { headers: { etag } } = await ask(server.origin, 'HEAD', URL_OF_FILM);
    assert.equal((await ask(nginx.origin, 'GET', URL_OF_FILM, { 'If-None-Match': etag })).status, 304);
    assertPart(await ask(nginx.origin, 'GET', URL_OF_FILM, { Range: 'bytes=0-9', 'If-Range': etag }), FILM, 0, 9);
  });

  // Whatever nginx and VideoSync make of an address: their tags tell these two not apart.
  test('is the film that was asked for, also of two of one size and time', async () => {
    const twins = ['one', 'two'].map((name, i) => [name, patternBytes(20_000, 20 + i)]);
    for (const [name, bytes] of twins) {
      await writeFile(`${media.directory}/${name}.mp4`, bytes);
      await utimes(`${media.directory}/${name}.mp4`, 1_700_000_000, 1_700_000_000);
    }
    await until(async () => (await Promise.all(twins.map(([name]) => ask(server.origin, 'HEAD', `/api/video?id=${name}`)))).every(({ status }) => status === 200), 'both are in the library');
    for (const query of ['id=one', 'id=two', 'ID=one&id=two', 'id=two&ID=one', '%69d=two&id=one', 'id=one&id=two', 'id=one&%69d=two']) {
      const [cached, own] = await Promise.all([nginx, server].map(({ origin }) => ask(origin, 'GET', `/api/video?${query}`)));
      assert.deepEqual([own.status, own.body.length], [200, 20_000], query);
      assert.ok(own.body.equals(cached.body), query);
    }
  });

  test('is the new film at once where it was replaced, and nothing of the old one', async () => {
    const old = patternBytes(2 * SLICE, 8);
    await writeFile(`${media.directory}/changed.mp4`, old);
    const target = '/api/video?id=changed';
    const get = (range) => ask(nginx.origin, 'GET', target, { Range: range });
    await until(async () => (await get('bytes=0-0')).status === 206, 'the film is in the library');
    const before = await get(`bytes=0-${SLICE - 1}`); // its first slice alone is kept
    assertPart(before, old, 0, SLICE - 1);
    const renewed = patternBytes(2 * SLICE, 9);
    await writeFile(`${media.directory}/changed.new`, renewed);
    await rename(`${media.directory}/changed.new`, `${media.directory}/changed.mp4`);
    await until(async () => (await ask(server.origin, 'HEAD', target)).headers.etag !== before.headers.etag, 'the server has the new film');
    const whole = await ask(nginx.origin, 'GET', target);
    assert.notEqual(whole.headers.etag, before.headers.etag);
    assert.ok(renewed.equals(whole.body));
    await rm(`${media.directory}/changed.mp4`);
    await until(async () => (await ask(server.origin, 'HEAD', target)).status === 404, 'the server has it no more');
    assertError(await get('bytes=0-9'), 404, 'video_not_found');
  });
});

describe('rights', () => {
  test('a film is refused to strangers though the cache has it', async (t) => {
    const guarded = await startServer({ args: ['--media', media.directory, '--trusted-proxy', '127.0.0.1', '--create-password', 'sesame', '--workers', '1'] });
    t.after(() => guarded.stop());
    const front = await startNginx([guarded], { keepsFilms: true });
    t.after(() => front.stop());
    const authorization = `Basic ${Buffer.from(':sesame').toString('base64')}`;
    const { key } = await (await fetch(`${front.origin}/api/sessions`, { method: 'POST', headers: { authorization } })).json();
    const cookie = (await fetch(`${front.origin}/api/sessions/${key}`)).headers.get('set-cookie').split(';')[0];
    const targets = [[URL_OF_FILM, FILM], ['/media/stream/v/0.ts', SEGMENT]];
    const rights = [{ cookie }, { Authorization: authorization }];
    const all = targets.reduce((sum, [, { length }]) => sum + length, 0);
    const cost = await costOf(guarded, async () => {
      for (const [target, bytes] of targets) {
        for (const right of rights) assert.ok(bytes.equals((await ask(front.origin, 'GET', target, right)).body));
        const named = `${target}${target.includes('?') ? '&' : '?'}session=${key}`;
        assert.ok(bytes.equals((await ask(front.origin, 'GET', named)).body));
        for (const headers of [{}, { Range: 'bytes=0-9' }, { cookie: 'videosync_viewer=99999999999.00' }]) {
          assertError(await ask(front.origin, 'GET', target, headers), 403, 'session_required');
        }
        assertError(await ask(front.origin, 'GET', target, { Authorization: `Basic ${Buffer.from(':x').toString('base64')}` }), 401, 'wrong_password');
        assert.equal((await ask(front.origin, 'GET', named.replace(key, '12345678-1234-4234-8234-123456789012'))).status, 404);
      }
    });
    assert.equal(cost, all, 'the members were served from the cache');
  });

  test('what a host has brought is not kept, and is gone with its session', async () => {
    const host = await uploader(nginx);
    const bytes = patternBytes(2 * SLICE + 5, 6);
    await host.bring(bytes, 'Brought.mp4');
    const listed = async () => (await (await fetch(`${nginx.origin}/api/videos?session=${host.key}`)).json()).videos.find(({ title }) => title === 'Brought');
    const { url } = await until(listed, 'the film is listed');
    const kept = (await filesBelow(nginx.folder.path('cache'))).length;
    const cost = await costOf(server, async () => {
      for (let i = 0; i < 2; i += 1) assert.ok(bytes.equals((await ask(nginx.origin, 'GET', url)).body));
    });
    assert.equal(cost, 2 * bytes.length);
    assert.equal((await filesBelow(nginx.folder.path('cache'))).length, kept);
    const { headers } = await ask(server.origin, 'GET', url, { Range: 'bytes=0-9' });
    assert.deepEqual([headers['cache-control'], headers['cdn-cache-control']], ['private, no-cache', 'no-store']);
    await ask(nginx.origin, 'DELETE', `/api/sessions/${host.key}`, { Authorization: `Bearer ${host.hostToken}` });
    // Of its head alone: an answer that is on its way while the film goes ends early.
    await until(async () => (await ask(nginx.origin, 'HEAD', url)).status === 404, 'the film has gone');
    assert.equal((await ask(nginx.origin, 'GET', url)).status, 404);
  });
});

test('the forms of what a host has brought are not kept either', async (t) => {
  const folder = await formsFolder();
  const own = await makeFolder();
  t.after(async () => {
    await folder.remove();
    await own.remove();
  });
  const maker = await folder.serve(t, { args: ['--trusted-proxy', '127.0.0.1', '--workers', '1', '--uploads', own.directory] });
  const front = await startNginx([maker], { keepsFilms: true });
  t.after(() => front.stop());
  const host = await uploader(front);
  await host.bring(await readFile(folder.film), 'Brought.mkv');
  const listed = async () => (await (await fetch(`${front.origin}/api/videos?session=${host.key}`)).json()).videos.find(({ title }) => title === 'Brought');
  const { id } = await until(listed, 'the film is listed');
  const [first] = await segmentsOf(front.origin, 'copy', id);
  const told = (answer) => ['cache-control', 'cdn-cache-control'].map((name) => answer.headers.get(name));
  const forms = await fetch(`${front.origin}/forms/${id}/film.json`);
  assert.deepEqual(told(forms), ['private, no-cache', 'no-store']);
  for (const method of ['HEAD', 'GET', 'GET', 'HEAD']) { // before it is made, and after
    const answer = await fetch(first, { method });
    await answer.arrayBuffer();
    assert.equal(answer.status, 200);
    assert.deepEqual(told(answer), ['private, max-age=31536000, immutable', 'no-store']);
  }
  assert.deepEqual(await filesBelow(front.folder.path('cache')), []);
});

describe('all else', () => {
  test('is asked of the server each time', async () => {
    const { key } = await createSession(nginx);
    const member = await join(nginx, key, { name: 'Ann' }, { origin: nginx.origin });
    const state = async () => (await (await fetch(`${nginx.origin}/api/sessions/${key}`)).json()).state.position;
    for (const position of [5, 9]) {
      member.send('seek', { position });
      await member.next('state');
      assert.equal(await state(), position);
    }
    const kept = (await filesBelow(nginx.folder.path('cache'))).length;
    for (const path of ['/', '/player.html', '/api/videos', `/api/sessions/${key}`]) assert.equal((await fetch(nginx.origin + path)).status, 200);
    assert.equal((await filesBelow(nginx.folder.path('cache'))).length, kept);
    assert.equal((await fetch(`${nginx.origin}/videosync-may`)).status, 404, 'nobody asks in nginx\'s name');
    await member.close();
  });
});

// The last one: it leaves no server.
test('without a server, 503 with Retry-After, as JSON', async () => {
  await server.stop();
  const { status, headers, body } = await ask(nginx.origin, 'GET', URL_OF_FILM);
  assert.deepEqual([status, headers['retry-after'], JSON.parse(body).error.code], [503, '2', 'unavailable']);
});
