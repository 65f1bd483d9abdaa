// A film of people's kind, as a player gets it: what the list says of it, and what its forms hold, read by ffmpeg.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { link, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { fetchBytes, readMaster, readPlaylist } from '../support/forms.mjs';
import { timesOf } from '../support/fragments.mjs';
import { lagOf, soundOf } from '../support/maker.mjs';
import { projectRoot, serverBinary, startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';

const run = promisify(execFile);
const ffmpeg = (...words) => run('ffmpeg', ['-v', 'error', '-y', ...words], { encoding: 'buffer', maxBuffer: 256 << 20 });
const SECONDS = 30;
const RATE = 48_000;
const TOLERANCE_S = 0.01;

let root;
let server;
const at = (...names) => path.join(root, ...names);

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'videosync-forms-'));
  await writeFile(at('lines.srt'), '1\n00:00:01,000 --> 00:00:02,000\nGuten Tag\n');
  const sources = ['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=25:duration=${SECONDS}`,
    '-f', 'lavfi', '-i', `anoisesrc=duration=${SECONDS}:color=pink:sample_rate=${RATE}:amplitude=0.3:seed=5`];
  const folder = at('media');
  await run('mkdir', [folder]);
  await ffmpeg(...sources, '-i', at('lines.srt'), '-map', '0', '-map', '1', '-map', '2', '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '3', '-b_strategy', '0',
    '-g', '70', '-pix_fmt', 'yuv420p', '-c:a', 'ac3', '-ac', '2', '-c:s', 'srt', '-metadata:s:a:0', 'language=ger', '-metadata:s:s:0', 'language=ger',
    path.join(folder, 'film.mkv'));
  await ffmpeg(...sources, '-c:v', 'mpeg4', '-vtag', 'XVID', '-bf', '2', '-g', '60', '-c:a', 'libmp3lame', '-ac', '2', path.join(folder, 'old.avi'));
  await ffmpeg(...sources, '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-pix_fmt', 'yuv420p10le', '-c:a', 'aac', '-ac', '2', path.join(folder, 'new.mkv'));
  await writeFile(path.join(folder, 'text.mp4'), 'this is no film\n'.repeat(100));
  server = await startServer({ args: ['--media', folder], env: { VIDEOSYNC_CACHE: at('cache') } });
});
after(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

const listed = async () => (await (await fetch(`${server.origin}/api/videos?limit=100`)).json()).videos;
const known = (id) => until(async () => (await listed()).find((video) => video.id === id && video.forms), `the forms of ${id}`, 20_000);
const urlOf = (film, name) => new URL(film.forms.find(({ form }) => form === name).url, server.origin).href;

// The whole rendition as one file; `order`: in which its segments are asked for.
async function download({ init, segments }, name, order = segments.map((_, i) => i)) {
  const parts = [];
  for (const number of order) parts[number] = await fetchBytes(segments[number].url);
  const file = at(name);
  await writeFile(file, Buffer.concat([await fetchBytes(init), ...parts]));
  return { file, segments: parts };
}

const floats = (bytes) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const samplesOf = async (file) => floats((await ffmpeg('-i', file, '-ac', '1', '-ar', RATE, '-f', 'f32le', '-')).stdout);

// When pictures are shown, in seconds of film time; avi does not say of the last one.
async function dueTimes(source) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'frame=best_effort_timestamp_time', '-of', 'csv=p=0', source], { maxBuffer: 64 << 20 });
  const times = stdout.trim().split('\n').filter((line) => /^[\dN]/.test(line)).map(Number.parseFloat).map((time, i, all) => (Number.isNaN(time) ? 2 * all[i - 1] - all[i - 2] : time));
  return times.map((time) => time - times[0]);
}

async function checkPicture(source, { file, segments }) {
  const due = await dueTimes(source);
  const made = segments.flatMap((bytes) => timesOf(bytes).pts.map((ticks) => ticks / 90_000)).sort((a, b) => a - b);
  // Where the sound is longer than the picture the last segment shows the last picture once more.
  assert.ok(made.length === due.length || (made.length === due.length + 1 && made.at(-1) > due.at(-1)), `${made.length} pictures of ${due.length}`);
  due.forEach((time, i) => assert.ok(Math.abs(time - made[i]) < TOLERANCE_S, `picture ${i} lies at ${made[i]}, not ${time}`));
  // And it is as many pictures for whoever decodes it, without a complaint at any edge.
  const { stdout, stderr } = await run('ffprobe', ['-v', 'warning', '-count_frames', '-select_streams', 'v:0', '-show_entries', 'stream=codec_name,nb_read_frames', '-of', 'csv=p=0', file]);
  assert.equal(stderr, '');
  assert.equal(stdout.trim(), `h264,${made.length}`);
}

// The sound of a film, and how many samples film time 0 lies behind its first.
async function soundBeside(source) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-read_intervals', '%+1', '-show_entries', 'frame=best_effort_timestamp_time', '-of', 'csv=p=0', source]);
  const sound = await soundOf(source, RATE);
  const { stdout: begin } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=start_time', '-of', 'csv=p=0', source]);
  return { ...sound, zero: sound.zero + (Number.parseFloat(stdout) - Number.parseFloat(begin)) * RATE };
}

async function checkSound(source, { file }) {
  const { samples, zero } = await soundBeside(source);
  const made = await samplesOf(file);
  for (const second of [1, 8, 15, 23]) {
    const begin = second * RATE;
    const { lag, likeness } = lagOf(made.subarray(begin), samples, begin + zero, { from: 0 });
    assert.ok(likeness > 0.7 && Math.abs(lag) < TOLERANCE_S * RATE, `at ${second} s the sound is ${lag} samples off (${likeness})`);
  }
}

test('the list tells tracks, where the film begins, and its forms', async () => {
  const film = await known('film');
  assert.match(film.tracks.video.codec, /^avc1\.[0-9a-f]{6}$/);
  assert.deepEqual([film.tracks.video.width, film.tracks.video.height, film.tracks.video.fps, film.tracks.video.hdr, film.tracks.video.rotation], [160, 90, 25, false, 0]);
  assert.deepEqual(film.tracks.audio.map(({ codec, channels, lang, default: isDefault }) => [codec, channels, lang, isDefault]), [['ac-3', 2, 'de', true]]);
  assert.equal(film.tracks.subtitles[0].lang, 'de');
  assert.ok(Math.abs(film.startMs) < 200);
  assert.ok(Math.abs(film.duration - SECONDS) < 0.2);
  assert.deepEqual(film.forms.map(({ form }) => form), ['file', 'copy', 'transcode']);
  assert.ok(film.forms.every(({ url, type, codecs }) => url && type && codecs));
  assert.deepEqual((await known('old')).forms.map(({ form }) => form), ['file', 'transcode']);
  const text = (await listed()).find(({ id }) => id === 'text');
  assert.equal(text.forms, undefined, 'it is no film');
});

test('what was learned is there at once after a restart', async () => {
  const film = await known('film');
  await known('old');
  await known('new');
  await server.stop();
  // Beside this one there is no videosync-media.
  const bare = await mkdtemp(path.join(path.dirname(serverBinary()), 'bare-'));
  await link(serverBinary(), path.join(bare, 'videosync'));
  const args = ['--media', at('media'), '--www', path.join(projectRoot, 'www')];
  const env = { VIDEOSYNC_CACHE: at('cache') };
  server = await startServer({ binary: path.join(bare, 'videosync'), args, env: { ...env, PATH: at('nothing') } });
  const again = (await listed()).find(({ id }) => id === 'film');
  await server.stop();
  await rm(bare, { recursive: true });
  server = await startServer({ args, env });
  assert.deepEqual([again.forms, again.tracks, again.duration], [film.forms, film.tracks, film.duration]);
});

test('without a folder for what is made the list names the file alone', async (t) => {
  const bare = await startServer({ args: ['--media', at('media'), '--cache', 'none'] });
  t.after(() => bare.stop());
  const film = await until(async () => (await (await fetch(`${bare.origin}/api/videos`)).json()).videos.find(({ id, tracks }) => id === 'film' && tracks), 'its tracks', 20_000);
  assert.deepEqual(film.forms.map(({ form }) => form), ['file']);
  assert.ok(film.tracks.subtitles.length > 0 && film.tracks.subtitles.every(({ url }) => url === undefined));
  const { forms } = await known('film');
  for (const url of ['/forms/film/film.json', ...forms.slice(1).map(({ url: made }) => made)]) {
    await assert.rejects(fetchBytes(new URL(url, bare.origin)), ({ status, body }) => status === 404 && /makes no forms/.test(body));
  }
});

test('the copy of an mkv with AC-3: picture and sound lie at the film\'s times', async () => {
  const film = await known('film');
  const { variants, sound } = await readMaster(urlOf(film, 'copy'));
  await checkPicture(at('media', 'film.mkv'), await download(await readPlaylist(variants[0].url), 'copy-v.mp4'));
  await checkSound(at('media', 'film.mkv'), await download(await readPlaylist(sound[0].url), 'copy-a.mp4'));
  assert.match(String(await fetchBytes(new URL(film.tracks.subtitles[0].url, server.origin))), /Guten Tag/);
});

test('an avi with MPEG-4 ASP, and HEVC of 10 bit, made anew; segments of different runs fit', async () => {
  for (const [id, file] of [['old', 'old.avi'], ['new', 'new.mkv']]) {
    const film = await known(id);
    const { variants, sound } = await readMaster(urlOf(film, 'transcode'));
    const picture = await readPlaylist(variants[0].url);
    // From the end to the beginning: each jump is a run of its own.
    const backwards = picture.segments.map((_, i) => i).reverse();
    await checkPicture(at('media', file), await download(picture, `${id}-v.mp4`, backwards));
    const audible = await readPlaylist(sound[0].url);
    await checkSound(at('media', file), await download(audible, `${id}-a.mp4`, audible.segments.map((_, i) => i).reverse()));
  }
});
