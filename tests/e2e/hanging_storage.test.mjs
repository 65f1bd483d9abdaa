// Storage that stops answering: the server goes on, says what it waits for, and ends in time.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { hangingStorages } from '../support/hanging_storage.mjs';
import { HttpConnection, ask, assertError, requestText } from '../support/http_connection.mjs';
import { createSession, join } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { openFiles } from '../support/process.mjs';
import { startServer } from '../support/server.mjs';
import { until, untilLogged } from '../support/until.mjs';

const FILM = patternBytes(4_000_000);
const MASTER = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\nlow/index.m3u8\n';
const SEGMENTS = Array.from({ length: 80 }, (_, i) => `film/${i}.ts`);
const FILES = {
  'cat.mp4': FILM,
  'film/master.m3u8': MASTER,
  'film/index.m3u8': '#EXTM3U\n',
  ...Object.fromEntries(SEGMENTS.map((name) => [name, name])),
};
// Bounds of the product: an open, and what an end may take beyond --drain.
const OPEN_WAIT_MS = 5_000;
const END_WAIT_MS = 3_000;
const SLACK_MS = 1_500;

const storages = await hangingStorages();

// Runs the body with a server of one worker on such a folder.
function scenario(storage, name, body, { args = [], hangs = [], timeout = 60_000 } = {}) {
  test(`${storage.name}: ${name}`, { timeout, skip: storage.why ?? false }, async () => {
    const media = await storage.mount(FILES);
    let server;
    try {
      for (const [operation, part] of hangs) await media.hang(operation, part);
      const begin = performance.now();
      server = await startServer({
        args: ['--media', media.directory, '--workers', '1', '--drain', '1s', ...args],
        env: media.env,
      });
      await body(server, media, performance.now() - begin);
    } finally {
      await media.free();
      await server?.stop('SIGKILL');
      await media.remove();
    }
  });
}

const hanging = (media, what) => until(async () => (await media.waits()).includes(what), () => `that it hangs: ${what}`);
const videos = async (server) => JSON.parse((await ask(server.origin, 'GET', '/api/videos')).body).videos;

async function assertServes(server) {
  for (const [origin, target] of [[server.adminOrigin, '/healthz'], [server.origin, '/'], [server.origin, '/api/videos']]) {
    assert.equal((await ask(origin, 'GET', target)).status, 200, target);
  }
}

// SIGTERM, while the storage hangs: it ends, of itself and in time.
async function assertEnds(server, extraMs = END_WAIT_MS) {
  const begin = performance.now();
  process.kill(server.pid, 'SIGTERM');
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  const took = performance.now() - begin;
  assert.ok(took < 1_000 + extraMs + SLACK_MS, `it took ${took} ms`);
}

for (const storage of storages) {
  if (storage.why) console.log(`# SKIPPED, storage that hangs by ${storage.name}: ${storage.why}`);

  scenario(storage, 'a playlist that does not open costs its askers an answer, and nobody else', async (server, media) => {
    const { key } = await createSession(server);
    const member = await join(server, key, { name: 'Ann' });
    assert.equal((await ask(server.origin, 'GET', '/media/film/index.m3u8')).status, 200);
    await media.hang('open', 'index.m3u8');
    const begin = performance.now();
    const asked = [1, 2].map(() => ask(server.origin, 'GET', '/media/film/index.m3u8'));
    await hanging(media, 'open /film/index.m3u8');
    await assertServes(server);
    assert.equal((await ask(server.origin, 'GET', '/media/film/0.ts')).body.toString(), 'film/0.ts');
    await member.settled();
    assert.equal(await readMetric(server, 'media_opens'), 1, 'both wait for the same');
    for (const answer of await Promise.all(asked)) {
      assertError(answer, 503, 'unavailable');
      assert.equal(answer.headers['retry-after'], '5');
    }
    const took = performance.now() - begin;
    assert.ok(took > OPEN_WAIT_MS - 500 && took < OPEN_WAIT_MS + SLACK_MS, `${took} ms`);
    await until(() => /media: the storage does not open a file.* file=film\/index\.m3u8/.test(server.stderr()), 'it says so');
    const again = performance.now();
    assertError(await ask(server.origin, 'GET', '/media/film/index.m3u8'), 503, 'unavailable');
    assert.ok(performance.now() - again < 1_000, 'known to be late: nobody waits anew');

    await media.free();
    await until(async () => (await ask(server.origin, 'GET', '/media/film/index.m3u8')).status === 200, 'the playlist');
    assert.equal(await readMetric(server, 'media_opens'), 0);
    await untilLogged(server, /the storage has opened the last file that was late/);
    member.close();
  });

  scenario(storage, 'only so many opens wait, the rest is refused at once', async (server, media) => {
    await media.hang('open', '.ts');
    const begin = performance.now();
    const answers = await Promise.all(SEGMENTS.map(async (name) => {
      const answer = await ask(server.origin, 'GET', `/media/${name}`);
      return { status: answer.status, ms: performance.now() - begin };
    }));
    assert.ok(answers.every(({ status }) => status === 503), JSON.stringify(answers));
    assert.equal(answers.filter(({ ms }) => ms < OPEN_WAIT_MS / 2).length, SEGMENTS.length - 64);
    assert.equal(await readMetric(server, 'media_opens_failed_total{reason="refused"}'), SEGMENTS.length - 64);
    await assertServes(server);
    await media.free();
    await until(async () => (await ask(server.origin, 'GET', '/media/film/79.ts')).status === 200, 'a segment');
  });

  scenario(storage, 'a start does not wait for the videos, and says what is missing', async (server, media, tookMs) => {
    assert.ok(tookMs < 3_000 + SLACK_MS, `${tookMs} ms`);
    await untilLogged(server, new RegExp(`serving without videos until the storage has answered folder="?${media.directory}`));
    assert.deepEqual(await videos(server), []);
    await assertServes(server);
    const { key } = await createSession(server);
    (await join(server, key, { name: 'Ann' })).close();
    const waiting = new RegExp(`media: still waiting for ${media.directory} since (\\d+) s`, 'g');
    await until(() => [...server.stderr().matchAll(waiting)].length >= 2, 'it says what it waits for');
    const since = [...server.stderr().matchAll(waiting)].map(([, s]) => Number(s));
    assert.ok(since[0] >= 2 && since[1] >= since[0] + 2, `${since}`);
    await media.free();
    await until(async () => (await videos(server)).length === 2, 'the videos');
    await untilLogged(server, /the storage answers again/);
  }, { hangs: [['list', '']] });

  scenario(storage, 'an end does not wait for a scan or an open that hangs', async (server, media) => {
    await media.hang('list', '');
    await media.hang('open', 'index.m3u8');
    process.kill(server.pid, 'SIGHUP');
    await hanging(media, 'list /');
    const asked = await HttpConnection.open(server.origin);
    asked.write(requestText('GET', '/media/film/index.m3u8'));
    await hanging(media, 'open /film/index.m3u8');
    await assertEnds(server);
    asked.close();
  });
}

const [fuse] = storages;

scenario(fuse, 'where something else is mounted in place of what hangs, a rescan finds it', async (server, media) => {
  await media.hang('list', '');
  process.kill(server.pid, 'SIGHUP');
  await hanging(media, 'list /');
  await until(() => server.stderr().includes('still waiting for'), 'it is told');
  await media.detach();
  await writeFile(`${media.directory}/dog.mp4`, FILM);
  process.kill(server.pid, 'SIGHUP');
  await until(async () => (await videos(server)).map(({ id }) => id).join() === 'dog', 'the new video');
  await assertEnds(server, 0);
});

scenario(fuse, 'a read that hangs does not outlive --drain', async (server, media) => {
  await media.hang('read', 'cat.mp4');
  const download = (await HttpConnection.open(server.origin)).write(requestText('GET', '/api/video?id=cat'));
  await hanging(media, 'read /cat.mp4');
  await assertServes(server);
  await assertEnds(server, 1_000);
  await untilLogged(server, /ending although storage hangs/);
  await assert.rejects(download.readAnswer(), /the connection ended/);
  download.close();
});

scenario(fuse, 'a file of such storage goes through a kernel worker, in memory or not', async (server) => {
  const download = async () => (await ask(server.origin, 'GET', '/api/video?id=cat')).body;
  assert.ok((await download()).equals(FILM));
  // Elsewhere what has been in memory for a second is sent by the worker itself.
  await sleep(1_200);
  assert.ok((await download()).equals(FILM));
  assert.equal(await readMetric(server, 'video_sent_bytes_total{source="warm"}'), 0);
  assert.equal(await readMetric(server, 'video_sent_bytes_total{source="cold"}'), 2 * FILM.length);
});

scenario(fuse, 'files that cannot be closed hold up neither a worker nor the end', async (server, media) => {
  // Files are closed one after the other: the rest waits for the first, whose number is free already. A
  // playlist is opened each time.
  const download = async () => (await ask(server.origin, 'GET', '/media/film/index.m3u8')).body.toString();
  assert.equal(await download(), '#EXTM3U\n');
  await hanging(media, 'close /film/index.m3u8');
  for (let i = 0; i < 20; ++i) assert.equal(await download(), '#EXTM3U\n');
  assert.equal(openFiles(server.pid).filter((file) => file.endsWith('/film/index.m3u8')).length, 20);
  await assertServes(server);
  await assertEnds(server);
}, { hangs: [['close', '']] });

scenario(fuse, 'a file server that stands still altogether does not keep the program from its end', async (server, media) => {
  await media.pause();
  try {
    process.kill(server.pid, 'SIGHUP');
    const asked = await HttpConnection.open(server.origin);
    asked.write(requestText('GET', '/media/film/index.m3u8'));
    await until(async () => (await readMetric(server, 'media_opens')) === 1, 'the open is asked for');
    await assertServes(server);
    await assertEnds(server);
    asked.close();
  } finally {
    media.goOn();
  }
});

test('what hung storage held does not keep others from the address: not even after a kill', { skip: fuse.why ?? false }, async () => {
  const media = await fuse.mount(FILES);
  const other = await makeFolder({ 'cat.mp4': FILM });
  let server;
  let successor;
  try {
    server = await startServer({ args: ['--media', media.directory, '--workers', '1'] });
    await media.hang('open', 'index.m3u8');
    const asked = await HttpConnection.open(server.origin);
    asked.write(requestText('GET', '/media/film/index.m3u8'));
    await hanging(media, 'open /film/index.m3u8');
    process.kill(server.pid, 'SIGKILL');
    assert.deepEqual(await server.exited, { code: null, signal: 'SIGKILL' });
    await asked.readEnd();
    const listen = new URL(server.origin).host;
    successor = await startServer({ args: ['--media', other.directory], listen });
    assert.equal((await videos(successor)).length, 1);
  } finally {
    await media.free();
    await successor?.stop();
    await server?.stop('SIGKILL');
    await media.remove();
    await other.remove();
  }
});
