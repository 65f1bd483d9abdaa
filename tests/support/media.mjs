// A throw-away media library for tests: a folder with short videos made by ffmpeg.
//
// A film of a minute takes ffmpeg seconds, and most tests want the same few: each is made once for a
// build, into test-media beside the server's binary, and copied from there. So are the streams that tests
// make of them.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ffmpeg, loopedPictures, loopedTone } from './loops.mjs';
import { serverBinary } from './server.mjs';

const run = promisify(execFile);

// videos: [{name, seconds, grain, size, rate, sound}]. Each has moving pictures of `size` (320x180), `rate` of them a
// second (15: half of what it costs to play a film here goes with its pictures; who measures by them wants more),
// a tone and a key frame a second; with grain it is big, some 200 KB a second, and more pleasant to look at. sound:
// an expression of ffmpeg's aevalsrc in place of the tone.
// Resolves to {directory, remove()}.
export async function makeMedia(videos = [{ name: 'demo', seconds: 30 }]) {
  const directory = await mkdtemp(path.join(tmpdir(), 'videosync-media-'));
  for (const { name, seconds, ...options } of videos) {
    await makeVideo(path.join(directory, `${name}.mp4`), seconds, options);
  }
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

// Cuts a film short at `seconds`, as by a download that broke off: its head still promises the whole. With
// `inPicture` in the middle of a picture, so that its decoder fails there; else the film just ends.
export async function cutShort(file, seconds, { inPicture = false } = {}) {
  const { stdout } = await run('ffprobe', [
    '-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time,pos,size', '-of', 'json', file,
  ], { maxBuffer: 64 * 1024 * 1024 });
  const last = JSON.parse(stdout).packets.find(({ pts_time: at }) => Number(at) >= seconds);
  await truncate(file, Number(last.pos) + (inPicture ? Math.floor(last.size / 2) : Number(last.size)));
}

// A picture to lie beside a video: its poster. seed: of one that is the same each time.
export function makePoster(file, { seed = -1 } = {}) {
  return run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `gradients=size=640x360:c0=0x1b2a6b:c1=0xf2a65a:seed=${seed}`, '-frames:v', '1', file]);
}

async function makeVideo(file, seconds, { grain = false, size = '320x180', rate = 15, sound }) {
  const colours = 'nb_colors=3:c0=0x1b2a6b:c1=0xc4477f:c2=0xf2a65a:speed=0.02:seed=11';
  const pictures = grain ? `gradients=size=${size}:rate=${rate}:${colours},format=yuv420p,noise=alls=9:allf=t` : `testsrc2=size=${size}:rate=${rate}`;
  const words = [JSON.stringify({ seconds, pictures, sound }), ...await sourcesOf(import.meta.url)];
  return copyOfMade(words, file, async (made) => {
    const picture = await loopedPictures({ pictures, rate, keyEvery: rate }, `${made}-pictures`);
    const heard = sound
      ? { input: ['-f', 'lavfi', '-i', `aevalsrc='${sound}':sample_rate=48000`], output: ['-c:a', 'aac'] }
      : await loopedTone({ tone: 'sine=frequency=330:sample_rate=44100', sampleRate: 44_100, seconds }, `${made}-tone`);
    await ffmpeg(...picture.input, ...heard.input, '-map', '0:v', '-map', '1:a', '-t', seconds, ...picture.output, ...heard.output,
      '-movflags', '+faststart', '-f', 'mp4', made);
  });
}

// Puts to `target` what make(path) makes, a file or a folder; it is made once for all that say the same `words`.
export async function copyOfMade(words, target, make) {
  const kept = path.join(path.dirname(serverBinary()), 'test-media', digestOf(words));
  try {
    await cp(kept, target, { recursive: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    await makeOnce(kept, make);
    await cp(kept, target, { recursive: true });
  }
}

// How a film is made is among its words, too: by this module and the loops.
export const sourcesOf = (url) => Promise.all([url, new URL('loops.mjs', url)].map((source) => digestOfFile(fileURLToPath(source))));

// Of a file's content, to be among the words of what is made of it.
export const digestOfFile = async (file) => createHash('sha256').update(await readFile(file)).digest('hex');

const digestOf = (words) => createHash('sha256').update(words.join('\0')).digest('hex').slice(0, 16);

// Tests run beside each other: it is there as a whole or not at all. Whoever comes second finds a folder there.
async function makeOnce(kept, make) {
  await mkdir(path.dirname(kept), { recursive: true });
  const draft = await mkdtemp(`${kept}-`);
  try {
    await make(path.join(draft, 'made'));
    await rename(path.join(draft, 'made'), kept).catch((error) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
