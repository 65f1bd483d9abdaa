// Names as people write and paste them, in real Chromium on a real server: cleaned, or told in words
// at the field before anything is sent or stored, and remembered when the server has taken them. Ben
// speaks the protocol from here.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join as joinPage, until } from '../support/browser.mjs';
import { openCinema } from '../support/cinema.mjs';
import { createSession, join } from '../support/member.mjs';
import { hasStatus, takePicture, tell } from '../support/player_page.mjs';

const NOTHING = 'Nothing of this name can be seen.';
let cinema;
let server;
let key;
let ben;

before(async () => {
  cinema = await openCinema({ films: [{ name: 'film', seconds: 10 }] });
  ({ server } = cinema);
  ({ key } = await createSession(server));
  ben = await join(server, key, { name: 'Ben' });
});

after(async () => {
  await ben?.drop();
  await cinema?.close();
});

afterEach(async () => {
  cinema?.assertFaultless();
  await cinema?.empty();
});

const meet = async (options) => (await cinema.meet(options)).page;
const link = () => `${server.origin}/player.html?session=${key}`;
const remembered = (page) => page.evaluate(() => localStorage.getItem('videosync.name'));
const ownName = (page) => page.textContent('.person:has(.rename-open:not([hidden])) .person-name');

test('a pasted name with marks that nobody sees is cleaned, and remembered like that', async () => {
  const page = await meet();
  await joinPage(page, link(), '\u202aAnn\u202c\u200b');
  await hasStatus(page, 'Ready to start');
  assert.equal(await ownName(page), 'Ann');
  await until(async () => (await remembered(page)) === 'Ann', 'it is remembered');
  await page.reload();
  await page.waitForSelector('#gate-join:enabled');
  assert.equal(await page.inputValue('#gate-name'), 'Ann');
});

test('a name that cannot be seen, or is too long, is told at the field, and goes nowhere', async () => {
  const page = await meet();
  await page.goto(link());
  await page.waitForSelector('#gate-join:enabled');
  for (const [name, words] of [['\u200b', NOTHING], ['x'.repeat(41), 'A name has at most 40 characters.']]) {
    await page.fill('#gate-name', name);
    await page.click('#gate-join');
    await page.waitForSelector(`#gate-name-fault:has-text("${words}")`);
    assert.ok(await page.isVisible('#gate'));
    assert.equal(await page.evaluate(() => document.activeElement.id), 'gate-name');
  }
  await takePicture(page, 'name-refused');
  await assertAccessible(page, 'a name that will not do');
  assert.deepEqual(await page.evaluate(() => [testSockets.length, ...Object.keys(localStorage)]), [0]);
  await page.fill('#gate-name', '👩\u200d🚀 Zoë');
  assert.equal(await page.textContent('#gate-name-fault'), '');
  await page.click('#gate-join');
  await hasStatus(page, 'Ready to start');
  assert.equal(await ownName(page), '👩\u200d🚀 Zoë');
});

test('a name that was remembered though no server takes it locks nobody out', async () => {
  const page = await meet();
  await page.addInitScript((name) => localStorage.setItem('videosync.name', name), '\u200b');
  await page.goto(link());
  await page.waitForSelector('#gate-join:enabled');
  assert.equal(await page.inputValue('#gate-name'), '');
  await page.click('#gate-join');
  await hasStatus(page, 'Ready to start');
  assert.match(await ownName(page), /^Guest \d+$/);
});

test('a new name is told at its field where it will not do, and remembered when it was taken', async () => {
  const page = await meet();
  await joinPage(page, link(), 'Cem');
  await hasStatus(page, 'Ready to start');
  await page.click('.rename-open:visible');
  await page.fill('.rename .input', '\u2066\u2069');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`#rename-fault:has-text("${NOTHING}")`);
  await takePicture(page, 'rename-refused');
  assert.equal(await remembered(page), 'Cem');
  await page.fill('.rename .input', '  Cem\u00a0Ö. ');
  await page.keyboard.press('Enter');
  await until(async () => (await ownName(page)) === 'Cem Ö.', 'everybody sees it');
  assert.equal(await remembered(page), 'Cem Ö.');
});

test('a name that the server refuses is told in words, and the old one stays', async () => {
  const page = await meet();
  await joinPage(page, link(), 'Dee');
  await hasStatus(page, 'Ready to start');
  await tell(page, { type: 'name', name: 'x'.repeat(41) }); // as a page of another version might
  await page.waitForSelector('.toast:has-text("You are still called Dee")');
  assert.equal(await remembered(page), 'Dee');
});

test('who comes right back under another name gets it', async () => {
  const page = await meet();
  await joinPage(page, link(), 'Eva');
  await hasStatus(page, 'Ready to start');
  await joinPage(page, link(), 'Evi');
  await until(async () => (await ownName(page)) === 'Evi', 'the new name');
  assert.equal(await remembered(page), 'Evi');
});

test('the start page judges a name likewise, and hands it on to the player', async () => {
  const page = await meet({ locale: 'de-DE' });
  await page.goto(server.origin);
  await page.waitForSelector('#join:enabled');
  await page.fill('#join-key', key);
  await page.fill('#name', '\u2060');
  await page.click('#join');
  await page.waitForSelector('#name-fault:has-text("Von diesem Namen ist nichts zu sehen.")');
  await assertAccessible(page, 'a name that will not do on the start page');
  assert.equal(await remembered(page), null);
  await page.fill('#name', 'Fay\u200b');
  await page.click('#join');
  await page.waitForSelector('#gate-join:enabled');
  assert.equal(await page.inputValue('#gate-name'), 'Fay');
  assert.equal(await remembered(page), null, 'no server has taken it yet');
  await page.click('#gate-join');
  await hasStatus(page, 'Startbereit');
  assert.equal(await remembered(page), 'Fay');
});
