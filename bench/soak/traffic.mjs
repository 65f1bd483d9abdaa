// A process of a soak that is what goes on beside the viewers: downloads of ranges, films that hosts bring, forms of
// films. Each answer is held against what it is to be. Started by processes.mjs.
//
// It is told {do: 'begin', origin, downloaders, parts: names, pace}, 'away' and 'back' (of Redis) and 'end'.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { patternBytes } from '../../tests/support/files.mjs';
import { fetchFilm, fetchPatiently, readMaster, readPlaylist } from '../../tests/support/forms.mjs';
import { uploader } from '../../tests/support/tus.mjs';
import { until } from '../../tests/support/until.mjs';
import { endSession } from './acts.mjs';
import { FILM_BYTES, filmBytes } from './films.mjs';
import { makeReporter } from './reporter.mjs';
import { StoreWatch } from './store_watch.mjs';

const RANGE_MAX = 1 << 20;
const BROUGHT_MIN = 1 << 20;
const BROUGHT_MORE = 6 << 20;
const LISTED_MS = 15_000;
const BREAKS = 0.1; // of downloads
const RESTS = 0.1;

const reporter = makeReporter();
const store = new StoreWatch();
const agent = new http.Agent({ keepAlive: true });
const ending = new AbortController();
let origin;
let pace;

const below = (end) => Math.floor(Math.random() * end);

// Again and again until the end. What fails is a fault, but for what needs Redis while that is away.
async function loop(name, pauseMs, act) {
  while (!ending.signal.aborted) {
    const beganMs = performance.now();
    try {
      await act();
      reporter.count(name);
    } catch (error) {
      if (store.wasAwaySince(beganMs)) reporter.count(`${name} refused without Redis`);
      else reporter.fault(`${name}: ${error.message}`);
    }
    await sleep((pauseMs / pace) * (0.5 + Math.random()), null, { signal: ending.signal }).catch(() => {});
  }
}

// A range of the film. Some break off in the middle, some are read by somebody slow.
function download(film) {
  const first = below(FILM_BYTES);
  const last = Math.min(FILM_BYTES, first + 1 + below(RANGE_MAX)) - 1;
  const way = Math.random();
  return new Promise((resolve, reject) => {
    const request = http.get(`${origin}/api/video?id=film`, { agent, headers: { Range: `bytes=${first}-${last}` } }, (answer) => {
      if (answer.statusCode !== 206) reject(new Error(`a range was answered with ${answer.statusCode}`));
      let at = first;
      answer.on('data', (bytes) => {
        if (film.compare(bytes, 0, bytes.length, at, at + bytes.length) !== 0) reject(new Error(`others than the film's bytes at ${at}`));
        at += bytes.length;
        if (way < BREAKS && at - first > (last - first) / 2) {
          resolve();
          request.destroy();
        } else if (way < BREAKS + RESTS) {
          answer.pause();
          setTimeout(() => answer.resume(), 30);
        }
      });
      answer.on('end', () => (at === last + 1 ? resolve() : reject(new Error(`a range ended at ${at} and not at ${last + 1}`))));
    });
    request.on('error', (error) => (way < BREAKS ? resolve() : reject(error)));
  });
}

// In parts, of which one breaks off and is gone on with; then it is in the list and the same, and goes with its session.
async function bring() {
  const bytes = patternBytes(BROUGHT_MIN + below(BROUGHT_MORE), 1 + below(1_000));
  const host = await uploader({ origin });
  try {
    const url = await host.begin(bytes.length, 'Brought.mp4');
    const broken = await host.open(url, 0, bytes.length);
    broken.write(bytes.subarray(0, bytes.length >> 1));
    await broken.drained();
    broken.close();
    await until(async () => (await host.offset(url)) > 0, 'the first part has come');
    let offset = await settledOffset(host, url);
    while (offset < bytes.length) {
      const end = Math.min(bytes.length, offset + 1 + below(bytes.length));
      const { status, headers } = await host.patch(url, offset, bytes.subarray(offset, end));
      if (status !== 204) throw new Error(`a part was answered with ${status}`);
      offset = Number(headers['upload-offset']);
    }
    const listed = async () => (await (await fetch(`${origin}/api/videos?session=${host.key}`)).json()).videos.find(({ title }) => title === 'Brought');
    const { url: place } = await until(listed, 'a film that was brought is listed', LISTED_MS);
    const got = Buffer.from(await (await fetch(origin + place)).arrayBuffer());
    if (!bytes.equals(got)) throw new Error('a film that was brought came back as another');
  } finally {
    await endSession(origin, host);
  }
}

// What has arrived of a part whose connection is gone may grow for a moment still.
async function settledOffset(host, url) {
  let last = -1;
  return until(async () => {
    const now = await host.offset(url);
    const rests = now === last;
    last = now;
    return rests && now;
  }, 'what has come rests');
}

// A segment of picture and one of sound, anywhere in the film.
async function watchForm(id, form) {
  const { forms } = await fetchFilm(origin, id);
  const { variants, sound } = await readMaster(new URL(forms.find((one) => one.form === form).url, origin).href);
  for (const { url } of [variants[below(variants.length)], sound[0]]) {
    const { segments } = await readPlaylist(url);
    const segment = segments[below(segments.length)];
    const bytes = await fetchPatiently(segment.url);
    if (bytes.indexOf('moof') < 0) throw new Error(`${segment.url} is no segment`);
  }
}

const deeds = {
  begin: (words) => {
    ({ origin, pace } = words);
    const film = filmBytes();
    const parts = {
      downloads: () => Array.from({ length: words.downloaders }, () => loop('downloads', 150, () => download(film))),
      uploads: () => [loop('uploads', 2_000, bring)],
      forms: () => [loop('copies', 3_000, () => watchForm('copied', 'copy')), loop('transcodes', 10_000, () => watchForm('remade', 'transcode'))],
    };
    const all = words.parts.flatMap((part) => parts[part]?.() ?? []);
    reporter.begin();
    const ended = new Promise((resolve) => ending.signal.addEventListener('abort', resolve));
    Promise.all([ended, ...all]).then(() => {
      agent.destroy();
      reporter.end();
    });
  },
  away: () => store.onAway(),
  back: () => store.onBack(),
  end: () => ending.abort(),
};

process.on('message', (words) => deeds[words.do](words));
