// Packages a video as HLS: MEDIA/<name>/ with renditions, captions, poster and thumbnails. It is put
// together in a hidden folder beside its place and appears there by one rename, or not at all.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { addCaptions, captionsPlaylist, encodeArguments, nameSounds, planLadder, planThumbnails } from './plan.mjs';
import { make, probe } from './source.mjs';

const HELP = `Packages a video as HLS, so that viewers get the quality that their line carries.

Usage: deploy/make-hls [options] FILE        or: make hls FILE=film.mkv

It becomes MEDIA/NAME/master.m3u8: H.264 and AAC in fragmented MP4, in the sizes of 360, 720 and 1080
lines that the source has, key frames every 2 s, every sound track, captions (from within, or film.en.vtt,
film.en.forced.srt and the like beside it), a poster, and thumbnails. A running server takes it in when it gets SIGHUP.

  --media DIR     the library (media)
  --name NAME     the folder to make (FILE's name without its extension; a file of that name in the
                  library and the folder are one video)
  --preset WORD   of x264: slower ones make smaller files (fast)
  --force         replace a folder that is there
  --help`;
const PRESETS = /^(ultrafast|superfast|veryfast|faster|fast|medium|slow|slower|veryslow)$/;
const POSTER_FILTER = "thumbnail=50,scale=w='min(960,iw*sar)':h='trunc(ow/dar/2)*2',setsar=1";

class UsageError extends Error {}

function readOptions() {
  const options = {
    media: { type: 'string', default: 'media' }, name: { type: 'string' }, preset: { type: 'string', default: 'fast' },
    force: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
  };
  let parsed;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  if (values.help) return values;
  if (positionals.length !== 1 || positionals[0] === '') throw new UsageError('name one FILE');
  if (!PRESETS.test(values.preset)) throw new UsageError(`x264 has no preset ${values.preset}`);
  const file = path.resolve(positionals[0]);
  const name = values.name ?? path.parse(file).name;
  if (name === '' || name.startsWith('.') || name.includes('/')) throw new UsageError(`a folder cannot be named ${name}`);
  return { ...values, file, name };
}

// Runs ffmpeg; onProgress(seconds of the video that are done). Rejects with its last words.
function ffmpeg(args, onProgress = () => {}) {
  const child = spawn('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-progress', 'pipe:1', '-nostats', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (complaints = (complaints + text).slice(-4096)));
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const done = [...text.matchAll(/^out_time_us=(\d+)$/gm)].at(-1);
    if (done) onProgress(Number(done[1]) / 1e6);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('exit', stop);
      if (code === 0) return resolve();
      reject(new Error(`ffmpeg failed: ${complaints.trim().split('\n').at(-1) || `status ${code}`}`));
    });
  });
}

// A line that renews itself on a terminal; elsewhere one each tenth.
function progressBar(durationS) {
  const startMs = Date.now();
  let shown = -1;
  return (doneS) => {
    const percent = Math.min(100, Math.floor((100 * doneS) / durationS));
    if (percent <= shown || (!process.stderr.isTTY && percent < shown + 10 && percent < 100)) return;
    shown = percent;
    const elapsedS = (Date.now() - startMs) / 1000;
    const leftS = percent > 0 ? Math.round((elapsedS * (100 - percent)) / percent) : null;
    const line = `  ${String(percent).padStart(3)} %${leftS === null ? '' : `  ${leftS} s left`}`;
    process.stderr.write(process.stderr.isTTY ? `\r${line.padEnd(40)}${percent === 100 ? '\n' : ''}` : `${line}\n`);
  };
}

// First of all: they take a moment, and one that cannot be read costs itself alone. Resolves to those that are there.
async function makeCaptions({ file, captions }, folder) {
  if (captions.length === 0) return [];
  const inside = path.join(folder, 'inside');
  mkdirSync(inside);
  mkdirSync(path.join(folder, 'captions'));
  const warn = (what, reason) => console.error(`  warning: ${what} left out: ${reason}`);
  if (captions.some(({ stream }) => stream !== undefined)) {
    await make('subtitles', file, '--out', inside).catch((error) => warn('the captions inside are', error.message));
  }
  const made = [];
  for (const caption of captions) {
    const place = path.join(folder, 'captions', `${caption.name}.vtt`);
    const within = path.join(inside, `${caption.stream}.vtt`);
    try {
      if (caption.stream === undefined) writeFileSync(place, await make('convert', caption.file, '--lang', caption.lang));
      else if (existsSync(within)) renameSync(within, place);
      else continue;
      made.push(caption);
    } catch (error) {
      warn(`${path.basename(caption.file)} is`, error.message);
    }
  }
  rmSync(inside, { recursive: true });
  if (made.length === 0) rmSync(path.join(folder, 'captions'), { recursive: true });
  return made;
}

function finishMaster({ sounds, durationS }, captions, folder) {
  for (const { name } of captions) writeFileSync(path.join(folder, 'captions', `${name}.m3u8`), captionsPlaylist(name, durationS));
  const master = path.join(folder, 'master.m3u8');
  writeFileSync(master, addCaptions(nameSounds(readFileSync(master, 'utf8'), sounds), captions));
}

async function makePictures({ file, durationS }, folder) {
  const still = ['-map', '0:v:0', '-frames:v', '1', '-q:v', '5', '-update', '1', '-f', 'image2'];
  const at = Math.min(300, durationS / 10).toFixed(3);
  await ffmpeg(['-ss', at, '-i', `file:${file}`, '-vf', POSTER_FILTER, ...still, path.join(folder, 'poster.jpg')]);
  const { filter, vtt } = planThumbnails(durationS, 'thumbnails.jpg');
  await ffmpeg(['-skip_frame', 'nokey', '-i', `file:${file}`, '-vf', filter, ...still, path.join(folder, 'thumbnails.jpg')]);
  writeFileSync(path.join(folder, 'thumbnails.vtt'), vtt);
}

async function fill(folder, source, preset) {
  const ladder = planLadder(source);
  const apart = source.sounds.length > 1 ? source.sounds.map(({ index }) => ({ name: `sound-${index}` })) : [];
  for (const { name } of [...ladder, ...apart]) mkdirSync(path.join(folder, name));
  const sizes = ladder.map(({ width, height }) => `${width}x${height}`).join(', ');
  console.error(`${path.basename(source.file)}: ${sizes}${source.sounds.length > 0 ? '' : ', without sound'}`);
  if (source.endsEarly) console.error(`  warning: the file was cut short: it ends after ${Math.round(source.durationS)} s`);
  if (source.skipped > 0) console.error(`  ${source.skipped} captions are pictures and are left out`);
  const captions = await makeCaptions(source, folder);
  const show = progressBar(source.durationS);
  await ffmpeg(encodeArguments({ ...source, file: `file:${source.file}` }, ladder, folder, preset), show);
  show(source.durationS);
  finishMaster(source, captions, folder);
  await makePictures(source, folder);
}

// A failure, and Ctrl-C, leave nothing behind.
async function makeFolder(place, source, { preset, force }) {
  const draft = mkdtempSync(path.join(path.dirname(place), '.make-hls-'));
  const clean = () => rmSync(draft, { recursive: true, force: true });
  process.once('exit', clean);
  const folder = path.join(draft, 'new');
  mkdirSync(folder, { mode: 0o755 });
  await fill(folder, source, preset);
  if (force && existsSync(place)) renameSync(place, path.join(draft, 'old'));
  renameSync(folder, place);
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  const { file, media, name, force } = options;
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Error(`there is no file ${file}`);
  if (!statSync(media, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`there is no folder ${media}; name the library with --media`);
  const place = path.resolve(media, name);
  if (existsSync(place) && !force) throw new Error(`${place} is there already; --force replaces it`);
  await makeFolder(place, await probe(file), options);
  console.log(path.join(place, 'master.m3u8'));
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
try {
  await main();
} catch (error) {
  console.error(`make-hls: ${error.message}`);
  if (error instanceof UsageError) console.error('`deploy/make-hls --help` tells how it is used.');
  process.exit(error instanceof UsageError ? 2 : 1);
}
