// The forms of films: made on demand, once for all who ask, exact, within bounds, and whatever goes wrong.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { filesBelow } from '../support/files.mjs';
import { fetchBytes, fetchFilm, fetchPatiently, fetchTimes, makersOf, readMaster, readPlaylist } from '../support/forms.mjs';
import { ffmpeg, formOf, formsFolder } from '../support/forms_server.mjs';
import { pictureTimes } from '../support/maker.mjs';
import { createSession, join } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { openFiles, residentKib, signal } from '../support/process.mjs';
import { until } from '../support/until.mjs';

const run = promisify(execFile);

let root;
let film;
let serve;
let folder;
before(async () => {
  folder = await formsFolder();
  ({ root, film, serve } = folder);
});
after(() => folder.remove());

test('the copy of a film plays through, and lies where its playlists say', async (t) => {
  const { origin } = await serve(t);
  const facts = await fetchFilm(origin, 'film');
  assert.deepEqual(facts.forms.map(({ form }) => form), ['file', 'copy', 'transcode']);
  assert.match(facts.forms[0].codecs, /^avc1\.[0-9a-f]{6},ac-3$/);
  assert.match(facts.forms[1].codecs, /^avc1\.[0-9a-f]{6},mp4a\.40\.2$/);
  assert.deepEqual(facts.tracks.audio.map(({ lang, default: isDefault }) => [lang, isDefault]), [['de', true], ['en', false]]);
  const master = await readMaster(formOf(origin, facts, 'copy'));
  assert.deepEqual(master.sound.map(({ lang, isDefault }) => [lang, isDefault]), [['de', true], ['en', false]]);
  assert.equal(master.variants.length, 1);
  assert.equal(master.variants[0].codecs, facts.forms[1].codecs);

  const picture = await readPlaylist(master.variants[0].url);
  assert.ok(Math.abs(picture.end - facts.duration) < 0.001);
  const made = [];
  for (const { url, start } of picture.segments) {
    const times = await fetchTimes(url);
    assert.ok(Math.abs(times.start / 90_000 - start) < 0.0001, `${url} begins at ${times.start / 90_000}, not ${start}`);
    made.push(...times.pts);
  }
  made.sort((a, b) => a - b);
  const due = await pictureTimes(film);
  assert.equal(made.length, due.length);
  due.forEach((time, i) => assert.ok(Math.abs(time - made[i]) <= 1));
  const sound = await readPlaylist(master.sound[1].url);
  assert.ok(Math.abs(sound.end - facts.duration) < 0.001);
  for (const { url, start } of sound.segments) {
    assert.ok(Math.abs((await fetchTimes(url)).start / 48_000 - start) < 0.0001, url);
  }
  await fetchBytes(picture.init);
  await assert.rejects(fetchBytes(picture.segments.at(-1).url.replace(/\d+\.m4s/, `${picture.segments.length}.m4s`)), { status: 404 });
});

test('the picture made anew: an even grid, and a seek to what is not made yet', async (t) => {
  const { origin } = await serve(t);
  const facts = await fetchFilm(origin, 'film');
  const master = await readMaster(formOf(origin, facts, 'transcode'));
  const { init, segments } = await readPlaylist(master.variants[0].url);
  assert.ok(segments.slice(0, -1).every(({ length }) => length === 2));
  await fetchBytes(init);
  for (const number of [0, 1, 20, 21, segments.length - 1]) {
    const { pts } = await fetchTimes(segments[number].url);
    assert.equal(pts.length, Math.round(segments[number].length * 25), `segment ${number}`);
    assert.ok(Math.abs(pts[0] - number * 180_000) <= 1);
  }
});

test('ten who ask at once cost the making once', async (t) => {
  const { origin, runs } = await serve(t);
  const facts = await fetchFilm(origin, 'film');
  const { variants } = await readMaster(formOf(origin, facts, 'copy'));
  const { segments } = await readPlaylist(variants[0].url);
  const all = await Promise.all(Array.from({ length: 10 }, async () => {
    const bytes = [];
    for (const { url } of segments.slice(0, 6)) bytes.push(await fetchBytes(url));
    return Buffer.concat(bytes);
  }));
  assert.ok(all.every((bytes) => bytes.equals(all[0])));
  const made = (await runs()).filter((verb) => verb === 'video').length;
  assert.ok(made >= 1 && made <= 3, `${made} runs for ten viewers of 24 s`);
});

test('the cache keeps its limit, and the film goes on', async (t) => {
  const { origin, cache } = await serve(t, { args: ['--cache-size', '1MiB'] });
  const facts = await fetchFilm(origin, 'film');
  const { variants, sound } = await readMaster(formOf(origin, facts, 'copy'));
  const names = [...(await readPlaylist(variants[0].url)).segments, ...(await readPlaylist(sound[0].url)).segments];
  let total = 0;
  for (const { url } of names) total += (await fetchBytes(url)).length;
  assert.ok(total > 1.5 * 1024 * 1024, 'more was made than fits');
  const { stdout } = await run('du', ['-sb', path.join(cache, 'forms')]);
  assert.ok(Number.parseInt(stdout, 10) < 1.5 * 1024 * 1024, `the cache holds ${stdout}`);
});

test('a film that is replaced while it is cut is served as neither', async (t) => {
  const server = await serve(t, { script: 'case "$1" in video) while [ ! -e "$HERE/go" ]; do sleep 0.05; done;; esac\nexec "$REAL" "$@"' });
  const before = await fetchFilm(server.origin, 'film');
  const { variants } = await readMaster(formOf(server.origin, before, 'copy'));
  const { segments } = await readPlaylist(variants[0].url);
  const asked = fetchBytes(segments[3].url).then(() => 200, ({ status }) => status);
  await until(async () => (await server.runs()).includes('video'), 'the cutting to begin');
  const other = path.join(root, 'other.mkv');
  await ffmpeg('-i', film, '-t', '20', '-c', 'copy', other);
  await writeFile(server.media, await readFile(other));  // over the same file
  await writeFile(path.join(server.here, 'go'), '');
  assert.equal(await asked, 404);
  process.kill(server.pid, 'SIGHUP');
  // Until the scan the old one is known to be gone.
  const duration = () => fetchFilm(server.origin, 'film').then((facts) => facts.duration, ({ status }) => assert.equal(status, 404));
  await until(async () => (await duration()) < 30, 'the other film');
  await assert.rejects(fetchBytes(segments[3].url), ({ status, body }) => status === 404 && /film_replaced/.test(body));
});

test('a program that is killed is tried again; one that always fails is not', async (t) => {
  const once = await serve(t, { script: 'if [ ! -e "$MINE/once" ]; then : > "$MINE/once"; kill -9 $$; fi\nexec "$REAL" "$@"' });
  assert.equal((await fetchFilm(once.origin, 'film')).forms.length, 3);
  const always = await serve(t, { script: 'kill -11 $$' });
  await assert.rejects(fetchFilm(always.origin, 'film'), ({ status, body }) => status === 422 && /signal 11/.test(body));
  const tried = (await always.runs()).length;
  assert.equal(tried, 2);
  await assert.rejects(fetchFilm(always.origin, 'film'), { status: 422 });
  assert.equal((await always.runs()).length, tried);
});

test('without the program a film is still served as it is', async (t) => {
  const { origin } = await serve(t, { script: null });
  await assert.rejects(fetchFilm(origin, 'film'), ({ status, body }) => status === 503 && /videosync-media/.test(body));
  const response = await fetch(`${origin}/api/video?id=film`);
  assert.equal(response.status, 200);
  await response.body.cancel();
});

test('a program that hangs is ended, and nobody waits for ever', async (t) => {
  const server = await serve(t, { script: 'exec sleep 1000' });
  const response = await fetch(`${server.origin}/forms/film/film.json`);
  assert.equal(response.status, 503);
  assert.ok(Number(response.headers.get('retry-after')) > 0);
  await response.arrayBuffer();
  assert.equal((await fetch(`${server.origin}/api/videos`)).status, 200);
  await until(() => makersOf(server.pid).length === 0, 'the program to be ended', 40_000);
});

test('what is no film says why, once and for all', async (t) => {
  const text = path.join(root, 'text.mkv');
  await writeFile(text, 'this is no film\n'.repeat(100));
  const { origin, runs } = await serve(t, { source: text });
  for (const _ of [1, 2]) await assert.rejects(fetchFilm(origin, 'film'), ({ status, body }) => status === 422 && /no film/.test(body));
  assert.equal((await runs()).length, 1);
});

// Of a process, as proc(5) has it; null: there is none.
function stateOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return null;
  }
}

test('a server that is killed leaves no process behind', async (t) => {
  // It is at its work, and stays so: its process stands still.
  const server = await serve(t, { args: ['--transcodes', '1'], script: 'case "$1" in picture) kill -STOP $$;; esac\nexec "$REAL" "$@"' });
  const facts = await fetchFilm(server.origin, 'film');
  const { variants } = await readMaster(formOf(server.origin, facts, 'transcode'));
  const { segments } = await readPlaylist(variants[0].url);
  const asked = fetchBytes(segments[2].url).catch(() => {});
  await until(() => makersOf(server.pid).some((pid) => stateOf(pid) === 'T'), 'a picture to be made');
  // And whatever else is at work by then: the librarian may be looking into a film.
  const makers = makersOf(server.pid).filter((pid) => signal(pid, 'SIGSTOP'));
  assert.ok(makers.length > 0);
  await server.stop('SIGKILL');
  await asked;
  // One that had just begun finds nobody who wants it.
  for (const pid of makers) signal(pid, 'SIGCONT');
  const left = () => makers.map((pid) => `${pid} ${stateOf(pid)}`).join();
  await until(() => makers.every((pid) => [null, 'Z'].includes(stateOf(pid))), () => `its processes to end: ${left()}`);
});

// Of the server's process: what must not grow with seeks.
const heldBy = (server) => ({ kib: residentKib(server.pid), files: openFiles(server.pid).length });

test('200 seeks a minute by a host, for half a minute: sessions go on, and all is bounded', async (t) => {
  const server = await serve(t, { args: ['--transcodes', '1', '--cache-size', '8MiB'] });
  const facts = await fetchFilm(server.origin, 'film');
  const listOf = async (form) => (await readPlaylist((await readMaster(formOf(server.origin, facts, form))).variants[0].url)).segments.map(({ url }) => url);
  const lists = [await listOf('transcode'), await listOf('copy')];
  const { key, hostToken } = await createSession(server);
  const host = await join(server, key, { name: 'Ann', host: hostToken });
  const guest = await join(server, key, { name: 'Bob' });
  const before = heldBy(server);
  let processes = 0;
  for (let i = 0; i < 100; i += 1) {
    // The host's player and the guest's, each with another form.
    const leaving = new AbortController();
    const position = (i * 14) % 60;
    host.send('seek', { position });
    const asked = lists.map((urls) => fetch(urls[Math.floor(position / 64 * urls.length)], { signal: leaving.signal }).then((response) => response.arrayBuffer()).catch(() => {}));
    const begin = Date.now();
    assert.equal((await guest.next('state')).position, position);
    assert.ok(Date.now() - begin < 2_000, 'the session stands still');
    await sleep(Math.max(0, 300 - (Date.now() - begin)));
    processes = Math.max(processes, makersOf(server.pid).length);
    leaving.abort();
    await Promise.all(asked);
  }
  // A picture, copies for the guest, and those that are just being ended.
  assert.ok(processes <= 6, `${processes} processes`);
  const last = () => fetchBytes(lists[0][11]).then((bytes) => bytes.length, ({ status }) => (status === 503 ? 0 : -1));
  await until(async () => (await last()) > 0, 'the last seek', 20_000);
  await until(() => makersOf(server.pid).length <= 2, 'the others to be gone', 30_000);
  const after = heldBy(server);
  assert.ok(after.files <= before.files + 20, `${before.files} descriptors became ${after.files}`);
  assert.ok(after.kib <= before.kib + 32 * 1024, `${before.kib} KiB became ${after.kib}`);
  const { stdout } = await run('du', ['-sb', path.join(server.cache, 'forms')]);
  assert.ok(Number.parseInt(stdout, 10) < 10 << 20, `the cache holds ${stdout}`);
  const left = (await filesBelow(path.join(server.cache, 'forms'))).filter((name) => name.endsWith('.tmp'));
  assert.deepEqual(left, [], 'half made files');
  for (const member of [host, guest]) member.close();
});

test('a seek takes the room of what its viewer gives up, and waits for that; where nobody does, it is told to', async (t) => {
  // What is made from the beginning comes to nothing.
  const server = await serve(t, { args: ['--transcodes', '1'], script: 'case "$*" in "picture "*" --from 0 "*) exec sleep 1000;; esac\nexec "$REAL" "$@"' });
  const facts = await fetchFilm(server.origin, 'film');
  const { variants } = await readMaster(formOf(server.origin, facts, 'transcode'));
  const { segments } = await readPlaylist(variants[0].url);
  const leaving = new AbortController();
  const left = fetch(segments[0].url, { signal: leaving.signal }).then(() => assert.fail('it is made'), ({ name }) => name);
  await until(async () => (await server.runs()).includes('picture'), 'a picture to be made');
  // Whose turn is next waits; who comes after that is told to come again.
  const sought = fetchBytes(segments[20].url);
  await until(async () => (await readMetric(server, 'form_asks')) === 2, 'the next to wait');
  const refused = await fetch(segments[28].url);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '2']);
  await refused.arrayBuffer();
  leaving.abort();
  assert.equal(await left, 'AbortError');
  assert.ok((await sought).length > 0);
});

test('subtitles inside a film come as WebVTT', async (t) => {
  const srt = path.join(root, 'a.srt');
  await writeFile(srt, '1\n00:00:01,000 --> 00:00:02,000\nGuten Tag\n');
  const source = path.join(root, 'subs.mkv');
  await ffmpeg('-i', film, '-i', srt, '-t', '10', '-map', '0', '-map', '1', '-c', 'copy', '-metadata:s:s:0', 'language=ger', source);
  const { origin } = await serve(t, { source });
  const { tracks } = await fetchFilm(origin, 'film');
  assert.equal(tracks.subtitles[0].lang, 'de');
  assert.match(String(await fetchPatiently(new URL(tracks.subtitles[0].url, origin))), /00:00:0(0\.99|1\.00)\d --> 00:00:0(1\.99|2\.00)\d\nGuten Tag/);
});

test('what cannot be copied can be made anew all the same', async (t) => {
  const source = path.join(root, 'film.ts');
  await ffmpeg('-i', film, '-t', '8', '-map', '0:v', '-map', '0:a:0', '-c', 'copy', source);
  const server = await serve(t, { name: 'film.ts', source, script: 'if [ "$1" = plan ]; then echo "it cannot be cut" >&2; exit 1; fi; exec "$REAL" "$@"' });
  const facts = await fetchFilm(server.origin, 'film');
  await assert.rejects(fetchBytes(formOf(server.origin, facts, 'copy')), ({ status, body }) => status === 422 && /it cannot be cut/.test(body));
  const { variants } = await readMaster(formOf(server.origin, facts, 'transcode'));
  assert.ok((await readPlaylist(variants[0].url)).segments.length > 0);
});
