// The library of videos, from the folder to the URLs: what is listed, what is served, what never.
import assert from 'node:assert/strict';
import { readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import test, { after, before } from 'node:test';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { HttpConnection, ask, assertError, requestText } from '../support/http_connection.mjs';
import { makeMedia } from '../support/media.mjs';
import { startServer } from '../support/server.mjs';
import { until, untilLogged } from '../support/until.mjs';

const FILM = patternBytes(50_000);
const MASTER = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\nlow/index.m3u8\n';
const CAPTIONS = 'WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n';
let server;
let media;
let secrets;

before(async () => {
  secrets = await makeFolder({ 'secret.ts': 'not to be served', 'secret.mp4': 'not to be served' });
  media = await makeFolder({
    'The_Film.mp4': FILM,
    'The_Film.en.vtt': CAPTIONS,
    'The_Film.pt-BR.vtt': CAPTIONS,
    'The_Film.jpg': 'jpeg',
    'Ünder 100% "quoted".mp4': FILM,
    'Ünder 100% "quoted".vtt': CAPTIONS,
    '.hidden.mp4': FILM,
    'notes.txt': 'not to be served',
    'stream/master.m3u8': MASTER,
    'stream/low/index.m3u8': '#EXTM3U\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n',
    'stream/low/0.ts': FILM,
    'stream/low/init.mp4': 'init',
    'stream/low/.hidden.ts': 'not to be served',
    'stream/notes.txt': 'not to be served',
    'unlisted/0.m4s': 'not to be served',
  });
  await symlink(secrets.path('secret.ts'), media.path('stream/low/link.ts'));
  await symlink(secrets.directory, media.path('stream/away'));
  await symlink(secrets.path('secret.mp4'), media.path('linked.mp4'));
  server = await startServer({ args: ['--media', media.directory] });
});
after(async () => {
  await server?.stop();
  await media?.remove();
  await secrets?.remove();
});

const get = (target, headers) => ask(server.origin, 'GET', target, headers);
const listed = async (of = server) => JSON.parse((await ask(of.origin, 'GET', '/api/videos')).body).videos;

test('the list tells what a player needs', async () => {
  const videos = await listed();
  assert.deepEqual(videos.map(({ id }) => id), ['the-film', 'stream', videos[2].id]);
  const film = videos[0];
  assert.equal(film.title, 'The Film');
  assert.equal(film.type, 'video/mp4');
  assert.equal(film.bytes, FILM.length);
  assert.equal(film.url, '/api/video?id=the-film');
  assert.equal(film.poster, '/media/The_Film.jpg');
  assert.deepEqual(film.captions, [
    { lang: 'en', label: 'English', url: '/media/The_Film.en.vtt' },
    { lang: 'pt-br', label: 'Portuguese (BR)', url: '/media/The_Film.pt-BR.vtt' },
  ]);
  assert.equal(videos[1].hls, '/media/stream/master.m3u8');
  assert.equal(videos[2].title, 'Ünder 100% "quoted"');
});

test('every URL of the list works as it stands', async () => {
  for (const video of await listed()) {
    const urls = [video.url, video.hls, video.poster, ...video.captions.map(({ url }) => url)];
    for (const url of urls.filter(Boolean)) {
      assert.equal((await get(url)).status, 200, url);
      assert.equal((await ask(server.origin, 'HEAD', url)).status, 200, url);
      assert.match((await get(url, { Range: 'bytes=0-1' })).headers['content-range'], /^bytes 0-1\//);
    }
  }
});

test('captions, posters, playlists and segments have their types and can be validated', async () => {
  for (const [target, type, bytes] of [
    ['/media/The_Film.en.vtt', 'text/vtt; charset=utf-8', CAPTIONS],
    ['/media/The_Film.jpg', 'image/jpeg', 'jpeg'],
    ['/media/stream/master.m3u8', 'application/vnd.apple.mpegurl', MASTER],
    ['/media/stream/low/0.ts', 'video/mp2t', FILM],
    ['/media/stream/low/init.mp4', 'video/mp4', 'init'],
  ]) {
    const answer = await get(target);
    assert.equal(answer.status, 200, target);
    assert.equal(answer.headers['content-type'], type);
    assert.ok(answer.body.equals(Buffer.from(bytes)));
    assert.equal((await get(target, { 'If-None-Match': answer.headers.etag })).status, 304);
  }
});

test('a video that is only HLS is found where its playlist lies', async () => {
  const answer = await get('/api/video?id=stream');
  assert.equal(answer.status, 307);
  assert.equal(answer.headers.location, '/media/stream/master.m3u8');
});

test('nothing outside what is listed is served, however it is spelled', async () => {
  const missing = [
    '/media/', '/media', '/media/notes.txt', '/media/.hidden.mp4', '/media/stream', '/media/stream/',
    '/media/stream/notes.txt', '/media/stream/low/.hidden.ts', '/media/stream/low/link.ts', '/media/stream/away/secret.ts',
    '/media/unlisted/0.m4s', '/media/linked.mp4', '/media/stream/../The_Film.mp4', '/media/../../../etc/passwd',
    '/media/stream/low/%2e%2e/low/0.ts', '/media/stream/%2e%2e/%2e%2e/etc/passwd', '/media/stream/low/%252e%252e/low/0.ts',
    '/media/stream/low//0.ts', '/media//etc/passwd', '/media/stream/./low/0.ts', '/media/stream/low/0.ts/', '/media/STREAM/low/0.ts',
    `/media/stream/${'a/'.repeat(600)}0.ts`, '/media/stream/low/..%5c..%5c0.ts', `/media/stream/low/${'a'.repeat(300)}.ts`,
  ];
  for (const target of missing) {
    const answer = await get(target);
    assert.equal(answer.status, 404, target);
    assertError(answer, 404, 'not_found');
  }
  for (const target of ['/media/stream%2flow/0.ts', '/media/stream/low/0.ts%00', '/media/%00', '/media/..%2f..%2fetc/passwd']) {
    assertError(await get(target), 400, 'bad_request');
  }
  assertError(await get('/api/video?id=..%2fsecret'), 404, 'video_not_found');
  assertError(await get('/api/video?id=linked'), 404, 'video_not_found');
});

test('SIGHUP: new videos come, lost ones go, a download under way is not disturbed', async () => {
  const large = patternBytes(20_000_000, 5);
  const folder = await makeFolder({ 'one.mp4': FILM, 'two.mp4': large });
  const own = await startServer({ args: ['--media', folder.directory, '--workers', '2'] });
  const idsAre = (...ids) =>
    until(async () => (await listed(own)).map(({ id }) => id).join() === ids.join(), `the videos ${ids}`);
  try {
    await idsAre('one', 'two');
    const download = (await HttpConnection.open(own.origin)).pause().write(requestText('GET', '/api/video?id=two'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await rm(folder.path('two.mp4'));
    await folder.add('three.webm', FILM);
    process.kill(own.pid, 'SIGHUP');
    await idsAre('one', 'three');
    assertError(await ask(own.origin, 'GET', '/api/video?id=two'), 404, 'video_not_found');
    assert.ok((await download.resume().readAnswer()).body.equals(large));
    download.close();

    const before = (await ask(own.origin, 'HEAD', '/api/video?id=one')).headers.etag;
    await folder.add('one.new', FILM.subarray(1));
    await rename(folder.path('one.new'), folder.path('one.mp4'));
    process.kill(own.pid, 'SIGHUP');
    await until(async () => (await ask(own.origin, 'HEAD', '/api/video?id=one')).headers.etag !== before, 'the new file');

    await rename(folder.directory, `${folder.directory}.away`);
    process.kill(own.pid, 'SIGHUP');
    await until(() => own.stderr().includes('the library cannot be scanned'), 'a complaint in the log');
    await idsAre('one', 'three');
    await rename(`${folder.directory}.away`, folder.directory);
  } finally {
    await own.stop();
    await folder.remove();
  }
});

test('rescans give back every descriptor', async () => {
  const folder = await makeFolder(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.mp4`, FILM])));
  const own = await startServer({ args: ['--media', folder.directory] });
  const descriptors = async () => (await readdir(`/proc/${own.pid}/fd`)).length;
  const settled = async (count) => {
    await until(async () => (await listed(own)).length === count, `${count} videos`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
  try {
    await settled(20);
    const start = await descriptors();
    for (let round = 0; round < 5; ++round) {
      await folder.add(`new-${round}.mp4`, FILM);
      process.kill(own.pid, 'SIGHUP');
      await settled(21 + round);
    }
    await until(async () => (await descriptors()) <= start + 5 + 2, 'one descriptor a new video');
  } finally {
    await own.stop();
    await folder.remove();
  }
});

test('durations are there once ffprobe has measured, and a session knows them', async () => {
  const real = await makeMedia([{ name: 'real', seconds: 2 }]);
  const own = await startServer({ args: ['--media', real.directory] });
  try {
    const [video] = await until(async () => {
      const videos = await listed(own);
      return videos[0].duration !== undefined && videos;
    }, 'a duration');
    assert.ok(Math.abs(video.duration - 2) < 0.2, `${video.duration} s`);
    const { key } = JSON.parse((await ask(own.origin, 'POST', '/api/sessions')).body);
    const info = JSON.parse((await ask(own.origin, 'GET', `/api/sessions/${key}`)).body);
    assert.equal(info.video.duration, video.duration);
  } finally {
    await own.stop();
    await real.remove();
  }
});

test('an empty library serves pages and sessions, and says that there is no video', async () => {
  const empty = await makeFolder();
  const own = await startServer({ args: ['--media', empty.directory] });
  try {
    assert.deepEqual(await listed(own), []);
    assertError(await ask(own.origin, 'GET', '/api/video'), 404, 'video_not_found');
    const { key } = JSON.parse((await ask(own.origin, 'POST', '/api/sessions')).body);
    assert.equal(JSON.parse((await ask(own.origin, 'GET', `/api/sessions/${key}`)).body).video, null);
    assertError(await ask(own.origin, 'GET', `/api/video?session=${key}`), 404, 'video_not_found');
  } finally {
    await own.stop();
    await empty.remove();
  }
});

test('a film without pictures gets them while the server serves, and its successor has them at once', async () => {
  const films = await makeMedia([{ name: 'film', seconds: 12 }]);
  const cache = await makeFolder();
  const env = { VIDEOSYNC_CACHE: cache.path('pictures') };
  try {
    await writeFile(`${films.directory}/broken.mp4`, 'no film');
    let films_server = await startServer({ args: ['--media', films.directory], env });
    try {
      const film = async () => (await listed(films_server)).find(({ id }) => id === 'film');
      assert.equal((await film()).title, 'film', 'the list does not wait');
      await until(async () => (await film()).thumbnails, 'the thumbnails, of the lowest priority', 60_000);
      const { poster, thumbnails } = await film();
      const picture = await ask(films_server.origin, 'GET', poster);
      assert.equal(picture.headers['content-type'], 'image/jpeg');
      assert.equal(picture.body.readUInt16BE(0), 0xffd8);
      const cues = (await ask(films_server.origin, 'GET', thumbnails)).body.toString();
      assert.match(cues, /^WEBVTT\n\n00:00:00\.000 --> 00:00:01\.000\n/);
      const [, sprite] = /\n([^\n]+)#xywh=160,0,160,90\n/.exec(cues);
      const sheet = await ask(films_server.origin, 'GET', new URL(sprite, `http://x${thumbnails}`).pathname);
      assert.equal(sheet.headers['content-type'], 'image/jpeg');
      await untilLogged(films_server, /no poster of .*broken/);
    } finally {
      await films_server.stop();
    }
    films_server = await startServer({ args: ['--media', films.directory], env: { ...env, PATH: '/nowhere' } });
    try {
      await until(async () => (await listed(films_server)).find(({ id }) => id === 'film').thumbnails, 'the kept ones');
      await until(() => /ffmpeg cannot be run/.test(films_server.stderr()), 'it says what is missing');
    } finally {
      await films_server.stop();
    }
  } finally {
    await films.remove();
    await cache.remove();
  }
});
