// Forms of films: how long after a request a picture and its sound are there, and what making them costs.
// `make bench-media`; see README.md.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { fetchBytes, fetchFilm, readMaster, readPlaylist } from '../tests/support/forms.mjs';
import { startServer } from '../tests/support/server.mjs';

const HELP = `Films of 1280x720 in H.264 with AC-3 (copy) and in MPEG-4 ASP with MP3 (transcode).
  --minutes N,N  lengths of the films [10,120]
  --rounds N     starts and seeks of each [20]
  --json         one line of JSON instead of a table
  --help`;
const GOALS = { 'copy cold': [1_000, 1_500], 'copy seek': [1_000, 1_500], 'copy cached': [300, 300], 'transcode cold': [2_500, 2_500], 'transcode seek': [2_500, 2_500] };
const CLIP_S = 60;
const VIEWERS = 10;
const RETRY_MS = 1_000;
const SHARE_S = 120; // of film, for the cost

const run = promisify(execFile);
const say = (text) => process.stderr.write(`${text}\n`);
const ffmpeg = (...words) => run('ffmpeg', ['-v', 'error', '-y', ...words]);

function readArguments() {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, rounds: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const minutes = (values.minutes ?? '10,120').split(',').map(Number);
  const rounds = Number(values.rounds ?? 20);
  if (![...minutes, rounds].every((one) => Number.isInteger(one) && one > 0)) throw new Error('--minutes and --rounds want whole numbers above 0');
  return { minutes, rounds, json: values.json };
}

// A clip of a minute, repeated without encoding it again.
async function makeFilms(root, minutes) {
  const source = ['-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=25:duration=${CLIP_S},noise=alls=8:allf=t`, '-f', 'lavfi', '-i', `anoisesrc=duration=${CLIP_S}:color=pink:amplitude=0.2`, '-ac', '2'];
  await ffmpeg(...source, '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '4M', '-g', '100', '-pix_fmt', 'yuv420p', '-c:a', 'ac3', path.join(root, 'copy.clip.mkv'));
  await ffmpeg(...source, '-c:v', 'mpeg4', '-b:v', '3M', '-bf', '2', '-g', '100', '-c:a', 'libmp3lame', path.join(root, 'transcode.clip.avi'));
  const media = path.join(root, 'media');
  await mkdir(media);
  for (const length of minutes) {
    for (const [form, kind] of [['copy', 'mkv'], ['transcode', 'avi']]) {
      await ffmpeg('-stream_loop', String(Math.ceil((length * 60) / CLIP_S) - 1), '-i', path.join(root, `${form}.clip.${kind}`), '-map', '0', '-c', 'copy', path.join(media, `${form}-${length}.${kind}`));
    }
  }
  return media;
}

// What a player fetches before it can show anything, as hls.js does: playlists, then picture and sound at once; of the
// qualities the first, which is 720p.
async function open(origin, id, form) {
  const { forms } = await fetchFilm(origin, id);
  const master = await readMaster(new URL(forms.find((one) => one.form === form).url, origin).href);
  const [picture, sound] = await Promise.all([readPlaylist(master.variants[0].url), readPlaylist(master.sound[0].url)]);
  return [picture, sound];
}

// Told that the machine is busy a player asks again; the wait counts.
async function fetchPatiently(url) {
  for (;;) {
    const asked = await fetchBytes(url).catch((error) => (error.status === 503 ? null : Promise.reject(error)));
    if (asked) return asked;
    await sleep(RETRY_MS);
  }
}

async function fetchAt(renditions, seconds) {
  await Promise.all(renditions.map(async ({ init, segments }) => {
    const segment = segments.findLast(({ start }) => start <= seconds);
    await Promise.all([fetchPatiently(init), fetchPatiently(segment.url)]);
  }));
}

async function timed(act) {
  const begin = performance.now();
  const value = await act();
  return [performance.now() - begin, value];
}

const withServer = async (media, cache, act) => {
  const server = await startServer({ args: ['--media', media], env: { VIDEOSYNC_CACHE: cache, PATH: process.env.PATH } });
  try {
    return await act(server);
  } finally {
    await server.stop();
  }
};

// Seconds of processor time that its ended children have taken.
async function childrenS(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(13, 15).map(Number);
  return (user + system) / 100;
}

async function measureTimes(root, media, { id, form, lengthS, rounds }) {
  const times = { cold: [], cached: [], seek: [] };
  for (let round = 0; round < rounds; round += 1) {
    const cache = path.join(root, `cache-${id}-${round}`);
    await withServer(media, cache, async ({ origin }) => {
      const once = async () => {
        const renditions = await open(origin, id, form);
        await fetchAt(renditions, 0);
        return renditions;
      };
      const [coldMs, renditions] = await timed(once);
      times.cold.push(coldMs);
      times.cached.push((await timed(once))[0]);
      const place = lengthS * (0.2 + (0.7 * ((round * 7) % rounds)) / rounds);
      times.seek.push((await timed(() => fetchAt(renditions, place)))[0]);
    });
    await rm(cache, { recursive: true, force: true });
  }
  return times;
}

// Seconds of processor for SHARE_S seconds of film, watched by so many.
async function measureCost(root, media, { id, form }, viewers) {
  const cache = path.join(root, `cache-${id}-${viewers}`);
  return withServer(media, cache, async ({ origin, pid }) => {
    const renditions = await open(origin, id, form);
    const before = await childrenS(pid);
    const watch = () => Promise.all(renditions.map(async ({ segments }) => {
      for (const { url, start } of segments) if (start < SHARE_S) await fetchPatiently(url);
    }));
    await Promise.all(Array.from({ length: viewers }, watch));
    return (await childrenS(pid)) - before;
  });
}

// ffmpeg's own way through the same film, as the floor; and the way of one process a viewer, which is that many times it.
async function measureFloor(media, { id, form, kind }) {
  const film = path.join(media, `${id}.${kind}`);
  const picture = form === 'copy' ? ['-c:v', 'copy'] : ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23'];
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-benchmark', '-loglevel', 'info', '-y', '-t', String(SHARE_S), '-i', film, ...picture, '-c:a', 'aac', '-ac', '2', '-f', 'null', '-']);
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr);
  return Number(user) + Number(system);
}

const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];

const { minutes, rounds, json } = readArguments();
const root = await mkdtemp(path.join(tmpdir(), 'videosync-bench-media-'));
try {
  say('making films');
  const media = await makeFilms(root, minutes);
  const results = [];
  for (const length of minutes) {
    for (const [form, kind] of [['copy', 'mkv'], ['transcode', 'avi']]) {
      const film = { id: `${form}-${length}`, form, kind, lengthS: length * 60, rounds };
      say(`${film.id}`);
      for (const [what, all] of Object.entries(await measureTimes(root, media, film))) {
        const [p50, p95] = [percentile(all, 0.5), percentile(all, 0.95)];
        const goal = GOALS[`${form} ${what}`];
        results.push({ film: film.id, what, p50, p95, isMet: goal ? p50 <= goal[0] && p95 <= goal[1] : null });
      }
      const [one, ten, floor] = [await measureCost(root, media, film, 1), await measureCost(root, media, film, VIEWERS), await measureFloor(media, film)];
      const hour = 3_600 / SHARE_S;
      results.push({ film: film.id, what: 'cost', oneS: one * hour, tenS: ten * hour, floorS: floor * hour, eachS: floor * hour * VIEWERS });
    }
  }
  if (json) console.log(JSON.stringify(results));
  for (const row of json ? [] : results) {
    if (row.what === 'cost') console.log(`${row.film.padEnd(16)} an hour: one viewer ${row.oneS.toFixed(0)} s of processor, ${VIEWERS} viewers ${row.tenS.toFixed(0)} s; ffmpeg ${row.floorS.toFixed(0)} s, a process each ${row.eachS.toFixed(0)} s`);
    else console.log(`${row.film.padEnd(16)} ${row.what.padEnd(7)} p50 ${row.p50.toFixed(0).padStart(6)} ms   p95 ${row.p95.toFixed(0).padStart(6)} ms   ${row.isMet === null ? '' : row.isMet ? 'met' : 'missed'}`);
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
