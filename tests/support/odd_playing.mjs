// Plays the odd films (odd_films.mjs) in a browser of any engine, in sessions on a real server, and judges by the
// clock in the picture and by the beeps: at the start, and after a seek into the middle.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { join, until } from './browser.mjs';
import { launch } from './engines/engines.mjs';
import { findBeeps, RATE, readClock } from './film_clock.mjs';
import { fetchBytes } from './forms.mjs';
import { timesOf } from './fragments.mjs';
import { soundOf } from './maker.mjs';
import { createSession } from './member.mjs';
import { fileOf, idOf, LENGTH_S, makeOddFilms, oddFilms } from './odd_films.mjs';
import { startServer } from './server.mjs';

const run = promisify(execFile);
const WAIT_MS = 30_000;
const DESCRIBED_MS = 600_000;
const SAMPLES = 5;
const READABLE = 4; // of them: a canvas may get half of one picture and half of the next
export const SOUND_TOLERANCE_MS = 10;
// A canvas gets a picture that is so many older than the one that these say they show: what is told of their
// pictures is no closer than that. docs/SYNC.md has how far apart they are by what they say, and by ear.
const CANVAS_LAG = { chromium: 0, firefox: 1, webkit: 2 };
const TELLS_FRAMES = { chromium: true, firefox: true, webkit: false }; // it tells a frame's time in the file, not in the film
const SETTLED_S = 0.1; // so much of a stretch's first sound is its decoder's beginning

// {server, engine, close()}: these odd films, in a library on a server that makes forms. engine: 'chromium', or
// another of engines.mjs.
export async function openOddLibrary(names, { engine = 'chromium' } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'videosync-odd-'));
  const library = { folder, films: path.join(folder, 'films'), idle: [] };
  library.close = async () => {
    await library.engine?.close();
    await library.server?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await makeOddFilms(library.films);
    const files = names.map(fileOf);
    for (const file of await readdir(library.films)) if (!files.includes(file)) await rm(path.join(library.films, file));
    await furnish(library, names, engine);
    return library;
  } catch (error) {
    await library.close();
    throw error;
  }
}

async function furnish(library, names, engine) {
  library.server = await startServer({ args: ['--media', library.films, '--session-rate', '0'], env: { VIDEOSYNC_CACHE: path.join(library.folder, 'cache') } });
  library.engine = await launch(engine, { autoplay: 'allowed' });
  let missing = names.filter((name) => !oddFilms[name].reason).map(idOf);
  await until(async () => {
    const known = (await listed(library.server)).filter(({ forms }) => forms).map(({ id }) => id);
    missing = missing.filter((id) => !known.includes(id));
    return missing.length === 0;
  }, () => `what these are: ${missing}`, DESCRIBED_MS);
}

const listed = async ({ origin }) => (await (await fetch(`${origin}/api/videos?limit=1000`)).json()).videos;

async function entryOf({ server }, name) {
  const entry = (await listed(server)).find(({ id }) => id === idOf(name));
  assert.ok(entry, `${name} is not listed`);
  return entry;
}

// What is no film says why.
export async function reasonOf(library, name) {
  const { id } = await entryOf(library, name);
  const answer = await fetchBytes(`${library.server.origin}/forms/${id}/film.json`).catch((error) => error);
  return answer.body ?? String(answer);
}

// Runs in the page: [{at: film time, shown: what the clock shows}] of the next `count` pictures, and with 0 of the one
// that is there.
async function lookAtPictures(readClock, count, tellsFrames) {
  const video = document.querySelector('video');
  const canvas = (window.testCanvas ??= Object.assign(document.createElement('canvas'), { width: 160, height: 90 }));
  const look = (at) => {
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, 160, 90);
    const { data } = context.getImageData(0, 0, 160, 90);
    return { at: at * 1_000, shown: readClock((x, y) => data[(y * 160 + x) * 4 + 1]), size: [video.videoWidth, video.videoHeight] };
  };
  if (count === 0) return [look(video.currentTime)];
  const seen = [];
  while (seen.length < count) seen.push(await new Promise((resolve) => video.requestVideoFrameCallback((_, { mediaTime }) => resolve(look(tellsFrames ? mediaTime : video.currentTime)))));
  return seen;
}

const look = (page, count, tellsFrames) => page.evaluate(`(${lookAtPictures})(${readClock}, ${count}, ${tellsFrames})`);
const state = (page) => page.evaluate(() => {
  const video = document.querySelector('video');
  return {
    at: video.currentTime,
    paused: video.paused,
    seeking: video.seeking,
    bytes: video.webkitAudioDecodedByteCount ?? null,
    hasSound: video.mozHasAudio ?? (video.audioTracks?.length > 0), // of an engine that does not count what it decodes
    status: document.querySelector('#status-text').textContent,
  };
});

const middleOf = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

// How far off what pictures show is from when they are shown, while it plays; and that they are wider than high.
async function offsetWhilePlaying(page, offsetMs, tellsFrames) {
  const all = await look(page, SAMPLES, tellsFrames);
  const samples = all.filter(({ shown }) => shown !== null);
  const told = JSON.stringify(all);
  assert.ok(samples.length >= READABLE, `the picture's clock cannot be read: ${told}`);
  assert.ok(samples.at(-1).shown > samples[0].shown, `the picture stands: ${told}`);
  assert.ok(samples.every(({ size: [width, height] }) => width > height * 1.2), `the picture has another shape: ${told}`);
  return middleOf(samples.map(({ at, shown }) => at - (shown - offsetMs)));
}

// The same of a picture that stands: how long before or after its time it is there, 0 where it is its time.
async function offsetAtRest(page, offsetMs, pictureMs) {
  let last;
  const rests = async () => {
    const [now] = await look(page, 0);
    const isSame = now.shown !== null && now.shown === last?.shown && now.at === last.at;
    last = now;
    return isSame;
  };
  await until(rests, () => `a picture at rest, not ${JSON.stringify(last)}`, WAIT_MS, 100);
  const { at, shown } = last;
  const since = at - (shown - offsetMs);
  return since < 0 ? since : Math.max(0, since - pictureMs);
}

// The seek bar, taken there at once: what else would move it meanwhile finds it moved.
function seekTo(page, seconds, lengthS) {
  return page.$eval('#scrubber input', (bar, part) => {
    bar.value = part;
    for (const kind of ['input', 'change']) bar.dispatchEvent(new Event(kind, { bubbles: true, composed: true }));
  }, seconds / lengthS);
}

// What one does who plays the film, at the start and after a seek: {picture: [ms], pictureMs, bytes, loaded: [urls]}.
async function watch(page, name, link, lengthS, tellsFrames) {
  const { offsetMs = 0, fps: [pictures, seconds] = [25, 1], pictureMs = (1_000 * seconds) / pictures, endsMs } = oddFilms[name];
  await join(page, link, 'Ann');
  await until(async () => (await state(page)).status === 'Ready to start', `${name} is loaded`, WAIT_MS);
  const before = await state(page);
  await page.keyboard.press('k');
  // By then what is not seen, or not heard, has given way to another form.
  await until(async () => (await state(page)).at >= 1.7 && (await state(page)).status.includes('In step'), `${name} is in step`, WAIT_MS);
  const picture = [await offsetWhilePlaying(page, offsetMs, tellsFrames)];
  await page.keyboard.press('k');
  await until(async () => (await state(page)).paused, 'it stops', WAIT_MS);
  const middle = (endsMs ?? LENGTH_S * 1_000 - offsetMs) / 2_000;
  await seekTo(page, middle, lengthS ?? (await page.$eval('video', (video) => video.duration)));
  await until(async () => Math.abs((await state(page)).at - middle) < 0.02 && !(await state(page)).seeking, `${name} seeks`, WAIT_MS);
  picture.push(await offsetAtRest(page, offsetMs, pictureMs));
  await page.keyboard.press('k');
  await until(async () => (await state(page)).at > middle + 0.2, `${name} goes on after a seek`, WAIT_MS);
  picture.push(await offsetWhilePlaying(page, offsetMs, tellsFrames));
  const after = await state(page);
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name: one }) => one));
  const isHeard = after.bytes === null ? after.hasSound : after.bytes > before.bytes;
  return { picture, pictureMs, isHeard, loaded };
}

async function play(library, name, entry) {
  const { url } = await createSession(library.server, { video: entry.id });
  const person = library.idle.pop() ?? { ...(await library.engine.openPerson()), seen: 0 };
  const { page } = person;
  const newFaults = async () => (await person.faults()).slice(person.seen);
  try {
    const seen = await watch(page, name, `${library.server.origin}${url}`, entry.duration, TELLS_FRAMES[library.engine.name]);
    assert.deepEqual(await newFaults(), []);
    return seen;
  } catch (error) {
    const seen = await state(page).catch(() => null);
    error.message += ` ${JSON.stringify({ ...seen, faults: await newFaults() })}`;
    throw error;
  } finally {
    // What it has learnt of forms goes with it; what it has loaded stays for the next.
    await page.evaluate(() => localStorage.clear());
    await page.goto('about:blank');
    person.seen = (await person.faults()).length;
    library.idle.push(person);
  }
}

const floats = (bytes) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const decode = async (file) => floats((await run('ffmpeg', ['-v', 'error', '-i', file, '-ac', '1', '-ar', RATE, '-f', 'f32le', '-'], { encoding: 'buffer', maxBuffer: 64 << 20 })).stdout);

// [{second, at}] of the sound's segments that a page has fetched: each stretch of them decoded as one.
async function beepsOfSegments(folder, loaded) {
  const segments = loaded.map((url) => /^(.*\/sound-\d+\/)(\d+)\.m4s$/.exec(url)).filter(Boolean).map(([, base, number]) => ({ base, number: Number(number) }));
  const [{ base }] = segments;
  const numbers = [...new Set(segments.map(({ number }) => number))].sort((a, b) => a - b);
  const beeps = [];
  for (const first of numbers.filter((number) => !numbers.includes(number - 1))) {
    const parts = [];
    for (let number = first; numbers.includes(number); number += 1) parts.push(await fetchBytes(`${base}${number}.m4s`));
    const file = path.join(folder, `sound-${first}-${Math.random()}.mp4`);
    await writeFile(file, Buffer.concat([await fetchBytes(`${base}init.mp4`), ...parts]));
    const start = timesOf(parts[0]).start / RATE;
    beeps.push(...findBeeps(await decode(file)).filter(({ at }) => at > SETTLED_S).map(({ second, at }) => ({ second, at: start + at })));
  }
  return beeps;
}

async function beepsOfFile(file) {
  const { samples, zero } = await soundOf(file, RATE);
  return findBeeps(samples).map(({ second, at }) => ({ second, at: at - zero / RATE }));
}

// [ms] of each beep: how late it is.
async function soundOffsets(library, name, form, loaded) {
  const { offsetMs = 0, soundLateMs = 0 } = oddFilms[name];
  const beeps = form === 'file' ? await beepsOfFile(path.join(library.films, fileOf(name))) : await beepsOfSegments(library.folder, loaded);
  assert.ok(beeps.length >= 3, `${beeps.length} beeps were found`);
  return beeps.map(({ second, at }) => at * 1_000 - (second * 1_000 - offsetMs + soundLateMs));
}

const formOf = (loaded) => {
  const made = loaded.map((url) => /\/forms\/.*\/(copy|\d+p)\/\d+\.m4s$/.exec(url)?.[1]).filter(Boolean);
  return made.length === 0 ? 'file' : made.at(-1) === 'copy' ? 'copy' : 'transcode';
};
const farthest = (values) => values.reduce((far, one) => (Math.abs(one) > Math.abs(far) ? one : far), 0);

// {name, form, pictureMs, soundMs} of an odd film that plays; rejects with what is wrong of one that does not.
export async function playOddFilm(library, name) {
  const film = oddFilms[name];
  const entry = await entryOf(library, name);
  const lengthS = film.endsMs ? film.endsMs / 1_000 : (film.lengthS ?? LENGTH_S) - (film.offsetMs ?? 0) / 1_000;
  if (!film.isUnmeasured) assert.ok(Math.abs(entry.duration - lengthS) < 0.3, `it is said to last ${entry.duration} s, not ${lengthS} s`);
  const { picture, pictureMs, isHeard, loaded } = await play(library, name, entry);
  const form = formOf(loaded);
  const result = { name, form, pictureMs: farthest(picture), soundMs: null };
  const rounding = 0.5; // the clock shows whole milliseconds
  const lateMs = (1 + CANVAS_LAG[library.engine.name]) * pictureMs + rounding;
  assert.ok(picture.every((ms) => ms >= -pictureMs - rounding && ms <= lateMs), `the picture is ${picture.map((ms) => ms.toFixed(1))} ms off (${form})`);
  if (film.sound !== null) {
    assert.ok(isHeard, `no sound was decoded (${form})`);
    const sound = await soundOffsets(library, name, form, loaded);
    result.soundMs = farthest(sound);
    assert.ok(Math.abs(result.soundMs) <= SOUND_TOLERANCE_MS, `the sound is ${sound.map((ms) => ms.toFixed(1))} ms off (${form})`);
  }
  // Others have other decoders.
  const isSaid = film.form === undefined || library.engine.name !== 'chromium';
  assert.ok(isSaid || film.form === form, `it is played as ${form}, not as ${film.form}`);
  return result;
}
