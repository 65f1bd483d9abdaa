// A film of several sounds in a session: all hear one language, whatever their browser would take of the file; the host
// chooses for all, and each for themselves. The steps build on each other.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join, launchBrowser, measure, openPerson, until } from '../support/browser.mjs';
import { makeFilm } from '../support/films.mjs';
import { createSession } from '../support/member.mjs';
import { hasStatus, takePicture, tell } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';

const step = story('sounds of a film in several languages');
const FILM_S = 300; // longer than all of this takes
const films = {
  'mixed.mkv': [{ codec: 'ac3', lang: 'eng', isDefault: true }, { codec: 'aac', lang: 'ger' }],
  'plain.mp4': [{ codec: 'aac', lang: 'eng', isDefault: true }, { codec: 'aac', lang: 'ger' }],
};
let folder;
let server;
let browser;
let ann;
let ben;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'videosync-sounds-'));
  for (const [name, sounds] of Object.entries(films)) await makeFilm(path.join(folder, name), { seconds: FILM_S, picture: 'h264', sounds });
  server = await startServer({ args: ['--media', folder, '--session-rate', '0'], env: { VIDEOSYNC_CACHE: path.join(folder, '.cache') } });
  const list = async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos;
  await until(async () => (await list()).filter(({ forms }) => forms).length === 2, 'the forms of both films', 20_000);
  browser = await launchBrowser(['--autoplay-policy=no-user-gesture-required']);
  ann = await openPerson(browser);
  ben = await openPerson(browser);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

// The newest sound of a stream that this page has fetched a part of: its place in the file.
const soundOf = ({ page }) => page.evaluate(() => {
  const paths = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname);
  return Number(/sound-(\d+)/.exec(paths.findLast((one) => /\/sound-\d+\/\d+\.m4s$/.test(one)))?.[1] ?? 0);
});
const hears = (person, sound, who) => until(async () => (await soundOf(person)) === sound, () => `${who} hears sound ${sound}`, 20_000);
const inStep = async () => {
  for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
};
async function openMenu({ page }) {
  await page.mouse.move(300, 300);
  await page.click('#audio');
  await page.waitForSelector('media-audio-track-menu [role=menuitemradio]');
}

step('AC-3, then AAC: the first one for both, though this browser would take the second', async () => {
  const { key } = await createSession(server, { video: 'mixed' });
  for (const [{ page }, name] of [[ann, 'Ann'], [ben, 'Ben']]) await join(page, `${server.origin}/player.html?session=${key}`, name);
  await hasStatus(ben.page, 'Ready to start');
  await tell(ann.page, { type: 'play' });
  await inStep();
  for (const [person, who] of [[ann, 'Ann'], [ben, 'Ben']]) await hears(person, 1, who);
});

step('the host chooses from the menu, by keys, and all hear it', async () => {
  await assertAccessible(ann.page, 'a film of several sounds');
  await openMenu(ann);
  const names = await ann.page.$$eval('media-audio-track-menu [role=menuitemradio]', (all) => all.map((one) => one.textContent.trim()));
  assert.deepEqual(names, ['English', 'German']);
  await assertAccessible(ann.page, 'the menu of sounds');
  await takePicture(ann.page, 'sounds');
  await ann.page.keyboard.press('ArrowDown');
  await ann.page.keyboard.press('Enter');
  for (const [person, who] of [[ann, 'Ann'], [ben, 'Ben']]) await hears(person, 2, who);
  await inStep();
});

step('a viewer\'s own choice is theirs alone', async () => {
  await openMenu(ben);
  await ben.page.click('media-audio-track-menu [role=menuitemradio]:nth-of-type(1)');
  await until(async () => (await ben.page.$eval('media-audio-track-menu', (menu) => menu.mediaAudioTrackEnabled)) === '0', 'it is marked');
  await hears(ben, 1, 'Ben');
  assert.equal(await soundOf(ann), 2);
  await inStep();
});

step('who comes later begins with the host\'s', async () => {
  const cem = await openPerson(browser);
  await join(cem.page, ann.page.url(), 'Cem');
  await hasStatus(cem.page, 'In step');
  await hears(cem, 2, 'Cem');
  await cem.context.close();
});

step('in the next film the language holds; a file is left for its copy where another sound is wanted, in place', async () => {
  await tell(ann.page, { type: 'load', video: 'plain' });
  await hasStatus(ben.page, 'Ready to start');
  await tell(ann.page, { type: 'play' });
  await inStep();
  const source = ({ page }) => page.$eval('#video', (video) => video.currentSrc);
  assert.match(await source(ann), /^blob:/, 'German is not what a browser takes of the file');
  assert.match(await source(ben), /\/api\/video/, 'English is');
  const { position } = await measure(ben.page);
  await openMenu(ben);
  await ben.page.click('media-audio-track-menu [role=menuitemradio]:nth-of-type(2)');
  await until(async () => (await source(ben)).startsWith('blob:'), 'the copy is taken');
  await until(async () => (await measure(ben.page)).position > position, 'it goes on where it was');
  await hasStatus(ben.page, 'In step');
  for (const person of [ann, ben]) assert.deepEqual(person.faults, []);
});
