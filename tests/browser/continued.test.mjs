// An evening that is gone on with: what the start page and the gate say of a session that everybody has left, and of
// films in which one had stopped.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { assertAccessible, assertTargets } from '../support/accessibility.mjs';
import { join, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { join as joinAs } from '../support/member.mjs';
import { takePictures } from '../support/pictures.mjs';
import { cardOf, closeSharing, hasStatus, madeSession, openPicker } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const LEFT_AT_S = 40;
const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };
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
  media = await makeMedia([{ name: 'A Film', seconds: 75 }, { name: 'Short', seconds: 5 }]);
  // Who has left is gone for good after a second.
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--resume-time', '1s', '--host-grace', '1s'] });
  await untilFilmsAreKnown(server);
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

const info = async (key) => (await fetch(`${server.origin}/api/sessions/${key}`)).json();

// of: a selector of what has to be in sight.
const takePicture = (page, name, of) => takePictures(page, name, () => page.$eval(of, (one) => one.scrollIntoView({ block: 'center' })));

// Ann makes a session, Ben comes by phone and Cem by a program; it plays, and then they go. Resolves to its {key, link}.
async function evening(ann, ben) {
  await ann.goto(server.origin);
  await ann.getByRole('button', { name: /^Create a session with A Film/ }).click();
  const { key, link } = await madeSession(ann);
  await closeSharing(ann);
  await join(ben, link, 'Ben');
  const cem = await joinAs(server, key, { name: 'Cem' });
  await ann.waitForSelector('#people:has-text("Cem")');
  await ben.waitForSelector('#people:has-text("Cem")', { state: 'attached' });
  await ann.evaluate((position) => testSockets.at(-1).send(JSON.stringify({ type: 'play', position })), LEFT_AT_S);
  await cem.next('state', ({ playing }) => playing);
  await cem.close();
  await ben.goto('about:blank');
  await ann.goto('about:blank');
  await until(async () => (await info(key)).leftMs !== undefined, 'everybody to have left');
  return { key, link };
}

test('a session that everybody has left says when and where, on the start page and at the gate, and waits there', async () => {
  const [ann, ben] = [await meet(), await meet({ ...PHONE, locale: 'de-DE' })];
  const { key, link } = await evening(ann.page, ben.page);
  const { state } = await info(key);
  assert.ok(!state.playing && state.position >= LEFT_AT_S && state.position < LEFT_AT_S + 10, JSON.stringify(state));
  const left = `0:${Math.floor(state.position)}`;

  await ann.page.goto(server.origin);
  await ann.page.waitForSelector('.recent-row');
  assert.equal(await ann.page.textContent('.recent-title'), 'A Film');
  const factsOf = (page) => page.$$eval('.recent-facts', (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual(await factsOf(ann.page), [`Yours · Left 1 minute ago, at ${left}`, 'With Ben and Cem']);
  await assertAccessible(ann.page, 'home with a session that was left');
  await takePicture(ann.page, 'home-left', '#recent');
  await ben.page.goto(server.origin);
  await ben.page.waitForSelector('.recent-row');
  const [facts, company] = await factsOf(ben.page);
  assert.equal(facts, `Verlassen vor 1 Minute, bei ${left}`);
  assert.ok(company.startsWith('Mit ') && company.includes('Cem'), company);
  await assertTargets(ben.page, 'home with a session that was left', { min: 6 });

  // By keyboard alone.
  await ann.page.focus('#join');
  await ann.page.keyboard.press('Tab');
  await ann.page.keyboard.press('Tab');
  assert.equal(await ann.page.evaluate(() => document.activeElement.className), 'recent-link');
  await ann.page.keyboard.press('Enter');
  await ann.page.waitForSelector(`#gate-words:has-text("Everybody left 1 minute ago, at ${left}.")`);
  await assertAccessible(ann.page, 'gate of a session that was left');
  await takePicture(ann.page, 'gate-left', '#gate-words');
  await ann.page.waitForSelector('#gate-join:enabled');
  await ann.page.keyboard.press('Enter');
  await hasStatus(ann.page, 'Paused');
  await until(() => ann.page.evaluate((at) => Math.abs(document.querySelector('video').currentTime - at) < 0.5, state.position), 'it is where they left');

  await ben.page.reload();
  await ben.page.waitForSelector(`.recent-facts:has-text("Eine Person sieht zu. · bei ${left} von 1:15")`);
  assert.equal(link.includes(key), true);
});

// Of the room, and comes back.
async function seeInPicker(page) {
  await page.getByRole('button', { name: /^Create a session with Short/ }).click();
  await madeSession(page);
  await closeSharing(page);
  await openPicker(page);
  await cardOf(page, 'A Film').locator('.muted:has-text("1:15 · stopped at 1:00")').waitFor();
  await page.goto(server.origin);
}

test('a film of the library shows how far one is, until that is forgotten', async () => {
  for (const [name, options] of [['desk', {}], ['phone', PHONE]]) {
    const { page } = await meet(options);
    await page.goto(server.origin);
    await page.evaluate(() => localStorage.setItem('videosync.places', JSON.stringify([{ id: 'a-film', title: 'A Film', positionS: 60, durationS: 75 }])));
    await page.reload();
    const card = page.getByRole('button', { name: /^Create a session with A Film stopped at 1:00/ });
    const [whole, seen] = await card.locator('.poster-seen').evaluate((bar) => [bar.clientWidth, parseFloat(getComputedStyle(bar, '::after').width)]);
    assert.ok(Math.abs(seen / whole - 0.8) < 0.01, `${seen} of ${whole}`);
    assert.equal(await page.locator('.poster-seen:visible').count(), 1, 'of the other one nothing');
    await assertAccessible(page, `library, ${name}`);
    if (name === 'desk') await takePicture(page, 'home-go-on', '#library');
    if (name === 'desk') await seeInPicker(page);
    await page.getByRole('button', { name: 'Forget where you stopped: A Film' }).click();
    await page.waitForSelector('.poster-seen:visible', { state: 'hidden' });
    await page.getByRole('button', { name: /^Create a session with A Film 1:15/ }).waitFor();
  }
});

test('no page had an error on its console or broke the security policy', () => {
  for (const faults of allFaults) assert.deepEqual(faults, []);
});
