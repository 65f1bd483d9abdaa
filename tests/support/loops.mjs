// Films for tests that cost little to make: some seconds of pictures and of a tone are encoded, and copied again and
// again. To encode a film of five minutes took half a minute of processor, most of it for its sound.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LOOP_S = 10;
const AAC_SAMPLES = 1024; // a frame
const LOOP_FRAMES = 430; // of sound: some ten seconds

export const ffmpeg = (...words) => run('ffmpeg', ['-v', 'error', '-y', ...words.map(String)]);

// What ffmpeg is told of an input that goes on for ever, and is copied: {input, output}. `file` is made, and is to be
// there until the film is.
//
// pictures: a source of ffmpeg's, `rate` a second, in H.264 with a key frame every `keyEvery`.
export async function loopedPictures({ pictures, rate, keyEvery }, file) {
  await ffmpeg('-f', 'lavfi', '-i', pictures, '-frames:v', LOOP_S * rate,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-g', keyEvery, '-pix_fmt', 'yuv420p', '-f', 'mp4', file);
  return { input: ['-stream_loop', '-1', '-i', file], output: ['-c:v', 'copy'] };
}

// tone: a source of ffmpeg's, of `sampleRate`; in AAC, as sound `index` of a film of `seconds`. Its frames are put one
// behind the other here: ffmpeg would take what the encoder needs for its beginning for a part of each loop's time.
export async function loopedTone({ tone, sampleRate, channels = 1, seconds, index = 0 }, file) {
  await ffmpeg('-f', 'lavfi', '-i', tone, '-frames:a', LOOP_FRAMES, '-ac', channels, '-c:a', 'aac', '-f', 'adts', file);
  const frames = framesOf(await readFile(file));
  const count = Math.floor((seconds * sampleRate) / AAC_SAMPLES);
  await writeFile(file, Buffer.concat(Array.from({ length: count }, (_, i) => frames[i % frames.length])));
  return { input: ['-f', 'aac', '-i', file], output: [`-c:a:${index}`, 'copy'] };
}

// ADTS: each frame's head has its length, of 13 bits.
function framesOf(bytes) {
  const frames = [];
  for (let at = 0; at < bytes.length; at += frames.at(-1).length) {
    frames.push(bytes.subarray(at, at + ((bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff)));
  }
  return frames;
}
