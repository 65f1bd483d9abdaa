// A large library: how long after its start a server lists all of it, what it needs for that, and what
// a part of the list costs. `make bench-library`; see README.md.
import { existsSync } from 'node:fs';
import { appendFile, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { projectRoot, serverBinary, startServer } from '../tests/support/server.mjs';

const HELP = `A library of many files, and a server (VIDEOSYNC_BINARY names it), with the descriptors that this program may have.
  --files N      videos: two fifths are films in folders of their own, with poster and notes, two fifths
                 episodes, the rest lies in one folder [50000]
  --rounds N     starts; all but the first one have durations of all videos in their cache [3]
  --asks N       for each part of the list [200]
  --json         one line of JSON instead of a table
  --help`;
const DEFAULTS = { files: '50000', rounds: '3', asks: '200' };
const GOAL_MS = 2_000;
const EPISODES = 20;

function readArguments() {
  const options = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ options: { ...options, json: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const numbers = Object.entries(DEFAULTS).map(([name, value]) => [name, Number(values[name] ?? value)]);
  for (const [name, value] of numbers) {
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} wants a whole number above 0`);
  }
  return { ...Object.fromEntries(numbers), json: values.json };
}

const say = (text) => process.stderr.write(`${text}\n`);

// Files of a byte each: nothing is asked of what is in them but by ffprobe and videosync-media, which are not there.
async function makeLibrary(root, files) {
  const films = Math.floor((files * 2) / 5);
  const episodes = films;
  for (let i = 0; i < films; ++i) {
    const name = `Film of the ${i}th Kind (${1950 + (i % 70)})`;
    const folder = path.join(root, 'Films', name);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, `${name} - 1080p.mkv`), 'x');
    await writeFile(path.join(folder, 'poster.jpg'), 'x');
    await writeFile(path.join(folder, 'movie.nfo'), `<movie><title>The ${i}th Kind</title><year>1999</year></movie>`);
  }
  for (let i = 0; i < episodes; ++i) {
    const show = `Show ${Math.floor(i / (5 * EPISODES))}`;
    const season = 1 + (Math.floor(i / EPISODES) % 5);
    const folder = path.join(root, 'Shows', show, `Season ${season}`);
    if (i % EPISODES === 0) await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, `${show} S0${season}E${String(1 + (i % EPISODES)).padStart(2, '0')}.mp4`), 'x');
  }
  await mkdir(path.join(root, 'Other'));
  for (let i = films + episodes; i < files; ++i) await writeFile(path.join(root, 'Other', `Holiday ${i}.mp4`), 'x');
}

const list = async (server, query) => (await fetch(`${server.origin}/api/videos?${query}`)).json();

async function untilListed(server, files) {
  for (;;) {
    const { videos, folders } = await list(server, 'folder=');
    if (videos.length + folders.reduce((sum, folder) => sum + folder.videos, 0) === files) return;
    await sleep(5);
  }
}

// Seconds of processor that the process has had.
async function cpuSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function partTimes(server, asks) {
  const parts = { 'a page': 'limit=48', 'words of many': 'limit=48&query=kind', 'words of one': 'limit=48&query=holiday+49999', 'words of none': 'limit=48&query=zzz',
    'a folder': 'limit=48&folder=Shows/Show+7/Season+3', 'the largest folder': 'limit=48&folder=Films' };
  const times = {};
  for (const [name, query] of Object.entries(parts)) {
    const all = [];
    for (let i = 0; i < asks; ++i) {
      const begin = performance.now();
      await (await fetch(`${server.origin}/api/videos?${query}`)).arrayBuffer();
      all.push(performance.now() - begin);
    }
    all.sort((a, b) => a - b);
    times[name] = { p50Ms: all[Math.floor(all.length / 2)], p99Ms: all[Math.floor(all.length * 0.99)] };
  }
  return times;
}

// The program where no other one is beside it, nor in PATH: what it learns of films by those is not measured.
async function aloneIn(folder) {
  const binary = path.join(folder, 'videosync');
  await copyFile(serverBinary(), binary);
  return binary;
}

const start = (root, { binary, www }, cache) => startServer({
  binary, args: ['--media', root, '--www', www, '--workers', '1'], env: { PATH: '', VIDEOSYNC_CACHE: cache },
});

const pagesOf = (binary) => {
  const made = path.join(path.dirname(binary), 'www');
  return existsSync(made) ? made : path.join(projectRoot, 'www');
};

// As after a first look at all films: durations are remembered in the cache, for the real sizes and times of the files.
async function rememberDurations(root, cache) {
  const files = (await readdir(root, { recursive: true })).filter((name) => /\.(?:mkv|mp4)$/.test(name));
  const lines = await Promise.all(files.map(async (name) => {
    const { size, mtimeNs } = await stat(path.join(root, name), { bigint: true });
    return `f\t${size}\t${mtimeNs}\t${5_400_000_000 + (Number(mtimeNs % 1_000n))}\t=${name}\n`;
  }));
  const known = (await readdir(cache)).find((name) => /^films-[^.]+$/.test(name));
  await appendFile(path.join(cache, known), lines.join(''));
}

async function assertRemembered(server) {
  const { videos } = await list(server, 'limit=48');
  if (!videos.every(({ duration }) => duration > 0)) throw new Error('durations were not remembered: is what is kept in --cache another one now?');
}

async function measureStart(root, options, cache, isRemembered) {
  const { files, asks } = options;
  const begin = performance.now();
  const server = await start(root, options, cache);
  try {
    await untilListed(server, files);
    const listedMs = performance.now() - begin;
    if (isRemembered) await assertRemembered(server);
    const cpuS = await cpuSeconds(server.pid);
    const descriptors = (await readdir(`/proc/${server.pid}/fd`)).length;
    const parts = await partTimes(server, asks);
    const residentMb = Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;
    return { listedMs, cpuS, descriptors, residentMb, parts };
  } finally {
    await server.stop();
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function show(starts, { files }) {
  const of = (figure) => starts.map((start) => start[figure]);
  const ms = of('listedMs').map(Math.round);
  console.log(`${files.toLocaleString('en-US')} videos, from the start of the program to the whole list:`);
  console.log(`  ${Math.round(median(ms))} ms (${Math.min(...ms)}-${Math.max(...ms)}), goal ${GOAL_MS} for 50,000: ${median(ms) <= GOAL_MS ? 'met' : 'missed'}`);
  console.log(`  ${median(of('cpuS')).toFixed(2)} s of the server's processor, ${median(of('descriptors'))} descriptors, ${Math.round(median(of('residentMb')))} MB`);
  console.log('  part of the list              p50 ms   p99 ms');
  for (const name of Object.keys(starts[0].parts)) {
    const [p50, p99] = ['p50Ms', 'p99Ms'].map((figure) => median(starts.map(({ parts }) => parts[name][figure])).toFixed(2).padStart(8));
    console.log(`  ${name.padEnd(26)} ${p50} ${p99}`);
  }
}

async function main() {
  const options = readArguments();
  const folder = await mkdtemp(path.join(tmpdir(), 'videosync-library-'));
  try {
    const root = path.join(folder, 'media');
    say(`making ${options.files} videos in ${root}`);
    await makeLibrary(root, options.files);
    const cache = path.join(folder, 'cache');
    const chosen = { ...options, binary: await aloneIn(folder), www: pagesOf(serverBinary()) };
    const starts = [];
    for (let round = 0; round < options.rounds; ++round) {
      say(`start ${round + 1} of ${options.rounds}`);
      starts.push(await measureStart(root, chosen, cache, round > 0));
      if (round === 0) await rememberDurations(root, cache);
    }
    if (options.json) console.log(JSON.stringify({ files: options.files, starts }));
    else show(starts, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main().catch((error) => {
  console.error(`bench-library: ${error.message}`);
  process.exitCode = 1;
});
