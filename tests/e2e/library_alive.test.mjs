// A library as people have it: in folders, of several places, changing by itself; and the list of it.
import assert from 'node:assert/strict';
import { chmod, copyFile, link, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { makeFolder } from '../support/files.mjs';
import { ask, assertError } from '../support/http_connection.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession, join } from '../support/member.mjs';
import { projectRoot, serverBinary, startServer } from '../support/server.mjs';
import { until, untilLogged } from '../support/until.mjs';

const answer = (server, query = '') => ask(server.origin, 'GET', `/api/videos${query}`);
const page = async (server, query) => JSON.parse((await answer(server, query)).body);
const ids = ({ videos }) => videos.map(({ id }) => id).join();
const listed = (server, ...expected) =>
  until(async () => ids(await page(server)) === expected.join(), `the videos ${expected}`);

// folders: what is in each of the libraries.
async function withServer(folders, body, { binary, env = {}, args = [] } = {}) {
  const media = await Promise.all(folders.map((files) => makeFolder(files)));
  const server = await startServer({ binary, args: [...media.flatMap(({ directory }) => ['--media', directory]), ...args], env });
  try {
    await body(server, ...media);
  } finally {
    await server.stop();
    for (const folder of media) await folder.remove();
  }
}

// Stand-ins that hang: for ffprobe and ffmpeg, in the server's PATH, and for videosync-media, beside it. It lies where the
// server lies, for that is linked to.
async function hangingTools() {
  const directory = await mkdtemp(path.join(path.dirname(serverBinary()), 'hanging-'));
  for (const name of ['ffprobe', 'ffmpeg', 'videosync-media']) {
    await writeFile(path.join(directory, name), '#!/bin/sh\nexec sleep 60\n');
    await chmod(path.join(directory, name), 0o755);
  }
  await link(serverBinary(), path.join(directory, 'videosync'));
  return { directory, binary: path.join(directory, 'videosync'), remove: () => rm(directory, { recursive: true }) };
}

test('films come, change and go by themselves', async () => {
  await withServer([{ 'one.mp4': 'one' }], async (server, media) => {
    await listed(server, 'one');
    await media.add('New folder/deep/two.mp4', 'two');
    await listed(server, 'one', 'two');
    await media.add('New folder/deep/three.mp4', 'three');
    await listed(server, 'one', 'three', 'two');
    await writeFile(media.path('one.mp4'), 'longer');
    await until(async () => (await page(server)).videos[0].bytes === 6, 'the longer file');
    await rename(media.path('New folder'), media.path('Other'));
    await until(async () => (await page(server, '?folder=')).folders[0].path === 'Other', 'the folder');
    assert.equal((await ask(server.origin, 'GET', '/api/video?id=two')).body.toString(), 'two', 'it is the same film');
    await rm(media.path('Other'), { recursive: true });
    await listed(server, 'one');
  });
});

test('a library that went away is there again by itself', async () => {
  await withServer([{ 'one.mp4': 'one' }], async (server, media) => {
    await listed(server, 'one');
    const away = `${media.directory}.away`;
    await rename(media.directory, away);
    await untilLogged(server, /the library cannot be scanned; the old one stays/);
    assert.equal(ids(await page(server)), 'one', 'it may come back');
    await writeFile(path.join(away, 'two.mp4'), 'two');
    await rename(away, media.directory);
    await listed(server, 'one', 'two');
  });
});

test('several libraries are one', async () => {
  await withServer([{ 'a.mp4': 'a', 'same.mp4': '1' }, { 'b.mp4': 'b', 'same.mp4': '2', 'b.en.vtt': 'WEBVTT' }], async (server, first, second) => {
    const { videos } = await page(server);
    assert.equal(videos.length, 4);
    const bodies = await Promise.all(videos.map(async ({ url }) => (await ask(server.origin, 'GET', url)).body.toString()));
    assert.deepEqual(bodies.sort(), ['1', '2', 'a', 'b']);
    const { captions } = videos.find(({ id }) => id === 'b');
    assert.equal((await ask(server.origin, 'GET', captions[0].url)).body.toString(), 'WEBVTT');
    const { folders } = await page(server, '?folder=');
    assert.deepEqual(folders, [{ path: '~1', title: path.basename(second.directory), videos: 2 }]);
    await second.add('c.mp4', 'c');
    await until(async () => (await page(server)).videos.some(({ id }) => id === 'c'), 'the new one');
  });
});

test('SIGHUP waits for no probe', async () => {
  const tools = await hangingTools();
  try {
    await withServer([{ 'one.mp4': '1', 'two.mp4': '2', 'three.mp4': '3' }], async (server, media) => {
      const begin = performance.now();
      await rm(media.path('one.mp4'));
      process.kill(server.pid, 'SIGHUP');
      await listed(server, 'three', 'two');
      const took = performance.now() - begin;
      assert.ok(took < 5_000, `${took} ms, of the 10 s that a probe may take`);
    }, { binary: tools.binary, args: ['--www', path.join(projectRoot, 'www')], env: { PATH: `${tools.directory}:/usr/bin:/bin` } });
  } finally {
    await tools.remove();
  }
});

test('what was probed is known at the next start', async () => {
  const films = await makeMedia([{ name: 'film', seconds: 2 }]);
  const cache = await makeFolder();
  const start = (env) => startServer({ args: ['--media', films.directory], env: { VIDEOSYNC_CACHE: cache.directory, ...env } });
  try {
    const first = await start({});
    await until(async () => (await page(first)).videos[0].duration, 'the duration');
    await first.stop();
    const second = await start({ PATH: '/nowhere' });
    const [{ duration }] = (await page(second)).videos;
    await second.stop();
    assert.ok(Math.abs(duration - 2) < 0.2, `${duration} s`);
  } finally {
    await films.remove();
    await cache.remove();
  }
});

test('the list comes in pages, by folder and by words', async () => {
  const files = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`Films/Part ${i + 1}.mp4`, 'x']));
  await withServer([{ ...files, 'Shows/Amélie/Season 01/Amélie S01E01.mp4': 'x', 'Top.mp4': 'x' }], async (server) => {
    let all = [];
    let next;
    do {
      const part = await page(server, `?limit=10${next ? `&after=${next}` : ''}`);
      assert.ok(part.videos.length <= 10);
      all = all.concat(part.videos);
      ({ next } = part);
    } while (next);
    assert.deepEqual(all, (await page(server)).videos);
    assert.deepEqual(Object.keys(await page(server)), ['videos'], 'without parameters as ever');

    const top = await page(server, '?folder=');
    assert.equal(ids(top), 'top');
    assert.deepEqual(top.folders.map(({ path, videos }) => [path, videos]), [['Films', 25], ['Shows', 1]]);
    assert.deepEqual((await page(server, '?folder=Shows')).folders.map(({ path }) => path), ['Shows/Amélie']);
    const found = await page(server, '?query=amelie');
    assert.deepEqual(found.videos[0].show, { title: 'Amélie', season: 1, episode: 1 });
    assert.equal((await page(server, '?query=part+2&limit=3')).videos.length, 3);
    assert.equal((await page(server, '?query=nothing')).videos.length, 0);

    for (const query of ['', '?limit=3', '?query=part']) {
      const { headers } = await answer(server, query);
      assert.match(headers.etag, /^"[0-9a-f]{32}"$/);
      const again = await ask(server.origin, 'GET', `/api/videos${query}`, { 'If-None-Match': headers.etag });
      assert.equal(again.status, 304, query);
      assert.equal(again.body.length, 0);
    }
    for (const query of ['?limit=0', '?limit=x', '?limit=1001', '?after=none']) {
      assertError(await answer(server, query), 400, 'bad_request');
    }
    assert.equal((await ask(server.origin, 'HEAD', '/api/videos?limit=3')).status, 200);
  });
});

test('a running session learns how long its film is, and is by now', async () => {
  const made = await makeMedia([{ name: 'short', seconds: 2 }, { name: 'long', seconds: 9 }]);
  await withServer([{ 'film.mp4': '' }], async (server, media) => {
    await listed(server, 'film');
    const { key } = await createSession(server);
    const host = await join(server, key, { name: 'Ann' });
    const lastsFor = async (seconds) => {
      await until(async () => Math.round((await page(server)).videos[0].duration ?? 0) === seconds, `it lasts ${seconds} s`);
      await host.settled();
    };
    const put = (name) => copyFile(path.join(made.directory, `${name}.mp4`), media.path('film.mp4'));
    // Created while nobody knew: it was to be played on for ever.
    host.send('seek', { position: 60 });
    assert.equal((await host.next('state', ({ cause }) => cause === 'seek')).position, 60);
    await put('short');
    const ended = await host.next('state', ({ cause }) => cause === 'ended');
    assert.ok(Math.abs(ended.position - 2) < 0.1, `it ended at ${ended.position}`);
    await put('long');
    await lastsFor(9);
    host.send('seek', { position: 60 });
    const { position } = await host.next('state', ({ cause }) => cause === 'seek');
    assert.ok(Math.abs(position - 9) < 0.1, `sought to ${position}`);
    host.close();
  });
  await made.remove();
});
