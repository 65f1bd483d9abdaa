// A server that asks for its password: who makes a session is asked once, guests are not, and their films play.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { assertAccessible, assertTargets } from '../support/accessibility.mjs';
import { join, launchBrowser, measure, openPerson, until } from '../support/browser.mjs';
import { makeMedia, makePoster } from '../support/media.mjs';
import { takePictures } from '../support/pictures.mjs';
import { cardOf, closeSharing, hasRole, madeSession } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const PASSWORD = 'Straße 7: ö';
const PHONE = { width: 390, height: 780 };
const headers = { authorization: `Basic ${Buffer.from(`:${PASSWORD}`).toString('base64')}` };
let media;
let server;
let browser;
const guests = []; // of one test
const allFaults = [];

async function meet(options) {
  const person = await openPerson(browser, options);
  person.page.setDefaultTimeout(10_000);
  guests.push(person.context);
  allFaults.push(person.faults);
  return person;
}

before(async () => {
  media = await makeMedia([{ name: 'A Film', seconds: 30 }, { name: 'Short', seconds: 5 }]);
  await makePoster(path.join(media.directory, 'A Film.jpg'));
  await writeFile(path.join(media.directory, 'A Film.en.vtt'), 'WEBVTT\n\n00:00.000 --> 00:20.000\nHello there\n');
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--create-password', PASSWORD] });
  await untilFilmsAreKnown(server, { headers });
  browser = await launchBrowser();
});

afterEach(async () => {
  for (const context of guests.splice(0)) await context.close();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

const takePicture = (page, name) => takePictures(page, `password-${name}`);

async function tellPassword(page, text) {
  await page.fill('#password', text);
  await page.press('#password', 'Enter');
}

async function makeSession() {
  const response = await fetch(`${server.origin}/api/sessions`, { method: 'POST', headers, body: '{"video":"a-film"}' });
  const { key } = await response.json();
  return { link: `${server.origin}/player.html?session=${key}` };
}

test('who creates a session is asked, told what is wrong, and then is in its room', async () => {
  const { page } = await meet();
  await page.goto(server.origin);
  await page.waitForSelector('#library-locked button');
  assert.equal(await page.textContent('#library-locked p'), 'The videos are shown to whoever knows this server’s password.');
  await takePicture(page, 'home');
  await page.click('#create');
  await page.waitForSelector('#password');
  assert.ok(await page.evaluate(() => document.activeElement.id === 'password'), 'one can type at once');
  await assertAccessible(page, 'the question');
  await tellPassword(page, '');
  await until(async () => (await page.textContent('#password-fault')) === 'Type the password first.', 'the fault');
  await tellPassword(page, 'guess');
  await until(async () => (await page.textContent('#password-fault')) === 'That is not this server’s password.', 'the fault');
  await takePicture(page, 'wrong');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#password', { state: 'detached' });
  assert.equal(new URL(page.url()).pathname, '/', 'who calls it off stays');
  await page.click('#create');
  await tellPassword(page, PASSWORD);
  await madeSession(page);
  await hasRole(page, 'You are the host');
});

test('it is asked once in a browser, and the library is there', async () => {
  const { page } = await meet({ viewport: PHONE, hasTouch: true, isMobile: true });
  await page.goto(server.origin);
  await page.tap('#library-locked button');
  await assertTargets(page, 'the question on a phone');
  await tellPassword(page, PASSWORD);
  await page.waitForSelector('.poster');
  assert.equal(await page.isVisible('#library-locked'), false);
  await page.reload();
  await page.waitForSelector('.poster');
  await until(() => page.$eval('.poster-picture', (picture) => picture.naturalWidth > 0), 'a poster');
  await page.getByRole('button', { name: /^Create a session with A Film/ }).tap();
  await madeSession(page);
});

test('guests are not asked: their film plays with its captions, and the next one', async () => {
  const { link } = await makeSession();
  const [ann, ben] = [await meet(), await meet()];
  await join(ann.page, link, 'Ann');
  await join(ben.page, link, 'Ben');
  await ann.page.keyboard.press('k');
  for (const { page } of [ann, ben]) await until(async () => (await measure(page)).position > 0.5, 'the film plays');
  await until(() => ben.page.$eval('video', ({ textTracks }) => [...textTracks].length > 0), 'captions');
});

test('in the room the picker asks whoever has not told it', async () => {
  const { link } = await makeSession();
  const { page } = await meet();
  await join(page, link, 'Ann');
  await page.click('#queue-panel > summary');
  await page.click('#queue-add');
  await page.waitForSelector('#picker[open] #picker-locked button');
  assert.equal(await page.textContent('#picker-locked p'), 'The videos are shown to whoever knows this server’s password.');
  assert.equal(await page.isVisible('#picker-search'), false);
  await assertAccessible(page, 'the picker without the password');
  await takePicture(page, 'picker');
  await page.click('#picker-locked button');
  await tellPassword(page, PASSWORD);
  await cardOf(page, 'Short').waitFor();
  assert.equal(await page.isVisible('#picker-locked'), false);
  assert.equal(await page.isVisible('#picker-search'), true);
});

// Browsers write a line of their own for each answer that is a refusal.
test('there is nothing on any console but that the password was missing or wrong', () => {
  assert.ok(allFaults.length > 4);
  assert.deepEqual(allFaults.flat().filter((fault) => !/^Failed to load resource: .* 401 /.test(fault)), []);
});
