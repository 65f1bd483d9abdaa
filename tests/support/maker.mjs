// Runs videosync-media, and looks at what it made with ffmpeg's eyes and ears.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { timesOf } from './fragments.mjs';
import { serverBinary } from './server.mjs';

const run = promisify(execFile);

export const makerBinary = () => path.join(path.dirname(serverBinary()), 'videosync-media');

// Resolves to what it says on standard output; rejects with {code, stderr}.
export async function make(verb, film, ...words) {
  const { stdout } = await run(makerBinary(), [verb, film, ...words.map(String)], { maxBuffer: 64 << 20, encoding: 'utf8' });
  return stdout;
}

export const describe = async (film, ...words) => {
  const lines = (await make('describe', film, ...words)).trim().split('\n');
  return JSON.parse(lines.at(-1));
};

// {starts: [ticks], end} of a plan's file.
export async function readPlan(file) {
  const [head, ...cuts] = (await readFile(file, 'utf8')).trim().split('\n').map((line) => line.split(' ').map(Number));
  return { starts: cuts.map(([, , start]) => start), end: head[1] };
}

export const segmentTimes = async (folder, number) => timesOf(await readFile(path.join(folder, `${number}.m4s`)));

async function ffmpeg(args) {
  const { stdout } = await run('ffmpeg', ['-v', 'error', ...args], { maxBuffer: 256 << 20, encoding: 'buffer' });
  return stdout;
}

// One number of a stream or its first frame, by ffprobe.
async function probe(film, stream, entries) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', stream, '-show_entries', entries, '-of', 'csv=p=0', '-read_intervals', '%+2', film]);
  return Number(stdout.trim().split(/[\n,]/)[0]);
}

// Presentation times of all pictures, in ticks of film time.
export async function pictureTimes(film) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', film], { maxBuffer: 64 << 20 });
  // ffprobe names the packets of a transport stream twice, once with their program.
  const seconds = [...new Set(stdout.trim().split('\n').map((line) => parseFloat(line)).filter(Number.isFinite))].sort((a, b) => a - b);
  return seconds.map((time) => (time - seconds[0]) * 90_000);
}

const floats = (bytes) => new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));

// The film's sound as mono samples, and how many of them film time 0 is behind their first.
export async function soundOf(film, rate, track = 0) {
  const first = await probe(film, `a:${track}`, 'frame=best_effort_timestamp_time');
  const zero = await probe(film, 'v:0', 'stream=start_time');
  const samples = floats(await ffmpeg(['-i', film, '-map', `0:a:${track}`, '-ac', '1', '-ar', rate, '-f', 'f32le', '-']));
  return { samples, zero: (zero - first) * rate };
}

// The samples of segments that lie one behind the other in a folder, as mono.
export async function decodeSegments(folder, numbers, rate) {
  const parts = [await readFile(path.join(folder, 'init.mp4'))];
  for (const number of numbers) parts.push(await readFile(path.join(folder, `${number}.m4s`)));
  const joined = path.join(folder, `joined-${numbers[0]}.mp4`);
  await writeFile(joined, Buffer.concat(parts));
  return floats(await ffmpeg(['-i', joined, '-ac', '1', '-ar', rate, '-f', 'f32le', '-']));
}

// By how many samples `part` lies behind `whole` where it should lie at `at`, and how alike they are.
export function lagOf(part, whole, at, { from = 4096, length = 24_000, range = 600 } = {}) {
  let best = { lag: NaN, likeness: -1 };
  for (let lag = -range; lag <= range; lag += 1) {
    const likeness = likenessOf(part, from, whole, Math.round(at) + from - lag, length);
    if (likeness > best.likeness) best = { lag, likeness };
  }
  return best;
}

function likenessOf(a, fromA, b, fromB, length) {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < length; i += 1) {
    const x = a[fromA + i] ?? 0;
    const y = b[fromB + i] ?? 0;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
