// Forms of films where a disk is full, small, or does not answer: the film's, or that of --cache.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { filesBelow } from '../support/files.mjs';
import { fetchBytes, fetchPatiently, makersOf } from '../support/forms.mjs';
import { formsFolder, segmentsOf } from '../support/forms_server.mjs';
import { hangingStorages } from '../support/hanging_storage.mjs';
import { readMetric } from '../support/metrics.mjs';
import { until } from '../support/until.mjs';

const run = promisify(execFile);

let film;
let serve;
let folder;
before(async () => {
  folder = await formsFolder();
  ({ film, serve } = folder);
});
after(() => folder.remove());

async function smallDisk(t, bytes) {
  const disk = await mkdtemp(path.join(tmpdir(), 'videosync-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk]);
  } catch (error) {
    await rm(disk, { recursive: true });
    return t.skip(`nothing can be mounted: ${error.message.trim()}`);
  }
  t.after(async () => {
    await run('umount', ['-l', disk]);
    await rm(disk, { recursive: true });
  });
  return disk;
}

test('a disk that is smaller than --cache-size: the film plays through', async (t) => {
  const disk = await smallDisk(t, 2 << 20);
  if (!disk) return;
  const server = await serve(t, { cache: disk, args: ['--cache-size', '1GiB'] });
  const all = [...await segmentsOf(server.origin, 'copy'), ...await segmentsOf(server.origin, 'transcode')];
  let bytes = 0;
  for (const url of all) bytes += (await fetchPatiently(url)).length;
  assert.ok(bytes > 2 << 20, `${bytes} bytes fit`);
  assert.ok(await readMetric(server, 'form_runs_failed_total{of="cache"}') > 0);
  assert.ok(await readMetric(server, 'form_cache_bytes') <= 2 << 20);
});

// To the last block, whoever else writes there meanwhile.
function fill(file) {
  const descriptor = openSync(file, 'w');
  try {
    for (const block = Buffer.alloc(4_096);;) writeSync(descriptor, block);
  } catch (error) {
    assert.equal(error.code, 'ENOSPC');
  } finally {
    closeSync(descriptor);
  }
}

test('a full disk is told, not hammered, and has room again when it has', async (t) => {
  const disk = await smallDisk(t, 2 << 20);
  if (!disk) return;
  const server = await serve(t, { cache: disk });
  const [, , third] = await segmentsOf(server.origin, 'copy');
  fill(path.join(disk, 'filler'));
  const begun = (await server.runs()).length;
  const until5s = Date.now() + 5_000;
  let asked = 0;
  for (; Date.now() < until5s; asked += 1) {
    await assert.rejects(fetchBytes(third), ({ status, body }) => status === 503 && /No space left/.test(body));
    await sleep(100);
  }
  const tried = (await server.runs()).length - begun;
  assert.ok(tried <= 5 && asked > 2 * tried, `${tried} runs for ${asked} asks`);
  rmSync(path.join(disk, 'filler'));
  assert.ok((await fetchPatiently(third)).length > 0);
});

test('a film whose disk hangs is told so, is not marked for it, and plays when the disk does', { timeout: 120_000 }, async (t) => {
  const [fuse] = await hangingStorages();
  if (fuse.why) return t.skip(fuse.why);
  const storage = await fuse.mount({ 'film.mkv': await readFile(film) });
  t.after(() => storage.remove());
  const server = await serve(t, { media: storage.directory });
  await until(async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos[0]?.duration, 'the film to be known');
  await storage.hang('read', 'film.mkv');
  try {
    const begin = Date.now();
    const first = await fetch(`${server.origin}/forms/film/film.json`);
    assert.equal(first.status, 503);
    await first.arrayBuffer();
    assert.ok(Date.now() - begin < 12_000, `${Date.now() - begin} ms`);
    assert.equal((await fetch(`${server.origin}/api/videos`)).status, 200);
    const answer = () => fetch(`${server.origin}/forms/film/film.json`).then((response) => response.text());
    await until(async () => /storage does not answer/.test(await answer()), 'the reason', 40_000);
    const again = Date.now();
    assert.match(await answer(), /storage does not answer/);
    assert.ok(Date.now() - again < 1_000, 'known: nobody waits anew');
    assert.equal(await readMetric(server, 'form_runs_failed_total{of="storage"}'), 1);
    assert.equal(await readMetric(server, 'form_runs{of="others"}'), 0, 'what hangs takes nobody\'s room');
  } finally {
    await storage.free();
  }
  await fetchPatiently(`${server.origin}/forms/film/film.json`);
  assert.ok((await fetchPatiently((await segmentsOf(server.origin, 'copy'))[3])).length > 0);
});

test('an end does not wait for a film whose disk hangs', { timeout: 60_000 }, async (t) => {
  const [fuse] = await hangingStorages();
  if (fuse.why) return t.skip(fuse.why);
  const storage = await fuse.mount({ 'film.mkv': await readFile(film) });
  t.after(() => storage.remove());
  const server = await serve(t, { media: storage.directory, args: ['--drain', '1s'] });
  await until(async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos[0]?.duration, 'the film to be known');
  await storage.hang('read', 'film.mkv');
  try {
    const asked = fetch(`${server.origin}/forms/film/film.json`).catch(() => {});
    await until(() => makersOf(server.pid).length === 1, 'a program that hangs');
    const begin = Date.now();
    process.kill(server.pid, 'SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(Date.now() - begin < 6_000, `${Date.now() - begin} ms`);
    await asked;
  } finally {
    await storage.free();
  }
});

test('a cache whose disk hangs costs forms alone, and not the end', { timeout: 60_000 }, async (t) => {
  const server = await serve(t, { args: ['--drain', '1s'] });
  const [first, second] = await segmentsOf(server.origin, 'copy');
  await fetchBytes(first);
  // To open a pipe that nobody writes to takes as long as a disk that does not answer.
  const kept = (await filesBelow(path.join(server.cache, 'forms'))).find((name) => name.endsWith('copy/0.m4s'));
  rmSync(kept);
  await run('mkfifo', [kept]);
  const begin = Date.now();
  for (const url of [first, second]) {
    const answer = await fetch(url);
    assert.equal(answer.status, 503);
    await answer.arrayBuffer();
  }
  assert.ok(Date.now() - begin < 28_000, `${Date.now() - begin} ms`);
  assert.equal((await fetch(`${server.origin}/api/videos`)).status, 200);
  const file0 = await fetch(`${server.origin}/api/video?id=film`, { headers: { Range: 'bytes=0-9' } });
  assert.equal(file0.status, 206);
  await file0.arrayBuffer();
  const ending = Date.now();
  process.kill(server.pid, 'SIGTERM');
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  assert.ok(Date.now() - ending < 6_000, `${Date.now() - ending} ms`);
});
