// Captions that lie beside a film: every kind, every usual charset and every name, as WebVTT.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { fetchFilm, fetchText } from '../support/forms.mjs';
import { recorderBeside, runsIn } from '../support/forms_server.mjs';
import { makePgs } from '../support/pgs.mjs';
import { serverBinary, startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';

const run = promisify(execFile);
const binary = serverBinary();
const SRT = '1\n00:00:01,000 --> 00:00:02,500\n<i>Grüße</i> & mehr\n';
const RUSSIAN = '1\n00:00:01,000 --> 00:00:02,500\nПривет, мир\n';
const GREETING = 'WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<i>Grüße</i> &amp; mehr\n\n';
const ASS = `[Script Info]\nScriptType: v4.00+\nPlayResX: 640\nPlayResY: 360\n\n[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Alignment\nStyle: Default,Arial,20,&H00FFFFFF,0,0,2\nStyle: Sign,Arial,20,&H0000FFFF,-1,-1,8\n
[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\an4}left{\\i1}\\Nin the middle
Dialogue: 0,0:00:03.00,0:00:04.00,Sign,,0,0,0,,sign{\\i0\\c} plain
Dialogue: 1,0:00:03.00,0:00:04.00,Sign,,0,0,0,,sign{\\i0\\c} plain
Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\\an2\\pos(320,180)}low{\\p1}m 0 0 l 9 9{\\p0}\n`;
// Letters that are others in another charset.
const WINDOWS_1251 = Buffer.from([...'Привет, мир'].map((c) => (c.codePointAt(0) < 128 ? c.codePointAt(0) : c.codePointAt(0) - 0x410 + 0xc0)));
const russian = Buffer.concat([Buffer.from('1\n00:00:01,000 --> 00:00:02,500\n'), WINDOWS_1251, Buffer.from('\n')]);

let root;
before(async () => {
  root = await mkdtemp(path.join(path.dirname(binary), 'captions-'));
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=8', '-c:v', 'libx264', '-preset', 'ultrafast',
    '-g', '25', '-pix_fmt', 'yuv420p', path.join(root, 'film.mkv')]);
});
after(() => rm(root, { recursive: true, force: true }));

// A server with the film and these files; runs(): what videosync-media was asked for.
async function serve(t, files, { cache = true, film = path.join(root, 'film.mkv') } = {}) {
  const here = await mkdtemp(path.join(root, 'server-'));
  const media = path.join(here, 'media');
  await mkdir(media);
  await link(film, path.join(media, 'film.mkv'));
  for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(media, name), bytes);
  await link(binary, path.join(here, 'videosync'));
  const kept = path.join(here, 'cache');
  const { real, record } = await recorderBeside(here, kept);
  const learning = `case "$1 $3" in "describe --plan") ;; describe*) exec "${real}" "$@";; esac\n`;
  await writeFile(path.join(here, 'videosync-media'), `#!/bin/sh\n${learning}${record}exec "${real}" "$@"\n`, { mode: 0o755 });
  const start = () => startServer({ binary: path.join(here, 'videosync'), args: ['--media', media], env: cache ? { VIDEOSYNC_CACHE: kept } : {} });
  const server = await start();
  t.after(() => server.stop());
  const list = async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos[0];
  const runs = async (verb) => (await runsIn(kept)).filter((one) => one === verb).length;
  return { ...server, media, list, runs };
}

const textOf = ({ origin }, { url }) => fetchText(new URL(url, origin).href);

test('SRT, ASS and VTT, in every charset, come as WebVTT', async (t) => {
  const wide = Buffer.from(SRT, 'utf16le');
  const files = {
    'film.de.srt': SRT, 'film.ger.forced.srt': `\ufeff${SRT}`, 'film.de.sdh.srt': Buffer.from(SRT, 'latin1'), 'film.German.cc.srt': wide,
    'film.de-AT.srt': Buffer.concat([Buffer.from([0xff, 0xfe]), wide]), 'film.de-CH.vtt': SRT,
    'film.ru.srt': russian, 'film.ukr.srt': RUSSIAN, 'film.srt': russian, 'film.en.ass': ASS,
    'film.fr.vtt': Buffer.concat([Buffer.from('WEBVTT\n\nSTYLE\n::cue { color: red }\n\n00:01.000 --> 00:02.000 line:0 region:a\n'), Buffer.from('Ça va\n', 'latin1')]),
    'film.es.vtt': 'WEBVTT - with a title\n\nNOTE kept\n\n00:01.000 --> 00:02.000 line:0\nHola\n',
  };
  const server = await serve(t, files);
  const { captions } = await server.list();
  const by = (label) => captions.find((one) => one.label === label) ?? assert.fail(`no ${label} among ${captions.map((one) => one.label)}`);
  for (const label of ['German', 'German (forced)', 'German (SDH)', 'German (CC)', 'German (AT)', 'German (CH)']) {
    assert.equal(await textOf(server, by(label)), GREETING, label);
    assert.match(by(label).lang, /^de/);
  }
  assert.deepEqual(['German', 'German (forced)', 'German (SDH)', 'German (CC)'].map((label) => by(label).kind), [undefined, 'forced', 'sdh', 'cc']);
  for (const label of ['Russian', 'Ukrainian', 'Captions']) assert.match(await textOf(server, by(label)), /^WEBVTT\n\n00:00:01\.000 --> 00:00:02\.500\nПривет, мир\n/, label);
  assert.equal(await textOf(server, by('English')), 'WEBVTT\n\n'
    + '00:00:01.000 --> 00:00:02.000 line:44% position:5% align:start\nleft\n<i>in the middle</i>\n\n'
    + '00:00:03.000 --> 00:00:04.000 line:0\n<i><b><c.yellow>sign</c></b></i><b><c.yellow> plain</c></b>\n\n'
    + '00:00:05.000 --> 00:00:06.000 position:50% line:44%\nlow\n\n');
  assert.equal(await textOf(server, by('Spanish')), files['film.es.vtt'], 'what is WebVTT stays as it is');
  assert.match(await textOf(server, by('French')), /color: red[^]*line:0 region:a\nÇa va\n$/);
  const answer = await fetch(new URL(by('Russian').url, server.origin));
  assert.equal(answer.headers.get('content-type'), 'text/vtt; charset=utf-8');
  assert.equal((await answer.text()).length > 0, true);
  const made = await server.runs('convert');
  await textOf(server, by('German'));
  assert.equal(await server.runs('convert'), made, 'what was made is there');
  assert.equal(made, captions.length);
});

test('they stand among the tracks of the film, too, once', async (t) => {
  const server = await serve(t, { 'film.en.srt': SRT, 'film.eng.vtt': 'WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n', 'film.en.forced.ass': ASS });
  const { captions, tracks } = await until(async () => {
    const film = await server.list();
    return film.tracks ? film : null;
  }, 'the film to be looked into');
  assert.deepEqual(captions.map(({ lang, label }) => [lang, label]), [['en', 'English'], ['en', 'English 2'], ['en', 'English (forced)']]);
  assert.deepEqual(tracks.subtitles.map(({ codec, label, forced, url }) => [codec, label, forced, url]),
    captions.map(({ label, url }, i) => [['subrip', 'webvtt', 'ass'][i], label, i === 2, url]));
  assert.deepEqual((await fetchFilm(server.origin, 'film')).tracks.subtitles, tracks.subtitles);
});

test('a broken file costs its own track, and says why in the log once', async (t) => {
  const server = await serve(t, { 'film.de.srt': SRT, 'film.en.srt': 'this is no text with times\n', 'film.fr.srt': '' });
  const { captions } = await server.list();
  const by = (lang) => captions.find((one) => one.lang === lang);
  for (const lang of ['en', 'en', 'fr']) await assert.rejects(textOf(server, by(lang)), { status: 422 });
  assert.equal(await textOf(server, by('de')), GREETING);
  assert.equal(await server.runs('convert'), 3, 'what is broken is not tried again');
  const lines = `${server.stdout()}${server.stderr()}`.split('\n').filter((line) => line.includes('film.en.srt'));
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0], /no kind of subtitles that is known|no line that could be shown/);
});

test('a file that is written anew has another address', async (t) => {
  const server = await serve(t, { 'film.de.srt': SRT });
  const [before] = (await server.list()).captions;
  assert.equal(await textOf(server, before), GREETING);
  await writeFile(path.join(server.media, 'film.de.srt'), SRT.replace('mehr', 'weniger'));
  process.kill(server.pid, 'SIGHUP');
  const [now] = await until(async () => {
    const { captions } = await server.list();
    return captions[0].url === before.url ? null : captions;
  }, 'the other file');
  assert.match(await textOf(server, now), /weniger/);
  await assert.rejects(textOf(server, before), { status: 404 });
});

test('without a cache only WebVTT is listed', async (t) => {
  const server = await serve(t, { 'film.de.srt': SRT, 'film.en.vtt': 'WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n' }, { cache: false });
  const { captions } = await server.list();
  assert.deepEqual(captions, [{ lang: 'en', label: 'English', url: '/media/film.en.vtt' }]);
  assert.match(await textOf(server, captions[0]), /Hi/);
  assert.equal((await fetch(`${server.origin}/media/film.de.srt`)).status, 404);
});

test('subtitles that are pictures come by the minute, in their places', async (t) => {
  const cues = [{ from: 0, to: 900, x: 8, y: 8, w: 16, h: 16 }, { from: 2_000, to: 3_500, x: 600, y: 900, w: 720, h: 90 }];
  await writeFile(path.join(root, 'a.sup'), makePgs([1920, 1080], cues));
  // The film's picture is wider than the screen that they were made for.
  const film = path.join(root, 'wide.mkv');
  await run('ffmpeg', ['-v', 'error', '-y', '-i', path.join(root, 'film.mkv'), '-i', path.join(root, 'a.sup'), '-vf', 'scale=192:80,setsar=1', '-c:v', 'libx264', '-preset', 'ultrafast',
    '-map', '0:v', '-map', '1', '-c:s', 'copy', '-metadata:s:s:0', 'language=ger', '-disposition:s:0', 'forced', film]);
  const server = await serve(t, {}, { film });
  const { tracks } = await fetchFilm(server.origin, 'film');
  const [{ index, codec, lang, forced, url, pictures }] = tracks.subtitles;
  assert.deepEqual([codec, lang, forced, url, pictures.spanMs], ['hdmv_pgs_subtitle', 'de', true, undefined, 60_000]);
  assert.match(pictures.url, new RegExp(`/pictures-${index}/$`));
  const answer = await fetch(new URL(`${pictures.url}0.json`, server.origin));
  assert.equal(answer.headers.get('content-type'), 'application/json');
  const part = await answer.json();
  assert.deepEqual([part.width, part.height], [1920, 800]);
  assert.deepEqual(part.cues.map(({ image, ...cue }) => cue), cues.map((cue) => ({ ...cue, y: cue.y - 140 })));
  for (const { image } of part.cues) assert.equal(Buffer.from(image, 'base64').toString('latin1', 1, 4), 'PNG');
  assert.equal((await fetch(new URL(`${pictures.url}1.json`, server.origin))).status, 404, 'the film has one minute');
  assert.equal((await fetch(new URL(pictures.url.replace(/\d+\/$/, '0/0.json'), server.origin))).status, 404, 'that is no such track');
});
