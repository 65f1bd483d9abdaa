// What videosync-media and ffprobe say of a video, as far as packaging needs it, and the captions that belong to it.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAKERS = ['release', 'dev'].map((preset) => fileURLToPath(new URL(`../../build/${preset}/videosync-media`, import.meta.url)));
const SIDECAR = /\.(vtt|srt|ass|ssa)$/i;
const KINDS = ['forced', 'sdh', 'cc'];
// Matroska and MP4 say languages in three letters, pages in two.
const TWO_LETTERS = {
  eng: 'en', deu: 'de', ger: 'de', fra: 'fr', fre: 'fr', spa: 'es', ita: 'it', por: 'pt', nld: 'nl', dut: 'nl', pol: 'pl',
  ces: 'cs', cze: 'cs', dan: 'da', swe: 'sv', nor: 'no', fin: 'fi', rus: 'ru', ukr: 'uk', tur: 'tr', ell: 'el', gre: 'el',
  ara: 'ar', heb: 'he', hin: 'hi', jpn: 'ja', kor: 'ko', zho: 'zh', chi: 'zh',
};

// Runs videosync-media, which looks into films for the server, too. Resolves to what it says; rejects with its reason.
export async function make(...words) {
  const program = process.env.VIDEOSYNC_MEDIA ?? MAKERS.find((one) => existsSync(one)) ?? 'videosync-media';
  try {
    return (await run(program, words, { maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error('videosync-media is missing: build it first (`make`), or name it in VIDEOSYNC_MEDIA');
    throw new Error((error.stderr || error.message).trim().split('\n').at(-1));
  }
}

// {durationMs?, endsEarly, video, audio, subtitles}; what only reading the film tells is read.
async function describe(file) {
  const facts = JSON.parse(await make('describe', file));
  if (facts.durationMs !== undefined) return facts;
  const folder = mkdtempSync(path.join(tmpdir(), 'make-hls-'));
  try {
    return { ...facts, ...JSON.parse((await make('plan', file, '--plan', path.join(folder, 'plan'))).trim().split('\n').at(-1)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// {file, width, height, durationS, endsEarly, isInterlaced, sounds: [{index, lang, label, isDefault}],
// captions: [{name, lang, label, file, stream?}], skipped}.
// Throws with a reason in words where it is no video that can be packaged.
export async function probe(file) {
  const { streams } = await ask(file);
  const video = streams.find((stream) => stream.codec_type === 'video' && !stream.disposition?.attached_pic);
  if (!video) throw new Error(`${file} has no picture`);
  const facts = await describe(file);
  const [pixelWidth, pixelHeight] = (video.sample_aspect_ratio ?? '1:1').split(':').map(Number);
  const shown = [video.width * (pixelWidth > 0 ? pixelWidth / pixelHeight : 1), video.height];
  const turned = Math.abs(video.side_data_list?.find(({ rotation }) => rotation)?.rotation ?? 0) % 180 === 90;
  const [width, height] = turned ? shown.reverse() : shown;
  const inside = facts.subtitles.filter(({ text }) => text)
    .map(({ index, lang, forced }) => ({ ...naming(forced ? `${lang}.forced` : lang), file, stream: index }));
  return {
    file, width, height,
    durationS: facts.durationMs / 1000,
    endsEarly: facts.endsEarly,
    isInterlaced: facts.video.interlaced,
    sounds: facts.audio.map(({ index, lang, label, default: isDefault }) => ({ ...naming(lang), ...(label ? { label } : {}), index, isDefault })),
    captions: firstOfEach([...sidecars(file), ...inside]),
    skipped: facts.subtitles.length - inside.length,
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

// 'en.forced' -> {name, lang, label}: what the server reads out of a name of captions, by the same words.
function naming(words = '') {
  const parts = words.toLowerCase().split('.').filter(Boolean);
  const kind = parts.find((part) => KINDS.includes(part));
  const tag = parts.find((part) => /^[a-z]{2,3}([-_][a-z0-9]{2,8})*$/.test(part) && !KINDS.includes(part))?.replaceAll('_', '-');
  const [primary, ...rest] = (tag ?? 'und').split('-');
  const lang = [TWO_LETTERS[primary] ?? primary, ...rest].join('-');
  const language = lang === 'und' ? 'Captions' : new Intl.DisplayNames(['en'], { type: 'language' }).of(lang);
  return { name: kind ? `${lang}.${kind}` : lang, lang, label: kind ? `${language} (${kind === 'forced' ? kind : kind.toUpperCase()})` : language };
}

function firstOfEach(captions) {
  const known = new Map();
  for (const caption of captions) if (!known.has(caption.name)) known.set(caption.name, caption);
  return [...known.values()];
}
