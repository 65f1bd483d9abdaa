// Films as people have them, to lie in a library: pictures and sounds of any make.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { copyOfMade } from './media.mjs';

const PICTURES = {
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p'],
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-g', '50', '-pix_fmt', 'yuv420p'],
  mpeg2: ['-c:v', 'mpeg2video', '-q:v', '4', '-g', '12'],
};
const SOUNDS = { aac: ['aac'], ac3: ['ac3'], dts: ['dca', '-strict', '-2'] };

// picture: h264, hevc or mpeg2, of 320x180 and 25 a second. sounds: [{codec: aac, ac3 or dts, lang, hz, isDefault}], a
// tone each. words: more for ffmpeg. What the file is called says its container.
export function makeFilm(file, { seconds, picture, sounds, words = [] }) {
  const all = [
    '-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${seconds}`,
    ...sounds.flatMap(({ hz = 440 }) => ['-f', 'lavfi', '-i', `sine=frequency=${hz}:duration=${seconds}:sample_rate=48000`]),
    '-map', '0:v', ...sounds.flatMap((_, i) => ['-map', String(i + 1)]), '-ac', '2', ...PICTURES[picture],
    ...sounds.flatMap(({ codec, lang, isDefault = false }, i) => [
      `-c:a:${i}`, ...SOUNDS[codec], `-metadata:s:a:${i}`, `language=${lang}`, `-disposition:a:${i}`, isDefault ? 'default' : '0']),
    ...words, '-f', { mkv: 'matroska', mp4: 'mp4', ts: 'mpegts' }[file.split('.').at(-1)],
  ];
  return copyOfMade(all, file, (made) => promisify(execFile)('ffmpeg', [...all, made]));
}
