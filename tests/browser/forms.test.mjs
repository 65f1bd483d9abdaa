// Films that a browser does not play as they are, in a session: the picture is seen, the sound is heard.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { join, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { makeFilm } from '../support/films.mjs';
import { startServer } from '../support/server.mjs';

const SECONDS = 24;
const films = {
  'h264-ac3.mkv': { picture: 'h264', codec: 'ac3' },
  'h264-aac.mp4': { picture: 'h264', codec: 'aac' },
  'hevc.mkv': { picture: 'hevc', codec: 'aac' },
  'asp.avi': { picture: 'xvid', codec: 'mp3' },
  'late.mkv': { picture: 'h264', codec: 'aac', words: ['-output_ts_offset', '100'] },
};

let folder;
let server;
let browser;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'videosync-films-'));
  for (const [name, { picture, codec, words }] of Object.entries(films)) {
    await makeFilm(path.join(folder, 'media-' + name), { seconds: SECONDS, picture, sounds: [{ codec, lang: 'eng' }], words });
  }
  server = await startServer({ args: ['--media', folder, '--session-rate', '0'], env: { VIDEOSYNC_CACHE: path.join(folder, 'cache') } });
  browser = await launchBrowser(['--autoplay-policy=no-user-gesture-required']);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const listed = async () => (await (await fetch(`${server.origin}/api/videos?limit=100`)).json()).videos;

const look = (page) => page.evaluate(() => {
  const video = document.querySelector('video');
  return { at: video.currentTime, width: video.videoWidth, frames: video.getVideoPlaybackQuality().totalVideoFrames, bytes: video.webkitAudioDecodedByteCount, source: video.currentSrc };
});

async function play(name, form) {
  const id = `media-${name.replace('.', '-')}`;
  const stem = `media-${name.slice(0, name.lastIndexOf('.'))}`;
  const film = await until(async () => (await listed()).find((video) => [id, stem].includes(video.id) && video.forms), `the forms of ${name}`, 20_000);
  const { url } = await (await fetch(`${server.origin}/api/sessions`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ video: film.id }) })).json();
  const ann = await openPerson(browser);
  await join(ann.page, `${server.origin}${url}`, 'Ann');
  await until(async () => (await ann.page.textContent('#status-text')) === 'Ready to start', `${name} is loaded`, 20_000);
  await ann.page.keyboard.press('k');
  await until(async () => (await look(ann.page)).at > 3, `${name} moves`, 20_000);
  await until(async () => (await ann.page.textContent('#status-text')).includes('In step'), `${name} is in step`, 10_000);
  const first = await look(ann.page);
  const later = await until(async () => {
    const seen = await look(ann.page);
    return seen.at > first.at + 1 && seen;
  }, `${name} goes on`);
  assert.ok(later.width > 0 && later.frames > first.frames, `${name}: ${JSON.stringify([first, later])}`);
  assert.ok(later.bytes > first.bytes, `${name} is heard: ${JSON.stringify([first, later])}`);
  const loaded = await ann.page.evaluate(() => performance.getEntriesByType('resource').map(({ name: one }) => new URL(one).pathname));
  const made = loaded.find((one) => /^\/forms\/.*\/(copy|\d+p)\/\d+\.m4s$/.test(one)) ?? '';
  assert.equal(made.includes('/copy/') ? 'copy' : made ? 'transcode' : 'file', form, loaded.join('\n'));
  assert.deepEqual(ann.faults, []);
  return ann;
}

for (const [name, form] of [['h264-aac.mp4', 'file'], ['h264-ac3.mkv', 'copy'], ['late.mkv', 'copy'], ['hevc.mkv', 'transcode'], ['asp.avi', 'transcode']]) {
  test(`${name} is seen and heard, as ${form}`, async () => {
    const { context } = await play(name, form);
    await context.close();
  });
}

test('a seek into what is not made yet goes on from there', async () => {
  const { page, context } = await play('asp.avi', 'transcode');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  const begin = (await look(page)).at;
  await until(async () => (await look(page)).at > Math.min(begin + 2, SECONDS - 2), 'it goes on', 15_000);
  await context.close();
});
