// What ffprobe says of a video, as far as packaging needs it, and the captions that belong to it.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TEXT_CODECS = new Set(['subrip', 'srt', 'ass', 'ssa', 'mov_text', 'webvtt', 'text']);
const SIDECAR = /\.(vtt|srt|ass)$/i;
// Matroska and MP4 say languages in three letters, pages in two.
const TWO_LETTERS = {
  eng: 'en', deu: 'de', ger: 'de', fra: 'fr', fre: 'fr', spa: 'es', ita: 'it', por: 'pt', nld: 'nl', dut: 'nl', pol: 'pl',
  ces: 'cs', cze: 'cs', dan: 'da', swe: 'sv', nor: 'no', fin: 'fi', rus: 'ru', ukr: 'uk', tur: 'tr', ell: 'el', gre: 'el',
  ara: 'ar', heb: 'he', hin: 'hi', jpn: 'ja', kor: 'ko', zho: 'zh', chi: 'zh',
};

// {file, width, height, durationS, hasAudio, captions: [{lang, label, file, stream?}], skipped}.
// Throws with a reason in words where it is no video that can be packaged.
export async function probe(file) {
  const { streams, format } = await ask(file);
  const video = streams.find((stream) => stream.codec_type === 'video' && !stream.disposition?.attached_pic);
  if (!video) throw new Error(`${file} has no picture`);
  const durationS = Number(format.duration);
  if (!(durationS > 0)) throw new Error(`${file} does not say how long it is; copy it into MP4 first: ffmpeg -i in -c copy out.mp4`);
  const [pixelWidth, pixelHeight] = (video.sample_aspect_ratio ?? '1:1').split(':').map(Number);
  const shown = [video.width * (pixelWidth > 0 ? pixelWidth / pixelHeight : 1), video.height];
  const turned = Math.abs(video.side_data_list?.find(({ rotation }) => rotation)?.rotation ?? 0) % 180 === 90;
  const [width, height] = turned ? shown.reverse() : shown;
  const subtitles = streams.filter(({ codec_type: type }) => type === 'subtitle');
  const inside = subtitles.filter(({ codec_name: codec }) => TEXT_CODECS.has(codec))
    .map((stream) => ({ ...naming(stream.tags?.language), file, stream: stream.index }));
  return {
    file, width, height, durationS,
    hasAudio: streams.some(({ codec_type: type }) => type === 'audio'),
    captions: firstOfEach([...sidecars(file), ...inside]),
    skipped: subtitles.length - inside.length,
  };
}

async function ask(file) {
  try {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', `file:${file}`],
      { maxBuffer: 16 << 20 });
    return JSON.parse(stdout);
  } catch (error) {
    throw new Error(`ffprobe cannot read ${file}: ${(error.stderr || error.message).trim().split('\n').at(-1)}`);
  }
}

// film.vtt, film.en.srt beside film.mkv.
function sidecars(file) {
  const stem = path.parse(file).name;
  return readdirSync(path.dirname(file))
    .filter((name) => SIDECAR.test(name) && (name.replace(SIDECAR, '') === stem || name.startsWith(`${stem}.`)))
    .sort()
    .map((name) => ({ ...naming(name.replace(SIDECAR, '').slice(stem.length + 1)), file: path.join(path.dirname(file), name) }));
}

function naming(tag) {
  const given = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(tag ?? '') ? tag.toLowerCase() : 'und';
  const lang = TWO_LETTERS[given] ?? given;
  return { lang, label: lang === 'und' ? 'Captions' : new Intl.DisplayNames(['en'], { type: 'language' }).of(lang) };
}

function firstOfEach(captions) {
  const known = new Map();
  for (const caption of captions) if (!known.has(caption.lang)) known.set(caption.lang, caption);
  return [...known.values()];
}
