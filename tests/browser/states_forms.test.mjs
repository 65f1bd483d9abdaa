// What the page says of films that have to be made ready first, in real Chromium on a real server: each state really
// brought about. Ann is host; what the server answers Ben can be held back, or put in its place. The steps build on each
// other; with VIDEOSYNC_SCREENSHOTS=folder each state leaves pictures (tests/support/player_page.mjs).
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join, launchBrowser, measure, openPerson, until } from '../support/browser.mjs';
import { makeFilm } from '../support/films.mjs';
import { fetchFilm } from '../support/forms.mjs';
import { createSession } from '../support/member.mjs';
import { hasFigure, hasNotice, hasRole, hasStatus, takePicture, tell } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';

const step = story('what the page says of films that are made ready');
const MADE = /\/forms\/.*\.m4s$/;
const FILM_S = 300; // longer than all of this takes
let folder;
let server;
let browser;
let ann;
let ben;
let key;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'videosync-made-'));
  await makeFilm(path.join(folder, 'film.mkv'), { seconds: FILM_S, picture: 'h264', sounds: [{ codec: 'ac3', lang: 'eng' }] });
  await makeFilm(path.join(folder, 'plain.mp4'), { seconds: FILM_S, picture: 'h264', sounds: [{ codec: 'aac', lang: 'eng' }] });
  server = await startServer({ args: ['--media', folder, '--session-rate', '0', '--video', 'film'], env: { VIDEOSYNC_CACHE: path.join(folder, '.cache') } });
  for (const id of ['film', 'plain']) await until(() => fetchFilm(server.origin, id).then(({ forms }) => forms.length > 1, () => false), `the forms of ${id}`, 20_000);
  await until(async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos.every(({ forms }) => forms), 'the list tells them', 20_000);
  browser = await launchBrowser(['--autoplay-policy=no-user-gesture-required']);
  ann = await openPerson(browser);
  ben = await openPerson(browser);
  ({ key } = await createSession(server));
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const placeOf = async ({ page }) => (await measure(page)).position;
const inStep = async () => {
  for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
};
const refuse = (code) => (route) => route.fulfill({
  status: 503, headers: { 'Retry-After': '1', 'Content-Type': 'application/json' }, body: JSON.stringify({ error: { code, message: '' } }),
});

step('a film whose sound browsers do not decode is in step for all', async () => {
  for (const [{ page }, name] of [[ann, 'Ann'], [ben, 'Ben']]) await join(page, `${server.origin}/player.html?session=${key}`, name);
  await hasStatus(ben.page, 'Ready to start');
  await tell(ann.page, { type: 'play' });
  await inStep();
  await ann.page.waitForSelector('.person:has-text("Ben") .person-form:has-text("copy")');
});

step('what the server is still making ready is no buffering, and nobody is told that it were', async () => {
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  await ben.page.route(MADE, async (route) => {
    await held;
    await route.continue().catch(() => {}); // the player may have left it behind
  });
  await tell(ann.page, { type: 'seek', position: 150 });
  await hasStatus(ben.page, 'The server is preparing this part of the film');
  await hasFigure(ben.page, 'for');
  await ben.page.waitForSelector('.person:has-text("Ben") .tag[data-kind="busy"]:has-text("preparing")');
  await takePicture(ben.page, 'preparing');
  await assertAccessible(ben.page, 'preparing');
  await hasStatus(ann.page, 'In step');
  assert.equal(await ann.page.isVisible('.person:has-text("Ben") .tag[data-kind="busy"]'), false);
  letGo();
  await inStep();
  await ben.page.unroute(MADE);
});

step('a server that is busy says so, and it goes on by itself', async () => {
  await ben.page.route(MADE, refuse('busy'));
  await tell(ann.page, { type: 'seek', position: 10 });
  await hasStatus(ben.page, 'The server is busy preparing other films');
  await takePicture(ben.page, 'busy');
  await ben.page.unroute(MADE);
  await inStep();
});

step('likewise one that cannot read the film for now', async () => {
  await ben.page.route(MADE, refuse('unavailable'));
  await tell(ann.page, { type: 'seek', position: 220 });
  await hasStatus(ben.page, 'The server cannot read the film right now');
  await takePicture(ben.page, 'unreadable');
  await ben.page.unroute(MADE);
  await inStep();
  assert.ok((await placeOf(ben)) > 220);
});

step('a film that cannot be made playable is told as that, to the viewer and to the host', async () => {
  const row = '.person:has-text("Ben")';
  await ben.page.route(/\/forms\/.*\.m3u8$/, (route) => route.fulfill({
    status: 422, contentType: 'application/json', body: JSON.stringify({ error: { code: 'film_unplayable', message: '' } }),
  }));
  await join(ben.page, ben.page.url(), 'Ben');
  await hasStatus(ben.page, 'This video cannot be played: the server cannot make it playable');
  await ben.page.waitForSelector(`${row} .tag[data-kind="bad"]:has-text("cannot play")`);
  await ann.page.waitForSelector(`${row} .tag[data-kind="bad"]:has-text("cannot play")`);
  await hasRole(ann.page, 'Cannot play the video: Ben');
  assert.doesNotMatch(await ann.page.textContent('#role-line'), /Buffering/);
  assert.equal(await ann.page.isVisible('#people-buffering'), false);
  await takePicture(ben.page, 'unmade');
  await takePicture(ann.page, 'unmade-host');
  await ben.page.unroute(/\/forms\/.*\.m3u8$/);
  await ben.page.click('#big-action');
  await inStep();
  await ann.page.click(`${row} .person-form`);
  await ann.page.waitForSelector('.toast:has-text("Plays the picture as it is, with sound made anew")');
});

step('where nothing but the file is to be had, a sound that this browser does not decode is told of', async () => {
  const plain = await startServer({ args: ['--media', folder, '--session-rate', '0', '--video', 'film'] });
  const cem = await openPerson(browser);
  try {
    await until(async () => (await (await fetch(`${plain.origin}/api/videos`)).json()).videos.every(({ tracks }) => tracks), 'the list tells the tracks', 20_000);
    await join(cem.page, plain.origin + (await createSession(plain)).url, 'Cem');
    await hasStatus(cem.page, 'Ready to start');
    await cem.page.keyboard.press('k');
    await hasNotice(cem.page, 'There is no sound here: this browser cannot decode it');
    await takePicture(cem.page, 'no-sound');
    assert.deepEqual(cem.faults, []);
  } finally {
    await cem.context.close();
    await plain.stop();
  }
});
