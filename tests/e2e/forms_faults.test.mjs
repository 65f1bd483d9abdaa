// Forms of films where something goes wrong or is short: the program, room for pictures, the server itself.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { filesBelow } from '../support/files.mjs';
import { fetchBytes, fetchFilm, fetchPatiently, makersOf } from '../support/forms.mjs';
import { ffmpeg, formOf, formsFolder, segmentsOf } from '../support/forms_server.mjs';
import { makerBinary } from '../support/maker.mjs';
import { readMetric } from '../support/metrics.mjs';
import { until } from '../support/until.mjs';

const isSanitized = Boolean(process.env.VIDEOSYNC_SANITIZE);

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

const isThere = (pid) => {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

// In a script: the real program as a child of it, not in its place.
const AS_CHILD = 'last=; for word; do shift; [ "$last" = --parent ] && word=$$; last=$word; set -- "$@" "$word"; done\n';
// Pictures come at the pace of a slow machine: the server hears of one every 700 ms.
const SLOW = `case "$1" in picture) ${AS_CHILD}"$REAL" "$@" | while read line; do sleep 0.7; echo "$line"; done;; *) exec "$REAL" "$@";; esac`;

test('one room for pictures, and three who watch elsewhere: each gets film, in turns', async (t) => {
  const server = await serve(t, { args: ['--transcodes', '1'], script: SLOW });
  const all = await segmentsOf(server.origin, 'transcode');
  const COUNT = 6;
  const watched = [];
  let told = 0;
  const watch = async (name, urls) => {
    for (const url of urls.slice(0, COUNT)) {
      await fetchPatiently(url, () => (told += 1));
      watched.push(name);
    }
  };
  const other = all.map((url) => url.replace('/480p/', '/720p/'));
  await Promise.all([watch('a', all), watch('b', all.slice(16)), watch('c', other)]);
  const made = (await server.runs()).filter((verb) => verb === 'picture').length;
  // A stretch has four segments at least, and 18 were wanted; each run makes ahead what is not displaced.
  assert.ok(made <= 12, `${made} runs for ${watched.join('')}`);
  const lead = (name) => watched.indexOf(name);
  assert.ok(Math.max(...['a', 'b', 'c'].map(lead)) <= 2 * COUNT, `the turns went ${watched.join('')}`);
  assert.ok(told > 0, 'the third is told to come again');
  assert.ok(await readMetric(server, 'form_runs_displaced_total') >= 2);
  assert.equal(await readMetric(server, 'form_asks_busy_total'), told);
  const files = (from) => readMetric(server, `form_files_total{from="${from}"}`);
  const [kept, waitedFor] = [await files('cache'), await files('run')];
  assert.equal(kept + waitedFor, watched.length);
  assert.ok(waitedFor > 0, 'nothing was there at first');
  await fetchPatiently(all[0]);
  assert.equal(await files('cache'), kept + 1);
});

test('HEAD makes nothing; what is made is asked for again by tag and by range', async (t) => {
  const server = await serve(t, {});
  const [first, second] = await segmentsOf(server.origin, 'copy');
  const read = path.join(root, 'read.ts');
  await ffmpeg('-i', film, '-map', '0', '-c', 'copy', '-f', 'mpegts', read);
  const unread = await serve(t, { source: read, name: 'film.ts' });
  const unlisted = formOf(unread.origin, await fetchFilm(unread.origin, 'film'), 'copy');
  assert.equal((await fetch(unlisted, { method: 'HEAD' })).status, 200);
  assert.ok(!(await unread.runs()).includes('plan'), 'a film was read for a look');
  const looked = await fetch(second, { method: 'HEAD' });
  assert.deepEqual([looked.status, looked.headers.get('content-type'), looked.headers.get('content-length')], [200, 'video/iso.segment', null]);
  assert.ok(!(await server.runs()).includes('video'), 'it was made for a look');
  assert.equal((await fetch(second.replace(/\d+\.m4s/, '999.m4s'), { method: 'HEAD' })).status, 404);

  const whole = await fetch(first);
  const bytes = Buffer.from(await whole.arrayBuffer());
  const etag = whole.headers.get('etag');
  assert.match(etag, /^"/);
  assert.match(whole.headers.get('cache-control'), /immutable/);
  const known = await fetch(first, { method: 'HEAD' });
  assert.deepEqual([known.headers.get('content-length'), known.headers.get('etag')], [String(bytes.length), etag]);
  const again = await fetch(first, { headers: { 'If-None-Match': etag } });
  assert.deepEqual([again.status, (await again.arrayBuffer()).byteLength], [304, 0]);
  const part = await fetch(first, { headers: { Range: 'bytes=10-29', 'If-Range': etag } });
  assert.deepEqual([part.status, part.headers.get('content-range')], [206, `bytes 10-29/${bytes.length}`]);
  assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 30)));
  const another = await fetch(first, { headers: { Range: 'bytes=10-29', 'If-Range': '"another"' } });
  assert.equal((await another.arrayBuffer()).byteLength, bytes.length);

  const playlist = first.replace(/\d+\.m4s/, 'index.m3u8');
  const list = await fetch(playlist);
  const text = await list.text();
  assert.equal(list.headers.get('cache-control'), 'no-cache');
  const unchanged = await fetch(playlist, { headers: { 'If-None-Match': list.headers.get('etag') } });
  assert.deepEqual([unchanged.status, await unchanged.text()], [304, '']);
  const ranged = await fetch(playlist, { headers: { Range: 'bytes=0-3' } });
  assert.deepEqual([ranged.status, await ranged.text()], [200, text], 'a text is sent whole');
});

test('a program that is killed in the middle is begun anew, and who waits gets the segment', async (t) => {
  const server = await serve(t, { script: 'case "$1" in video) if [ ! -e "$MINE/once" ]; then : > "$MINE/once"; exec sleep 1000; fi;; esac\nexec "$REAL" "$@"' });
  const urls = await segmentsOf(server.origin, 'copy');
  const asked = fetchBytes(urls[2]);
  await until(async () => (await filesBelow(server.cache)).some((file) => path.basename(file) === 'once') && makersOf(server.pid, 'sleep').length === 1, 'the cutting to begin');
  process.kill(makersOf(server.pid, 'sleep')[0], 'SIGKILL');
  assert.ok((await asked).length > 0);
  assert.equal(await readMetric(server, 'form_runs_failed_total{of="program"}'), 1);
});

test('a program that ends well and has made nothing is not begun for ever', async (t) => {
  const server = await serve(t, { script: 'case "$1" in video) exit 0;; esac\nexec "$REAL" "$@"' });
  const [first] = await segmentsOf(server.origin, 'copy');
  await assert.rejects(fetchBytes(first), ({ status, body }) => status === 422 && /made nothing/.test(body));
  assert.equal((await server.runs()).filter((verb) => verb === 'video').length, 2);
});

test('a program that somebody ends, again and again, is no fault of the film', async (t) => {
  const server = await serve(t, { script: 'case "$1" in video) [ -e "$HERE/let" ] || kill -15 $$;; esac\nexec "$REAL" "$@"' });
  const [first] = await segmentsOf(server.origin, 'copy');
  await assert.rejects(fetchBytes(first), ({ status, body }) => status === 503 && /ended by somebody else/.test(body));
  assert.ok((await server.runs()).filter((verb) => verb === 'video').length >= 2);
  await writeFile(path.join(server.here, 'let'), '');
  assert.ok((await fetchPatiently(first)).length > 0, 'it passes');
});

test('a film that was away for a moment is there again', async (t) => {
  const server = await serve(t, {});
  const [first] = await segmentsOf(server.origin, 'copy');
  // Nothing of it is open or made in this one, and its list has it still.
  const next = await serve(t, { media: path.dirname(server.media), cache: path.join(server.here, 'other cache') });
  const url = first.replace(server.origin, next.origin);
  await until(async () => (await fetch(url, { method: 'HEAD' })).status === 200, 'it is listed');
  const away = `${server.media}.away`;
  await rename(server.media, away);
  assert.equal((await fetch(url)).status, 404);
  await rename(away, server.media);
  await until(async () => (await fetch(url)).status === 200, 'it plays again');
});

test('a film that makes the program crash is marked for it, with the reason; another one plays', async (t) => {
  const media = await mkdtemp(path.join(root, 'two-'));
  for (const name of ['bad', 'good']) await ffmpeg('-i', film, '-t', '20', '-c', 'copy', '-metadata', `title=${name}`, path.join(media, `${name}.mkv`));
  const { size } = statSync(path.join(media, 'bad.mkv'));
  await writeFile(path.join(media, 'bad.mkv'), Buffer.alloc(1_000), { flag: 'a' });
  const script = `case "$1" in video) [ "$(stat -Lc %s /dev/fd/3)" = ${size + 1_000} ] && kill -11 $$;; esac\nexec "$REAL" "$@"`;
  const server = await serve(t, { media, script });
  const [bad] = await segmentsOf(server.origin, 'copy', 'bad');
  const refused = ({ status, body }) => status === 422 && /signal 11/.test(body);
  await assert.rejects(fetchBytes(bad), refused);
  const tried = (await server.runs()).filter((verb) => verb === 'video').length;
  assert.equal(tried, 2);
  await assert.rejects(fetchBytes(bad), refused);
  assert.ok((await fetchBytes((await segmentsOf(server.origin, 'copy', 'good'))[0])).length > 0);
  assert.equal((await server.runs()).filter((verb) => verb === 'video').length, tried + 1);
  // Its picture made anew is another matter.
  assert.ok((await fetchPatiently((await segmentsOf(server.origin, 'transcode', 'bad'))[0])).length > 0);
});

test('SIGTERM in the middle: who waits is answered or told, and nothing is left', async (t) => {
  const server = await serve(t, { args: ['--drain', '1s', '--transcodes', '2'], script: `case "$1" in picture) ${AS_CHILD}"$REAL" "$@"; exec sleep 1000;; *) exec "$REAL" "$@";; esac` });
  const urls = await segmentsOf(server.origin, 'transcode');
  await fetchBytes(urls[0]);
  const [maker] = await until(() => makersOf(server.pid).length === 1 && makersOf(server.pid), 'a program at work');
  const asked = fetch(urls[30]).then((response) => response.status, () => 'closed');
  await until(async () => (await readMetric(server, 'form_runs_total')) >= 3, 'another one');
  const makers = makersOf(server.pid);
  assert.ok(makers.includes(maker));
  const begin = Date.now();
  process.kill(server.pid, 'SIGTERM');
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  assert.ok(Date.now() - begin < 5_000, `${Date.now() - begin} ms`);
  assert.ok([200, 503, 'closed'].includes(await asked));
  await until(() => !makers.some(isThere), 'its processes to end');
  const left = (await filesBelow(path.join(server.cache, 'forms'))).filter((name) => name.endsWith('.tmp'));
  assert.deepEqual(left, []);
});

test('a film in whose place another one is moved while it is cut: the one is served, or the other', async (t) => {
  const server = await serve(t, { script: 'case "$1" in video) while [ ! -e "$HERE/go" ]; do sleep 0.05; done;; esac\nexec "$REAL" "$@"' });
  const old = await segmentsOf(server.origin, 'copy');
  const asked = fetchBytes(old[3]);
  await until(async () => (await server.runs()).includes('video'), 'the cutting to begin');
  const other = path.join(root, 'moved.mkv');
  await ffmpeg('-ss', '4', '-i', film, '-t', '20', '-c', 'copy', other);
  await rename(other, server.media);
  await writeFile(path.join(server.here, 'go'), '');
  const of = async (source, name) => {
    const out = await mkdtemp(path.join(root, name));
    await run(makerBinary(), ['describe', source, '--plan', path.join(out, 'plan')]);
    await run(makerBinary(), ['video', source, '--plan', path.join(out, 'plan'), '--out', out, '--from', '3', '--count', '1']);
    return readFile(path.join(out, '3.m4s'));
  };
  assert.ok((await asked).equals(await of(film, 'old-')), 'what was begun is of the old film');
  process.kill(server.pid, 'SIGHUP');
  await until(async () => (await fetchFilm(server.origin, 'film').catch(() => ({}))).duration < 30, 'the other film');
  const fresh = (await segmentsOf(server.origin, 'copy'))[3];
  assert.notEqual(fresh, old[3]);
  assert.ok((await fetchBytes(fresh)).equals(await of(server.media, 'new-')));
});

test('a program that wants more memory than it may have gets none', { skip: isSanitized && 'a sanitizer needs more addresses than any limit leaves' }, async (t) => {
  const server = await serve(t, { script: 'case "$1" in picture) exec perl -e \'my $n = 4 << 30; my $x = "a" x $n; sleep 100\';; esac\nexec "$REAL" "$@"' });
  const [first] = await segmentsOf(server.origin, 'transcode');
  await assert.rejects(fetchBytes(first), ({ status, body }) => status === 422 && /memory/i.test(body));
});

test('a program at work is bounded', { skip: isSanitized && 'a sanitizer needs more addresses than any limit leaves' }, async (t) => {
  const server = await serve(t, { script: 'case "$1" in video) exec sleep 1000;; esac\nexec "$REAL" "$@"' });
  const urls = await segmentsOf(server.origin, 'copy');
  const asked = fetch(urls[0]).catch(() => {});
  const [maker] = await until(() => makersOf(server.pid, 'sleep').length === 1 && makersOf(server.pid, 'sleep'), 'a program at work');
  const limits = readFileSync(`/proc/${maker}/limits`, 'utf8');
  assert.match(limits, /^Max address space +3221225472 +3221225472/m);
  assert.match(limits, /^Max file size +1073741824 +1073741824/m);
  process.kill(maker, 'SIGKILL');
  await server.stop();
  await asked;
});
