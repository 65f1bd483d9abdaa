// The end of the program: what a drain finishes, what it does not wait for; and what clients that
// leave without a word cost until then.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { HttpConnection, ask, requestText } from '../support/http_connection.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';

const VIDEO = patternBytes(32 * 1024 * 1024);
let media;
before(async () => {
  media = await makeFolder({ 'film.mp4': VIDEO });
});
after(() => media?.remove());

const start = (...args) => startServer({ args: ['--media', media.directory, '--workers', '2', ...args] });
const videos = requestText('GET', '/api/videos');

// A download that has begun and rests.
async function beginDownload(server) {
  const download = (await HttpConnection.open(server.origin)).pause().write(requestText('GET', '/api/video'));
  await until(async () => (await readMetric(server, 'sent_bytes_total')) > 100_000, 'the download has begun');
  return download;
}

test('SIGTERM: a download is finished, idle connections end at once, newcomers are turned away', async () => {
  const server = await start();
  try {
    const idle = await HttpConnection.open(server.origin);
    await idle.write(videos).readAnswer();
    const begun = (await HttpConnection.open(server.origin)).write(videos.slice(0, 20));
    const download = await beginDownload(server);
    const ready = () => ask(server.adminOrigin, 'GET', '/readyz');
    assert.equal((await ready()).status, 200);
    const termination = performance.now();
    process.kill(server.pid, 'SIGTERM');
    await idle.assertEnds();
    assert.ok(performance.now() - termination < 2_000);
    const unready = await ready();
    assert.equal(unready.status, 503);
    assert.equal(unready.body.toString(), 'draining\n');
    assert.equal((await ask(server.adminOrigin, 'GET', '/healthz')).status, 200);
    await until(() => HttpConnection.open(server.origin).then((late) => late.close(), () => true), 'nobody listens');

    begun.write(videos.slice(20));
    const answer = await begun.readAnswer();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.connection, 'close');
    await begun.assertEnds();

    assert.ok((await download.resume().readAnswer()).body.equals(VIDEO));
    await download.assertEnds();
    for (const connection of [idle, begun, download]) connection.close();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  } finally {
    await server.stop('SIGKILL');
  }
});

test('an idle server ends at once, kept connections or not', async () => {
  for (const count of [0, 50]) {
    const server = await start();
    const open = [];
    for (let i = 0; i < count; ++i) {
      open.push(await HttpConnection.open(server.origin));
      await open.at(-1).write(videos).readAnswer();
    }
    const begin = performance.now();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - begin < 2_000);
    for (const connection of open) await connection.assertEnds();
  }
});

test('a kept connection whose last answers are still unread ends once they are read', async () => {
  const server = await start('--drain', '60s');
  try {
    const reader = (await HttpConnection.open(server.origin)).pause();
    reader.write(requestText('GET', '/').repeat(20_000));
    await sleep(200);
    process.kill(server.pid, 'SIGTERM');
    await sleep(100);
    reader.resume();
    await reader.readEnd();
    reader.close();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  } finally {
    await server.stop('SIGKILL');
  }
});

test('a download that does not end is cut when --drain is over', async () => {
  const server = await start('--drain', '1s');
  try {
    const download = await beginDownload(server);
    const begin = performance.now();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    const took = performance.now() - begin;
    assert.ok(took > 900 && took < 4_000, `${took} ms`);
    await assert.rejects(download.resume().readAnswer(), /the connection ended/);
    download.close();
  } finally {
    await server.stop('SIGKILL');
  }
});

test('a second SIGTERM ends it at once', async () => {
  const server = await start('--drain', '60s');
  try {
    const download = await beginDownload(server);
    process.kill(server.pid, 'SIGTERM');
    await until(() => server.stderr().includes('draining'), 'the drain');
    process.kill(server.pid, 'SIGINT');
    assert.deepEqual(await server.exited, { code: 143, signal: null });
    download.close();
  } finally {
    await server.stop('SIGKILL');
  }
});

test('clients that vanish in the middle of a download leave nothing behind', { timeout: 60_000 }, async () => {
  const server = await start();
  const descriptors = async () => (await readdir(`/proc/${server.pid}/fd`)).length;
  const residentKib = async () => Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${server.pid}/status`, 'utf8'))[1]);
  const vanish = async (count) => {
    for (let i = 0; i < count; ++i) {
      const connection = await HttpConnection.open(server.origin);
      const range = i % 3 === 0 ? { Range: `bytes=${i * 1000}-` } : i % 3 === 1 ? { Range: 'bytes=0-99999,200000-999999' } : {};
      connection.write(requestText('GET', '/api/video', range));
      if (i % 2 === 0) await sleep(i % 5);
      connection.reset();
    }
    await until(async () => (await readMetric(server, 'connections')) === 0, 'all are gone');
  };
  try {
    await vanish(50);
    const start = { descriptors: await descriptors(), kib: await residentKib() };
    await vanish(200);
    // A few pipes may stay, kept for parts of the file that are not in memory.
    await until(async () => (await descriptors()) <= start.descriptors + 16, 'no descriptor leaks');
    // A sanitizer keeps freed memory for a while.
    if (!process.env.VIDEOSYNC_SANITIZE) assert.ok((await residentKib()) < start.kib + 4096, 'memory leaks');
    assert.equal((await ask(server.origin, 'GET', '/api/video')).body.length, VIDEO.length);
  } finally {
    await server.stop('SIGKILL');
  }
});

test('a successor takes the unix socket over while its predecessor still drains', async () => {
  const folder = await makeFolder();
  const path = folder.path('videosync.sock');
  const old = await start('--listen', `unix:${path}`);
  let successor;
  try {
    const download = await beginDownload(old);
    process.kill(old.pid, 'SIGTERM');
    await until(() => HttpConnection.open({ path }).then((late) => late.close(), () => true), 'nobody listens');
    successor = await start('--listen', `unix:${path}`);
    download.close();
    assert.deepEqual(await old.exited, { code: 0, signal: null });
    assert.equal((await ask({ path }, 'GET', '/api/videos')).status, 200);
  } finally {
    await old.stop('SIGKILL');
    await successor?.stop();
    await folder.remove();
  }
});
