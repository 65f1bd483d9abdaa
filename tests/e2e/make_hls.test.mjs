// `make hls`: from a film to a folder of the library, or to a clear word why not.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { makeFolder } from '../support/files.mjs';
import { packageHls } from '../support/hls.mjs';
import { ask } from '../support/http_connection.mjs';
import { startServer } from '../support/server.mjs';

const run = promisify(execFile);
const CAPTIONS = '1\n00:00:01,000 --> 00:00:02,000\nHello\n';
let folder;

before(async () => {
  folder = await makeFolder({ 'captions.srt': CAPTIONS, 'A film.de.srt': CAPTIONS.replace('Hello', 'Hallo') });
  await mkdir(folder.path('media'));
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=640x480:rate=25:duration=5',
    '-f', 'lavfi', '-i', 'sine=duration=5', '-i', folder.path('captions.srt'), '-c:v', 'libx264', '-preset', 'ultrafast',
    '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-c:s', 'mov_text', '-metadata:s:s:0', 'language=eng', folder.path('A film.mp4')]);
});
after(() => folder?.remove());

const pack = (file, ...args) => packageHls(file, folder.path('media'), args);

test('a film becomes renditions, captions, poster and thumbnails, and the server lists them', async () => {
  const { stdout, stderr } = await pack(folder.path('A film.mp4'));
  assert.equal(stdout.trim(), folder.path('media/A film/master.m3u8'));
  assert.match(stderr, /480x360, 640x480/);
  assert.match(stderr, /100 %/);
  assert.deepEqual(await readdir(folder.path('media')), ['A film'], 'no draft is left');
  const server = await startServer({ args: ['--media', folder.path('media')] });
  try {
    const [film] = JSON.parse((await ask(server.origin, 'GET', '/api/videos')).body).videos;
    assert.equal(film.hls, '/media/A%20film/master.m3u8');
    assert.equal(film.poster, '/media/A%20film/poster.jpg');
    assert.deepEqual(film.captions.map(({ lang, label }) => [lang, label]), [['de', 'German'], ['en', 'English']]);
    const get = async (name) => (await ask(server.origin, 'GET', new URL(name, `${server.origin}${film.hls}`).pathname));
    const master = (await get('master.m3u8')).body.toString();
    const playlists = [...master.matchAll(/^[^#\n].*$/gm)].map(([name]) => name).concat('captions/de.m3u8', 'captions/en.m3u8');
    assert.equal(playlists.length, 4);
    for (const playlist of playlists) {
      const answer = await get(playlist);
      assert.equal(answer.status, 200, playlist);
      const parts = [...answer.body.toString().matchAll(/^[^#\n].*$|(?<=URI=")[^"]+/gm)].map(([name]) => name);
      for (const part of parts) assert.equal((await get(path.join(path.dirname(playlist), part))).status, 200, part);
    }
    assert.match((await ask(server.origin, 'GET', film.captions[0].url)).body.toString(), /Hallo/);
    const cues = (await ask(server.origin, 'GET', film.thumbnails)).body.toString();
    assert.equal(cues.match(/thumbnails\.jpg#xywh=/g).length, 5);
    assert.equal((await get('thumbnails.jpg')).headers['content-type'], 'image/jpeg');
  } finally {
    await server.stop();
  }
});

test('key frames stand every two seconds, at the same times in every rendition', async () => {
  const timesOf = async (rendition) => {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-skip_frame', 'nokey', '-show_entries',
      'frame=pts_time', '-of', 'csv=p=0', folder.path(`media/A film/${rendition}/index.m3u8`)]);
    return stdout.split('\n').filter((line) => /\d/.test(line)).map((line) => Number.parseFloat(line));
  };
  const [low, high] = [await timesOf('360p'), await timesOf('480p')];
  assert.deepEqual(low, high);
  assert.deepEqual(low.map((time) => Math.round((time - low[0]) * 1000)), [0, 2000, 4000]);
});

test('every sound and all captions are taken, whatever the names are; what is broken costs itself alone', async () => {
  const stem = 'Who? #1 100%';
  const file = folder.path(`${stem}.mkv`);
  await run('ffmpeg', ['-v', 'error', '-i', `file:${folder.path('A film.mp4')}`, '-map', '0:v', '-map', '0:a', '-map', '0:a', '-c', 'copy',
    '-metadata:s:a:0', 'language=ger', '-metadata:s:a:1', 'language=eng', '-disposition:a:1', 'default', '-disposition:a:0', '0', `file:${file}`]);
  await folder.add(`${stem}.en.forced.srt`, CAPTIONS);
  await folder.add(`${stem}.eng.ass`, 'no times at all\n');
  await folder.add(`${stem}.de.srt`, Buffer.from(CAPTIONS.replace('Hello', 'Grüße'), 'latin1'));
  const { stderr } = await pack(file);
  assert.match(stderr, /warning: .*eng\.ass is left out/);
  assert.doesNotMatch(stderr, /cut short/);
  const made = (name) => readFile(folder.path(`media/${stem}/${name}`), 'utf8');
  assert.deepEqual((await readdir(folder.path(`media/${stem}/captions`))).sort(), ['de.m3u8', 'de.vtt', 'en.forced.m3u8', 'en.forced.vtt']);
  assert.match(await made('captions/de.vtt'), /Grüße/);
  const master = await made('master.m3u8');
  assert.match(master, /TYPE=SUBTITLES,.*NAME="English \(forced\)",LANGUAGE="en"/);
  const sounds = master.split('\n').filter((line) => line.includes('TYPE=AUDIO'));
  assert.deepEqual(sounds.map((line) => [/NAME="([^"]*)"/.exec(line)[1], /LANGUAGE="([^"]*)"/.exec(line)[1], line.includes('DEFAULT=YES')]), [['German', 'de', false], ['English', 'en', true]]);
  const server = await startServer({ args: ['--media', folder.path('media')] });
  try {
    const film = JSON.parse((await ask(server.origin, 'GET', '/api/videos')).body).videos.find(({ hls }) => hls.includes('Who'));
    assert.deepEqual(film.captions.map(({ lang, kind }) => [lang, kind]), [['de', undefined], ['en', 'forced']]);
    for (const line of sounds) {
      const playlist = new URL(/URI="([^"]*)"/.exec(line)[1], `${server.origin}${film.hls}`);
      assert.equal((await ask(server.origin, 'GET', playlist.pathname)).status, 200);
    }
  } finally {
    await server.stop();
    await rm(folder.path(`media/${stem}`), { recursive: true });
  }
});

test('a file that was cut short says so', async () => {
  const file = folder.path('cut.mp4');
  await run('ffmpeg', ['-v', 'error', '-i', folder.path('A film.mp4'), '-map', '0:v', '-map', '0:a', '-c', 'copy', '-movflags', '+faststart', file]);
  await truncate(file, Math.floor((await stat(file)).size * 0.6));
  const { stderr } = await pack(file);
  assert.match(stderr, /warning: the file was cut short: it ends after \d s/);
  await rm(folder.path('media/cut'), { recursive: true });
});

test('what cannot be done is said in a line, and leaves nothing behind', async () => {
  await writeFile(folder.path('letter.mp4'), 'this is no film');
  const refused = async (file, args, code, words) => {
    const { code: status, stderr } = await pack(file, ...args).then(() => ({ code: 0, stderr: '' }), (error) => error);
    assert.equal(status, code, stderr);
    assert.match(stderr, words);
  };
  await refused(folder.path('A film.mp4'), [], 1, /is there already; --force replaces it/);
  await refused(folder.path('gone.mp4'), [], 1, /there is no file .*gone\.mp4/);
  await refused(folder.path('letter.mp4'), [], 1, /ffprobe cannot read .*letter\.mp4/);
  await refused(folder.path('A film.mp4'), ['--name', '../up'], 2, /cannot be named/);
  await refused(folder.path('A film.mp4'), ['--quick'], 2, /--help/);
  assert.deepEqual(await readdir(folder.path('media')), ['A film']);
});

test('--force replaces what is there, --help explains', async () => {
  await writeFile(folder.path('media/A film/old'), 'old');
  await pack(folder.path('A film.mp4'), '--force');
  assert.ok(!(await readdir(folder.path('media/A film'))).includes('old'));
  assert.match(await readFile(folder.path('media/A film/master.m3u8'), 'utf8'), /^#EXTM3U/);
  const { stdout } = await pack('', '--help').catch((error) => error);
  assert.match(stdout, /Usage: deploy\/make-hls/);
});
