// A library of odd films: ten seconds each, of every kind that people have, each with a clock in the picture and
// beeps (film_clock.mjs). Made once for a build.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { writeBeeps, writeClock } from './film_clock.mjs';
import { copyOfMade, cutShort } from './media.mjs';

const run = promisify(execFile);
export const LENGTH_S = 10;

const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-g', '50', '-pix_fmt', 'yuv420p'];
const x264Of = (...words) => [...x264, ...words];
const x265 = (format = 'yuv420p', parameters = '') =>
  ['-c:v', 'libx265', '-preset', 'ultrafast', '-crf', '18', '-g', '50', '-x265-params', `log-level=none${parameters}`, '-pix_fmt', format];
const aac = ['-c:a', 'aac', '-ac', '2'];
const ac3 = ['-c:a', 'ac3', '-ac', '2'];
const mpeg2 = ['-c:v', 'mpeg2video', '-q:v', '2', '-g', '15', '-bf', '2'];
const asp = ['-c:v', 'mpeg4', '-q:v', '2', '-bf', '2', '-g', '60'];
const vp9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '600k', '-g', '50'];
const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '600k', '-g', '50'];
const av1 = ['-c:v', 'libsvtav1', '-preset', '12', '-crf', '25', '-g', '50', '-pix_fmt', 'yuv420p'];
const opus = ['-c:a', 'libopus', '-ac', '2'];
const vorbis = ['-c:a', 'libvorbis', '-ac', '2'];
const hdr10 = ['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc'];
const fields = ['-flags', '+ilme+ildct', '-vf', 'scale=160:96,setdar=16/9,setfield=tff'];
const irregular = ['-vf', "select='lt(mod(n*n,23),9)'", '-vsync', 'vfr'];
// A picture that lies on its side, and a note that it does.
const onItsSide = ['-vf', 'transpose=cclock'];
// What the file itself has: such encoders begin late, and these containers cannot say so.
const DTS_MS = (512 / 48_000) * 1_000;
const MP3_MS = (1_105 / 48_000) * 1_000;
const AVI_B_MS = 40; // a picture, by which it is shown later than avi has it
const soundIn = (codec, ...words) => ({ picture: 'h264.mkv', words: ['-c:v', 'copy', '-c:a', codec, '-ac', '2', ...words] });

// By name. words: ffmpeg's, behind picture (another of these, or the clock) and sound; from: what has both. fps: [pictures, seconds] (25). pictureMs: how long one lasts.
// offsetMs: what the clock shows where film time is 0. sound: null, or [words before the sound's file]. then(file):
// what is done to it at last. soundLateMs: how late its sound lies in the file. isUnmeasured: how long it is only reading it
// to its end would tell. form: that Chromium should choose. endsMs: where it breaks off. reason: why it is no film.
export const oddFilms = {
  'h264-aac.mp4': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac], form: 'file' },
  'index-in-front.mp4': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac, '-movflags', '+faststart'], form: 'file' },
  'fragmented.mp4': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac, '-movflags', 'frag_keyframe+empty_moov'], form: 'copy' },
  'edit-list.mp4': { from: 'h264-aac.mp4', before: ['-ss', '1.4'], words: ['-c', 'copy'], offsetMs: 1_400, form: 'copy' },
  'edit-list-ac3.mp4': { from: 'ac3.mp4', before: ['-ss', '1.4'], words: ['-c', 'copy'], offsetMs: 1_400, form: 'copy' },
  'b-frames.mp4': { words: [...x264Of('-bf', '8', '-b_strategy', '0', '-refs', '4'), ...aac], form: 'file' },
  'open-groups-ac3.mkv': { words: [...x264Of('-x264-params', 'open-gop=1:keyint=50:bframes=3'), ...ac3], form: 'transcode' },
  'surround.mp4': { picture: 'h264.mkv', words: ['-c:v', 'copy', '-c:a', 'aac', '-ac', '6'], form: 'file' },
  'surround-ac3.mkv': { picture: 'h264.mkv', words: ['-c:v', 'copy', '-c:a', 'ac3', '-ac', '6'], form: 'copy' },
  'h264-aac.mkv': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac], form: 'copy' },
  'h264-aac.mov': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac], form: 'file' },
  'h264-aac.m4v': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac, '-f', 'mp4'], form: 'file' },
  'h264-aac.ts': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac], form: 'copy' },
  'h264-aac.flv': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac], form: 'copy' },
  'h264-mp3.avi': { words: [...x264Of('-bf', '0'), '-c:a', 'libmp3lame', '-ac', '2'], form: 'transcode', soundLateMs: MP3_MS },
  'high10.mp4': { words: [...x264Of('-pix_fmt', 'yuv420p10le'), ...aac] },
  '422.mp4': { words: [...x264Of('-pix_fmt', 'yuv422p'), ...aac] },
  '444.mp4': { words: [...x264Of('-pix_fmt', 'yuv444p'), ...aac] },
  'interlaced.mp4': { words: [...x264Of(...fields, '-x264-params', 'tff=1'), ...aac] },
  'interlaced-mpeg2.mpg': { words: [...mpeg2, ...fields, ...ac3], form: 'transcode' },
  'rotated.mp4': { from: 'h264-side.mp4', words: ['-c', 'copy', '-metadata:s:v', 'rotate=270'], form: 'file' },
  'rotated-ac3.mp4': { from: 'h264-side-ac3.mp4', words: ['-c', 'copy', '-metadata:s:v', 'rotate=270'], form: 'copy' },
  'rotated-hevc.mp4': { from: 'hevc-side.mp4', words: ['-c', 'copy', '-metadata:s:v', 'rotate=270'], form: 'transcode' },
  'anamorphic.mp4': { words: [...x264Of('-vf', 'scale=120:90,setsar=4/3'), ...aac], form: 'file' },
  'anamorphic-ac3.mkv': { words: [...x264Of('-vf', 'scale=120:90,setsar=4/3'), ...ac3], form: 'copy' },
  'anamorphic-outside-ac3.mkv': { from: 'narrow-ac3.mkv', words: ['-c', 'copy', '-aspect', '16:9'], form: 'copy' },
  'vfr.mp4': { words: [...x264Of(...irregular), ...aac], fps: [100, 1], pictureMs: 100, form: 'file' },
  'vfr-ac3.mkv': { words: [...x264Of(...irregular), ...ac3], fps: [100, 1], pictureMs: 100, form: 'copy' },
  'vfr-hevc.mkv': { words: [...x265(), ...irregular, ...aac], fps: [100, 1], pictureMs: 100, form: 'transcode' },
  '23.976-ac3.mkv': { words: [...x264, ...ac3], fps: [24_000, 1_001], form: 'copy' },
  '59.94.mp4': { words: [...x264, ...aac], fps: [60_000, 1_001], form: 'file' },
  '59.94-mpeg2.ts': { words: [...mpeg2, ...ac3], fps: [60_000, 1_001], form: 'transcode' },
  '120.mp4': { words: [...x264, ...aac], fps: [120, 1], form: 'file' },
  '120-hevc.mkv': { words: [...x265(), ...aac], fps: [120, 1], pictureMs: 1_000 / 60, form: 'transcode' },
  'flac.mkv': soundIn('flac'),
  'opus.mkv': soundIn('libopus'),
  'mp3.mkv': soundIn('libmp3lame'),
  'vorbis.mkv': soundIn('libvorbis'),
  'pcm.mkv': soundIn('pcm_s16le'),
  'pcm-24.mov': soundIn('pcm_s24le'),
  'ac3.mkv': soundIn('ac3'),
  'ac3.mp4': soundIn('ac3'),
  'eac3.mkv': soundIn('eac3'),
  'eac3.m4v': soundIn('eac3', '-f', 'mp4'),
  'dts.mkv': { ...soundIn('dca', '-strict', '-2'), soundLateMs: DTS_MS },
  'dts.mp4': { ...soundIn('dca', '-strict', '-2'), soundLateMs: DTS_MS },
  'truehd.mkv': soundIn('truehd', '-strict', '-2'),
  'alac.mkv': soundIn('alac'),
  'alac.m4v': soundIn('alac', '-f', 'mp4'),
  'alac.mov': soundIn('alac'),
  'flac.mp4': soundIn('flac', '-strict', '-2'),
  'opus.mp4': soundIn('libopus', '-strict', '-2'),
  'mp3.mp4': soundIn('libmp3lame'),
  'pcm-44100.mkv': soundIn('pcm_s16le', '-ar', '44100'),
  'av1-opus.webm': { words: [...av1, ...opus], form: 'file' },
  'av1-aac.mp4': { words: [...av1, ...aac], form: 'file' },
  'av1-ac3.mkv': { words: [...av1, ...ac3], form: 'copy' },
  'vp8-vorbis.webm': { words: [...vp8, ...vorbis], form: 'file' },
  'vp8-ac3.mkv': { words: [...vp8, ...ac3], form: 'transcode' },
  'vp9-opus.webm': { words: [...vp9, ...opus], form: 'file' },
  'vp9-ac3.mkv': { words: [...vp9, ...ac3], form: 'copy' },
  'vp9-aac.mp4': { words: [...vp9, ...aac], form: 'file' },
  'hevc-hvc1.mp4': { words: [...x265(), '-tag:v', 'hvc1', ...aac] },
  'hevc-hev1.mp4': { words: [...x265(), '-tag:v', 'hev1', ...aac] },
  'hevc.mkv': { words: [...x265(), ...aac] },
  'hevc-10.mp4': { words: [...x265('yuv420p10le'), '-tag:v', 'hvc1', ...aac] },
  'hevc-hdr10-eac3.mkv': { words: [...x265('yuv420p10le', ':hdr10=1:repeat-headers=1'), ...hdr10, '-c:a', 'eac3', '-ac', '6'] },
  'prores.mov': { words: ['-c:v', 'prores_ks', '-profile:v', '2', '-pix_fmt', 'yuv422p10le', '-c:a', 'pcm_s16le'], form: 'transcode' },
  'mjpeg.avi': { words: ['-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj420p', '-c:a', 'pcm_s16le'], form: 'transcode' },
  'asp-mp3.avi': { words: [...asp, '-vtag', 'XVID', '-c:a', 'libmp3lame', '-ac', '2'], form: 'transcode', soundLateMs: MP3_MS - AVI_B_MS },
  'asp-ac3.avi': { words: [...asp, '-bf', '0', '-vtag', 'DX50', ...ac3], form: 'transcode' },
  'asp-aac.mp4': { words: [...asp, ...aac] },
  'msmpeg4.avi': { words: ['-c:v', 'msmpeg4', '-q:v', '2', '-c:a', 'libmp3lame', '-ac', '2'], form: 'transcode', soundLateMs: MP3_MS },
  'mpeg1-mp2.mpg': { words: ['-c:v', 'mpeg1video', '-q:v', '2', '-g', '15', '-bf', '2', '-c:a', 'mp2', '-ac', '2'], form: 'transcode' },
  'mpeg2-ac3.mpg': { words: [...mpeg2, ...ac3], form: 'transcode' },
  'mpeg2-ac3.vob': { words: [...mpeg2, ...ac3, '-f', 'vob'], form: 'transcode' },
  'mpeg2-ac3.ts': { words: [...mpeg2, ...ac3], form: 'transcode' },
  'mpeg2-ac3.m2ts': { words: [...mpeg2, ...ac3, '-f', 'mpegts', '-mpegts_m2ts_mode', '1'], form: 'transcode' },
  'mpeg2-ac3.mkv': { words: [...mpeg2, ...ac3], form: 'transcode' },
  'h264-dts.m2ts': { picture: 'h264.mkv', words: ['-c:v', 'copy', '-c:a', 'dca', '-strict', '-2', '-ac', '2', '-f', 'mpegts', '-mpegts_m2ts_mode', '1'], form: 'copy', soundLateMs: DTS_MS },
  'wmv2.wmv': { words: ['-c:v', 'wmv2', '-q:v', '2', '-g', '50', '-c:a', 'wmav2', '-ac', '2'], form: 'transcode' },
  'flv1-mp3.flv': { words: ['-c:v', 'flv', '-q:v', '2', '-g', '50', '-c:a', 'libmp3lame', '-ar', '44100', '-ac', '2'], form: 'transcode' },
  'h263-aac.3gp': { words: ['-vf', 'scale=176:144,setsar=1', '-c:v', 'h263', '-q:v', '2', '-c:a', 'aac', '-ac', '1'], form: 'transcode' },
  'h264-aac.3gp': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac] },
  'theora-vorbis.ogv': { words: ['-c:v', 'libtheora', '-q:v', '9', '-g', '50', ...vorbis], form: 'transcode' },
  'no-sound.mp4': { picture: 'h264.mkv', words: ['-c:v', 'copy'], sound: null, form: 'file' },
  'no-sound.avi': { words: [...asp, '-vtag', 'XVID'], sound: null, form: 'transcode' },
  'sound-longer.mp4': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac], lengthS: 12, form: 'file' },
  'sound-longer-ac3.mkv': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...ac3], lengthS: 12, form: 'copy' },
  'sound-longer.avi': { words: [...asp, '-vtag', 'XVID', '-c:a', 'libmp3lame', '-ac', '2'], lengthS: 12, form: 'transcode', soundLateMs: MP3_MS - AVI_B_MS },
  'sound-late.mp4': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac], sound: ['-ss', '2.5', '-itsoffset', '2.5'], form: 'file' },
  'sound-late-ac3.mkv': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...ac3], sound: ['-ss', '2.5', '-itsoffset', '2.5'], form: 'copy' },
  'sound-late.ts': { words: [...mpeg2, ...ac3], sound: ['-ss', '2.5', '-itsoffset', '2.5'], form: 'transcode' },
  'single-key.mp4': { words: [...x264Of('-g', '9999', '-sc_threshold', '0'), ...aac], form: 'file' },
  'single-key-ac3.mkv': { words: [...x264Of('-g', '9999', '-sc_threshold', '0'), ...ac3], form: 'copy' },
  'begins-at-100.mkv': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac, '-output_ts_offset', '100'], form: 'copy' },
  'begins-at-100.ts': { words: [...mpeg2, ...ac3, '-output_ts_offset', '100'], form: 'transcode' },
  'no-duration.mkv': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac, '-live', '1'], isUnmeasured: true },
  'no-cues-ac3.mkv': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...ac3, '-live', '1'], form: 'copy', isUnmeasured: true },
  'two-languages.mkv': { picture: 'h264.mkv', words: ['-map', '0:v', '-map', '1:a', '-map', '1:a', '-c:v', 'copy', ...aac, '-metadata:s:a:0', 'language=ger', '-metadata:s:a:1', 'language=eng'] },
  'two-languages-ac3.mkv': { picture: 'h264.mkv', words: ['-map', '0:v', '-map', '1:a', '-map', '1:a', '-c:v', 'copy', ...ac3, '-metadata:s:a:0', 'language=ger', '-metadata:s:a:1', 'language=eng'], form: 'copy' },
  'ac3-then-aac.mkv': { picture: 'h264.mkv', words: ['-map', '0:v', '-map', '1:a', '-map', '1:a', '-c:v', 'copy', '-ac', '2', '-c:a:0', 'ac3', '-c:a:1', 'aac', '-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=ger'], form: 'copy' },
  'srt-and-ass.mkv': { picture: 'h264.mkv', words: ['-map', '0:v', '-map', '1:a', '-map', '2:s', '-map', '2:s', '-c:v', 'copy', ...aac, '-c:s:0', 'srt', '-c:s:1', 'ass'], lines: true, form: 'copy' },
  'mov-text.mp4': { picture: 'h264.mkv', words: ['-map', '0:v', '-map', '1:a', '-map', '2:s', '-c:v', 'copy', ...aac, '-c:s', 'mov_text'], lines: true, form: 'file' },
  'cut-short.mp4': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac, '-movflags', '+faststart'], then: (file) => cutShort(file, 6), endsMs: 6_000 },
  'cut-short-ac3.mkv': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...ac3], then: (file) => cutShort(file, 6, { inPicture: true }), endsMs: 6_000, form: 'copy' },
  'cut-short.avi': { words: [...asp, '-vtag', 'XVID', '-c:a', 'libmp3lame', '-ac', '2'], then: (file) => cutShort(file, 6), endsMs: 6_000, form: 'transcode', soundLateMs: MP3_MS - AVI_B_MS },
  'index-missing.mp4': { picture: 'h264.mkv', words: ['-c:v', 'copy', ...aac], then: (file) => cutShort(file, 6), reason: /part of it that describes it is missing/ },
  'zero.mp4': { then: (file) => writeFile(file, ''), reason: /is empty/ },
  'text.mp4': { then: (file) => writeFile(file, 'this is no film\n'.repeat(200)), reason: /no film/ },
};

// What the server calls it, and its file.
export const idOf = (name) => name.replaceAll('.', '-');
export const fileOf = (name) => `${idOf(name)}${path.extname(name)}`;

// What some of them are made of.
const ingredients = {
  'h264.mkv': { words: [...x264], sound: null },
  'h264-side.mp4': { words: [...x264, ...onItsSide, ...aac] },
  'h264-side-ac3.mp4': { words: [...x264, ...onItsSide, ...ac3] },
  'hevc-side.mp4': { words: [...x265(), ...onItsSide, ...aac] },
  'narrow-ac3.mkv': { words: [...x264, '-vf', 'scale=120:90,setsar=1', ...ac3] },
};

const LINES = '1\n00:00:01,000 --> 00:00:03,000\nThe first line\n\n2\n00:00:06,000 --> 00:00:08,000\nThe second line\n';

// A draft of the library, in a folder for what is made on the way.
class Kitchen {
  #made = new Map();

  constructor(folder, target) {
    this.folder = folder;
    this.target = target;
  }

  // A source, made when it is first wanted.
  source(name, make) {
    const file = path.join(this.folder, name);
    if (!this.#made.has(name)) this.#made.set(name, make(file).then(() => file));
    return this.#made.get(name);
  }
  clock(fps) {
    return this.source(`${fps.join('-')}.y4m`, (file) => writeClock(file, fps, LENGTH_S));
  }
  beeps(lengthS) {
    return this.source(`beeps-${lengthS}.wav`, async (file) => {
      await writeBeeps(`${file}.raw`, lengthS);
      await run('ffmpeg', ['-v', 'error', '-y', '-f', 's16le', '-ar', '48000', '-ac', '1', '-i', `${file}.raw`, file]);
    });
  }
  lines() {
    return this.source('lines.srt', (file) => writeFile(file, LINES));
  }
  film(name) {
    if (name in oddFilms) {
      const file = path.join(this.target, fileOf(name));
      return this.source(name, () => this.#cook(oddFilms[name], file)).then(() => file);
    }
    return this.source(name, (file) => this.#cook(ingredients[name], file));
  }

  async #cook(recipe, file) {
    const { words, from, picture, before = [], fps = [25, 1], sound = [], lengthS = LENGTH_S, then, lines } = recipe;
    if (words) {
      const inputs = from ? [...before, '-i', await this.film(from)] : ['-i', await (picture ? this.film(picture) : this.clock(fps))];
      if (!from && sound) inputs.push(...sound, '-i', await this.beeps(lengthS));
      if (lines) inputs.push('-i', await this.lines());
      await run('ffmpeg', ['-v', 'error', '-y', ...inputs, ...words, '-threads', '1', file]);
    }
    await then?.(file);
  }
}

async function cookAll(target) {
  const folder = await mkdtemp(path.join(tmpdir(), 'videosync-odd-'));
  await mkdir(target);
  try {
    const kitchen = new Kitchen(folder, target);
    const names = Object.keys(oddFilms);
    const cook = async () => {
      for (let name = names.pop(); name; name = names.pop()) await kitchen.film(name);
    };
    await Promise.all([cook(), cook()]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// Into a folder that is not there yet: all of them.
export function makeOddFilms(folder) {
  const recipes = JSON.stringify([oddFilms, ingredients], (_, value) => (value instanceof Function || value instanceof RegExp ? String(value) : value));
  return copyOfMade(['odd films', recipes, fileOf, writeClock, writeBeeps].map(String), folder, cookAll);
}
