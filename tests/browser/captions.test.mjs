// Captions in the page: what lies beside a film shows at its time, and what is pictures at its time and place.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { assertAccessible } from '../support/accessibility.mjs';
import { join, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { createSession } from '../support/member.mjs';
import { makePgs } from '../support/pgs.mjs';
import { tell } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const run = promisify(execFile);
const SCREEN = [1920, 1080];
const PICTURE_CUE = { from: 0, to: 9_000, x: 480, y: 810, w: 960, h: 135 };

let folder;
let server;
let browser;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'videosync-captions-'));
  const at = (name) => path.join(folder, name);
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'color=navy:size=320x180:rate=25:duration=24', '-f', 'lavfi', '-i', 'sine=duration=24:sample_rate=48000', '-ac', '2',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-movflags', '+faststart', at('film.mp4')]);
  await writeFile(at('film.de.srt'), '1\n00:00:04,000 --> 00:00:09,000\nGrüße\n\n2\n00:00:12,000 --> 00:00:20,000\nEnde\n');
  await writeFile(at('film.de.forced.srt'), '1\n00:00:01,000 --> 00:00:20,000\nSchild\n');
  await writeFile(at('a.sup'), makePgs(SCREEN, [PICTURE_CUE, { from: 12_000, to: 20_000, x: 0, y: 0, w: 240, h: 120 }]));
  await run('ffmpeg', ['-v', 'error', '-y', '-i', at('film.mp4'), '-i', at('a.sup'), '-map', '0', '-map', '1', '-c', 'copy', '-metadata:s:s:0', 'language=eng', at('pictures.mkv')]);
  server = await startServer({ args: ['--media', folder, '--session-rate', '0'], env: { VIDEOSYNC_CACHE: at('cache') } });
  await untilFilmsAreKnown(server);
  browser = await launchBrowser(['--autoplay-policy=no-user-gesture-required']);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

// A host with that film, whose captions are switched on.
async function watch(id) {
  const isKnown = async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos.some((one) => one.id === id && one.forms);
  await until(isKnown, `the forms of ${id}`, 20_000);
  const person = await openPerson(browser);
  await join(person.page, server.origin + (await createSession(server, { video: id })).url, 'Ann');
  await until(async () => (await person.page.textContent('#status-text')) === 'Ready to start', 'the film to be loaded', 20_000);
  await person.page.keyboard.press('c');
  return person;
}

const seek = (page, seconds) => page.evaluate((at) => {
  document.querySelector('video').currentTime = at;
}, seconds);

const shownText = (page) => page.evaluate(() => [...document.querySelector('video').textTracks].filter(({ mode, kind }) => mode === 'showing' && kind === 'captions')
  .flatMap(({ label, activeCues }) => [label, ...[...(activeCues ?? [])].map(({ text }) => text)]));

test('an SRT beside a film shows at its time; the forced one is another choice', async () => {
  const { page, context, faults } = await watch('film');
  const labels = await page.evaluate(() => [...document.querySelectorAll('track[kind=captions]')].map(({ label }) => label));
  assert.deepEqual(labels, ['German', 'German (forced)']);
  for (const [at, text] of [[5, ['German', 'Grüße']], [10, ['German']], [13, ['German', 'Ende']]]) {
    await until(async () => {
      await seek(page, at);
      return JSON.stringify(await shownText(page)) === JSON.stringify(text);
    }, `${text} at ${at} s`);
  }
  assert.deepEqual(faults, []);
  await context.close();
});

// Of the first cue of the captions that are shown; and the size of the letters in percent, which no script can see, as
// the style sheet is told it.
const lookOf = (page) => page.evaluate(() => {
  const video = document.querySelector('video');
  const [cue] = [...video.textTracks].find(({ mode, kind }) => mode === 'showing' && kind === 'captions')?.cues ?? [];
  return { from: cue?.startTime, line: cue?.line, size: document.querySelector('#player').dataset.captionSize };
});

// Where the words stand: from the video's top, as a share of its height; no script can see that.
async function shareOfWords(page, devtools) {
  const { root } = await devtools.send('DOM.getDocument', { depth: -1, pierce: true });
  const nodes = [root];
  for (const { children = [], shadowRoots = [] } of nodes) nodes.push(...children, ...shadowRoots);
  const words = nodes.find(({ attributes }) => attributes?.includes('-webkit-media-text-track-display'));
  if (!words) return null;
  const { model } = await devtools.send('DOM.getBoxModel', { nodeId: words.nodeId });
  const { top, height } = await page.$eval('#video', (video) => video.getBoundingClientRect().toJSON());
  return ((model.border[1] + model.border[5]) / 2 - top) / height;
}

test('captions are made larger, moved and delayed, by keys and in a panel; this browser remembers', async () => {
  const { page, context, faults } = await watch('film');
  await until(async () => (await lookOf(page)).from === 4, 'the cues');
  let look;
  const isSo = (from, line, size, what) => until(async () => {
    look = await lookOf(page);
    return Math.abs(look.from - from) < 0.01 && look.line === line && look.size === size;
  }, () => `${what}: ${JSON.stringify(look)}`);
  const devtools = await context.newCDPSession(page);
  let share;
  const stand = (isRight, what) => until(async () => isRight((share = await shareOfWords(page, devtools))), () => `words ${what}: ${share}`);
  await tell(page, { type: 'seek', position: 5 });
  await stand((at) => at !== null && at > 0.7, 'at the bottom');
  for (const key of ['b', 'b']) await page.keyboard.press(key);
  await stand((at) => at !== null && at < 0.2, 'at the top, while they are on the picture');
  for (const key of ['+', 'h', 'h', 'g']) await page.keyboard.press(key);
  await page.waitForSelector('.toast:has-text("Captions 0.1 s later")');
  await isSo(4.1, 0, '125', 'by keys');
  await page.click('#rate');
  await page.waitForSelector('media-playback-rate-menu [role=menuitemradio]');
  await assertAccessible(page, 'the menu of speeds');
  await page.keyboard.press('Escape');
  await page.click('#captions');
  await page.waitForSelector('media-captions-menu [role=menuitemradio]');
  await assertAccessible(page, 'the menu of captions');
  await until(() => page.evaluate(() => document.activeElement.matches('media-captions-menu')), 'the menu has the focus');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await until(() => page.evaluate(() => document.activeElement.id === 'look-smaller'), 'the panel has the focus');
  await assertAccessible(page, 'the panel');
  for (const name of ['larger', 'bottom', 'later']) await page.click(`#look-${name}`);
  assert.deepEqual(await page.$$eval('.look-value', (all) => all.map((one) => one.textContent.replace('\u00a0', ' '))), ['150 %', '+0.2 s']);
  await isSo(4.2, 'auto', '150', 'in the panel');
  await page.keyboard.press('Escape');
  assert.deepEqual(await page.evaluate(() => [document.activeElement.id, document.querySelector('#caption-look').hidden]), ['captions', true]);
  await join(page, page.url(), 'Ann');
  await isSo(4.2, 'auto', '150', 'on the next page');
  assert.deepEqual(faults, []);
  await context.close();
});

// Of what is drawn, in px of the video's element: {x, y, width, height}; null: nothing is.
const drawnBox = (page) => page.evaluate(() => {
  const canvas = document.querySelector('.picture-captions');
  if (canvas.hidden || canvas.width === 0) return null;
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (data[4 * (y * width + x) + 3] < 128) continue;
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
  }
  const scale = canvas.getBoundingClientRect().width / width;
  return right < 0 ? null : { x: left * scale, y: top * scale, width: (right + 1 - left) * scale, height: (bottom + 1 - top) * scale };
});

test('subtitles that are pictures lie where they belong on the picture, at their time', async () => {
  const { page, context, faults } = await watch('pictures');
  await until(async () => JSON.stringify(await shownText(page)) === '["English"]', 'the track to be chosen');
  await until(async () => {
    await seek(page, 3);
    return drawnBox(page);
  }, 'the picture to be drawn');
  const check = async (what) => {
    const { element, video } = await page.evaluate(() => {
      const one = document.querySelector('video');
      return { element: { width: one.clientWidth, height: one.clientHeight }, video: { width: one.videoWidth, height: one.videoHeight } };
    });
    const scale = Math.min(element.width / video.width, element.height / video.height);
    const [left, top] = [(element.width - video.width * scale) / 2, (element.height - video.height * scale) / 2];
    const unit = (video.width * scale) / SCREEN[0];
    const due = { x: left + PICTURE_CUE.x * unit, y: top + PICTURE_CUE.y * unit, width: PICTURE_CUE.w * unit, height: PICTURE_CUE.h * unit };
    const isThere = (drawn) => drawn && Object.keys(due).every((name) => Math.abs(drawn[name] - due[name]) <= 2);
    let drawn;
    await until(async () => isThere((drawn = await drawnBox(page))), () => `${what}: ${JSON.stringify({ due, drawn })}`);
  };
  await check('as the window is');
  for (let i = 0; i < 10; i += 1) await page.keyboard.press('h'); // from 1 s on
  await seek(page, 0.5);
  await until(async () => (await drawnBox(page)) === null, 'nothing is drawn before its time, which is later');
  await page.keyboard.press('+');
  await page.waitForSelector('.toast:has-text("These captions are pictures")');
  await page.click('#captions');
  await page.click('media-captions-menu [aria-haspopup=dialog]');
  assert.deepEqual(await page.$$eval('.look-row', (rows) => rows.map(({ hidden }) => hidden)), [true, true, false], 'their size and place are not offered');
  await page.click('#look-no-delay');
  await page.keyboard.press('Escape');
  await seek(page, 3);
  if (process.env.VIDEOSYNC_SCREENSHOTS) await page.screenshot({ path: path.join(process.env.VIDEOSYNC_SCREENSHOTS, 'picture-captions.png') });
  await page.setViewportSize({ width: 700, height: 900 });
  await check('in another window');
  await page.keyboard.press('t');
  await check('with bars around it');
  if (process.env.VIDEOSYNC_SCREENSHOTS) await page.screenshot({ path: path.join(process.env.VIDEOSYNC_SCREENSHOTS, 'picture-captions-bars.png') });
  await seek(page, 10);
  await until(async () => (await drawnBox(page)) === null, 'nothing is drawn between two');
  await seek(page, 13);
  await until(async () => (await drawnBox(page))?.x < 3 + 0.5 * 700, 'the second one');
  await page.keyboard.press('c');
  await until(() => page.evaluate(() => document.querySelector('.picture-captions').hidden), 'they are off');
  assert.deepEqual(faults, []);
  await context.close();
});
