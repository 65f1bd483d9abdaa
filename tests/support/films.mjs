// Films as people have them, to lie in a library: pictures and sounds of any make.
import { ffmpeg, loopedPictures, loopedTone } from './loops.mjs';
import { copyOfMade, sourcesOf } from './media.mjs';

const RATE = 12;
const PICTURES = `testsrc2=size=320x180:rate=${RATE}`;
const SAMPLE_RATE = 48_000;
const CODECS = {
  hevc: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-g', '24', '-pix_fmt', 'yuv420p'],
  xvid: ['-c:v', 'mpeg4', '-vtag', 'XVID', '-bf', '2', '-g', '12'],
};
const ENCODERS = { ac3: 'ac3', mp3: 'libmp3lame' };
const CONTAINERS = { mkv: 'matroska', mp4: 'mp4', avi: 'avi' };

// picture: h264, hevc or xvid, of 320x180 and 12 a second. sounds: [{codec: aac, ac3 or mp3, lang, hz, isDefault}], a
// tone each. words: more for ffmpeg. What the file is called says its container.
export async function makeFilm(file, { seconds, picture, sounds, words = [] }) {
  const container = CONTAINERS[file.split('.').at(-1)];
  return copyOfMade([JSON.stringify({ seconds, picture, sounds, words, container, PICTURES }), ...await sourcesOf(import.meta.url)], file, async (made) => {
    const parts = [await picturesOf(picture, made)];
    for (const [index, sound] of sounds.entries()) parts.push(await soundOf(sound, index, seconds, made));
    await ffmpeg(
      ...parts.flatMap(({ input }) => input), ...parts.flatMap((_, i) => ['-map', i]), '-t', seconds, ...parts.flatMap(({ output }) => output),
      ...sounds.flatMap(({ lang, isDefault = false }, i) => [`-metadata:s:a:${i}`, `language=${lang}`, `-disposition:a:${i}`, isDefault ? 'default' : '0']),
      ...words, '-f', container, made);
  });
}

function picturesOf(picture, made) {
  if (picture === 'h264') return loopedPictures({ pictures: PICTURES, rate: RATE, keyEvery: 2 * RATE }, `${made}-pictures`);
  return { input: ['-f', 'lavfi', '-i', PICTURES], output: CODECS[picture] };
}

function soundOf({ codec, hz = 440 }, index, seconds, made) {
  const tone = `sine=frequency=${hz}:sample_rate=${SAMPLE_RATE}`;
  if (codec === 'aac') return loopedTone({ tone, sampleRate: SAMPLE_RATE, channels: 2, seconds, index }, `${made}-tone-${index}`);
  return { input: ['-f', 'lavfi', '-i', tone], output: [`-c:a:${index}`, ENCODERS[codec], `-ac:a:${index}`, '2'] };
}
