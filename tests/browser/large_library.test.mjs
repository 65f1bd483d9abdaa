// A library of hundreds of videos on the start page and in the player's picker: a page at a time, found by words.
// Real Chromium, a real server.
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join as joinPage, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { makeMedia, makePoster } from '../support/media.mjs';
import { createSession } from '../support/member.mjs';
import { cardOf, chooseVideo, lists, madeSession, openPicker, takePicture } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';

const FILMS = 300;
const EPISODES = 4;
const PART = 200; // what a player's list has of it
const step = story('a large library');
let media;
let server;
let browser;
let ann;
let key; // of the session that she is in

before(async () => {
  media = await makeMedia([{ name: 'Zoo', seconds: 5 }]);
  const at = (...names) => path.join(media.directory, ...names);
  for (const season of [1, 2]) {
    await mkdir(at('Owls', `Season ${season}`), { recursive: true });
    for (const name of ['E01 Dusk', 'E02']) await writeFile(at('Owls', `Season ${season}`, `Owls S0${season}${name}.mp4`), 'x');
  }
  for (let i = 1; i <= FILMS; ++i) {
    await mkdir(at(`Film ${i} (2001)`));
    await writeFile(at(`Film ${i} (2001)`, `Film ${i} (2001).mp4`), 'x');
  }
  await writeFile(at('Film 7 (2001)', 'movie.nfo'), '<movie><title>Am\u00e9lie</title><year>2001</year></movie>');
  await writeFile(at('Film 150 (2001)', 'Film 150 (2001) - 1080p.mp4'), 'x');
  await makePoster(at('Film 7 (2001)', 'poster.jpg'));
  await makePoster(at('Film 250 (2001)', 'folder.jpg'));
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'], env: { PATH: '/nowhere' } });
  await until(async () => (await (await fetch(`${server.origin}/api/videos?limit=1`)).json()).videos[0].title === 'Am\u00e9lie', 'the title of the notes');
  browser = await launchBrowser();
  ann = await openPerson(browser);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

const titles = () => ann.page.$$eval('.poster-title', (all) => all.map(({ textContent }) => textContent));
const isShown = (expected) => until(async () => (await titles()).join() === expected.join(), () => `${expected} are shown`);

async function takePictures(name) {
  const folder = process.env.VIDEOSYNC_SCREENSHOTS;
  if (!folder) return;
  const size = ann.page.viewportSize();
  for (const [kind, viewport] of [['desk', { width: 1100, height: 900 }], ['phone', { width: 390, height: 780 }]]) {
    await ann.page.setViewportSize(viewport);
    await ann.page.locator('#library').scrollIntoViewIfNeeded();
    await ann.page.evaluate(() => document.querySelector('.library').scrollIntoView());
    await ann.page.screenshot({ path: path.join(folder, `library-${name}-${kind}.png`) });
  }
  await ann.page.setViewportSize(size);
}

step('the start page shows the first of it, with the posters that come into view', async () => {
  const asked = [];
  ann.page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await ann.page.goto(server.origin);
  await until(async () => (await titles())[0] === 'Am\u00e9lie', 'the list');
  assert.ok((await titles()).length < FILMS / 2, `${(await titles()).length} of ${FILMS}`);
  await until(() => asked.some((name) => name.endsWith('/poster.jpg')), 'the poster in view');
  assert.ok(!asked.some((name) => name.endsWith('/folder.jpg')), 'not those that are far below');
  await takePictures('first');
  await assertAccessible(ann.page, 'a large library');
});

step('who scrolls sees all of it', async () => {
  await until(async () => {
    await ann.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    return (await titles()).length === FILMS + EPISODES + 1;
  }, () => 'all of them');
  assert.equal((await titles()).at(-1), 'Zoo');
  assert.equal(await ann.page.isVisible('#library-more'), false);
});

step('words find a film as they are typed, whatever accents it has', async () => {
  await ann.page.fill('#library-search', 'amelie');
  await isShown(['Am\u00e9lie']);
  await ann.page.fill('#library-search', 'film 25');
  await isShown([25, 125, 225, ...Array.from({ length: 10 }, (_, i) => 250 + i)].map((number) => `Film ${number}`));
  await takePictures('found');
  await ann.page.fill('#library-search', 'no such');
  await until(async () => (await ann.page.textContent('#library-words')) === 'Nothing here is called \u201cno such\u201d.', 'it says so');
  await ann.page.fill('#library-search', '');
  await until(async () => (await titles())[0] === 'Am\u00e9lie', 'all of it again');
});

step('what came last is first for who wants that', async () => {
  const file = path.join(media.directory, 'Just here.mp4');
  await writeFile(file, 'x');
  await until(async () => (await (await fetch(`${server.origin}/api/videos?query=just`)).json()).videos.length === 1, 'it is found', 30_000);
  await ann.page.selectOption('#library-order', 'newest');
  await until(async () => (await titles())[0] === 'Just here', 'it is first');
  await takePictures('newest');
  await ann.page.fill('#library-search', 'film 25');
  await until(async () => (await titles()).length === 13, 'words choose among them');
  await rm(file);
  await ann.page.selectOption('#library-order', 'title');
  await ann.page.fill('#library-search', '');
  await until(async () => (await titles())[0] === 'Am\u00e9lie', 'all of it again');
  await until(async () => (await (await fetch(`${server.origin}/api/videos?query=just`)).json()).videos.length === 0, 'it is gone', 30_000);
});

step('episodes stand below their seasons', async () => {
  await ann.page.fill('#library-search', 'owls');
  await isShown(['1. Dusk', 'Episode 2', '1. Dusk', 'Episode 2']);
  const headings = () => ann.page.$$eval('.posters-heading', (all) => all.map(({ textContent }) => textContent));
  const seasons = ['Owls \u2013 Season 1', 'Owls \u2013 Season 2'];
  assert.deepEqual(await headings(), seasons);
  await takePictures('seasons');
  await assertAccessible(ann.page, 'seasons');
  // What follows on a season does not look like a part of it.
  await ann.page.fill('#library-search', 'o');
  await isShown(['1. Dusk', 'Episode 2', '1. Dusk', 'Episode 2', 'Zoo']);
  assert.deepEqual(await headings(), [...seasons, 'More videos']);
  await ann.page.fill('#library-search', '');
  await until(async () => (await titles())[0] === 'Am\u00e9lie', 'all of it again');
});

step('of a film in several versions one is chosen', async () => {
  await ann.page.goto(server.origin);
  await ann.page.fill('#library-search', 'film 150');
  await isShown(['Film 150']);
  const version = ann.page.locator('.poster-version:visible');
  assert.equal(await version.locator('option').count(), 2);
  await assertAccessible(ann.page, 'versions');
  await takePictures('versions');
  const listed = await version.inputValue();
  const other = (await version.locator('option').evaluateAll((all) => all.map(({ value }) => value))).find((id) => id !== listed);
  await version.selectOption(other);
  await ann.page.click('.poster');
  const { key: made } = await madeSession(ann.page);
  const { video } = await (await fetch(`${server.origin}/api/sessions/${made}`)).json();
  assert.equal(video.id, other);
});

step('the keyboard alone finds a film and begins a session with it', async () => {
  await ann.page.goto(server.origin);
  await until(async () => (await titles())[0] === 'Am\u00e9lie', 'the list');
  await ann.page.focus('#library-search');
  await ann.page.keyboard.type('film 299');
  await isShown(['Film 299']);
  await ann.page.keyboard.press('Tab');
  await ann.page.keyboard.press('Enter');
  await madeSession(ann.page);
});

step('the host finds a video by its words, episodes below their seasons; the one that is on is there without', async () => {
  const { page } = ann;
  ({ key } = await createSession(server, { video: 'zoo' }));
  await joinPage(page, `${server.origin}/player.html?session=${key}`, 'Ann');
  await until(async () => (await page.textContent('#title')) === 'Zoo', 'its title, though the list has others');
  await openPicker(page);
  const cards = page.locator('.picker-card');
  await until(async () => (await cards.count()) === PART + 1, 'the first of them, and what is on');
  assert.equal(await cards.first().locator('strong').textContent(), 'Zoo');
  assert.ok(await cards.first().locator('.picker-on').isVisible());
  assert.equal(await page.textContent('#picker-words'), `The first ${PART}. Search to see others.`);
  await takePicture(page, 'picker-part');
  await page.fill('#picker-search', 'owls');
  await lists(page, ['1. Dusk', 'Episode 2', '1. Dusk', 'Episode 2']);
  // [what is above, what is below it] as a screen reader has it: a heading, which names its list.
  const seasons = await page.$$eval('.picker-cards', (all) => all.map((list) =>
    [document.getElementById(list.getAttribute('aria-labelledby')).textContent, list.querySelectorAll('li').length]));
  assert.deepEqual(seasons, [['Owls \u2013 Season 1', 2], ['Owls \u2013 Season 2', 2]]);
  assert.deepEqual(await page.getByRole('heading', { level: 3 }).allTextContents(), seasons.map(([heading]) => heading));
  await assertAccessible(page, 'seasons in the picker');
  await takePicture(page, 'picker-seasons');
  await page.fill('#picker-search', 'o');
  await lists(page, ['1. Dusk', 'Episode 2', '1. Dusk', 'Episode 2', 'Zoo']);
  assert.equal(await page.getByRole('heading', { level: 3 }).last().textContent(), 'More videos');
});

step('each version of a film can be had, and which one is on is told', async () => {
  const { page } = ann;
  const card = cardOf(page, 'Film 150');
  const show = card.locator('button:text-is("Show now")');
  const version = page.getByLabel('Version of Film 150');
  await page.fill('#picker-search', 'film 150');
  await lists(page, ['Film 150']);
  const listed = await version.inputValue();
  const [other] = (await version.locator('option').evaluateAll((all) => all.map(({ value }) => value))).filter((id) => id !== listed);
  await version.selectOption(other);
  await assertAccessible(page, 'versions in the picker');
  await takePicture(page, 'picker-versions');
  await chooseVideo(page, 'Film 150');
  await until(async () => (await (await fetch(`${server.origin}/api/sessions/${key}`)).json()).video.id === other, 'this version is on');
  await openPicker(page);
  await page.fill('#picker-search', 'film 150');
  await lists(page, ['Film 150']);
  assert.deepEqual([await version.inputValue(), await card.locator('.picker-on').isVisible(), await show.isVisible()], [other, true, false]);
  await version.selectOption(listed);
  assert.ok(await show.isVisible(), 'the other one can be shown');
});

step('the keyboard alone finds a film and shows it to everybody', async () => {
  const { page } = ann;
  await page.focus('#picker-search');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('film 299');
  await lists(page, ['Film 299']);
  await takePicture(page, 'host-looks-for-a-video');
  await assertAccessible(page, 'the host looks for a video');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Show now to everybody: Film 299');
  await page.keyboard.press('Enter');
  await until(async () => (await page.textContent('#title')) === 'Film 299', 'it is shown');
});

step('no page broke the security policy', () => {
  assert.deepEqual(ann.faults.filter((fault) => /security|policy/i.test(String(fault))), []);
});
