// The start page as people use it, in real Chromium on a real server: posters, one click, sharing,
// what is remembered, languages, small screens and the keyboard.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { assertAccessible, assertTargets } from '../support/accessibility.mjs';
import { join, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { makeFolder } from '../support/files.mjs';
import { makeMedia } from '../support/media.mjs';
import { takePictures } from '../support/pictures.mjs';
import { closeSharing, hasRole, madeSession } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const POSTERS_MS = 60_000; // they are made at the lowest priority: while all else has work that is a promise of no time
let media;
let cache;
let server;
let browser;
let ann;
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
  await writeFile(path.join(media.directory, 'Unreadable.mp4'), 'this is not a video');
  cache = await makeFolder();
  server = await startServer({
    args: ['--media', media.directory, '--session-rate', '0'],
    env: { VIDEOSYNC_CACHE: cache.directory },
  });
  await untilFilmsAreKnown(server, { unreadable: ['unreadable'] });
  browser = await launchBrowser();
  ann = await meet({ permissions: ['clipboard-read', 'clipboard-write'] });
  guests.pop(); // she stays
});

// A page that nobody looks at any more costs as much as one that is tested.
afterEach(async () => {
  for (const context of guests.splice(0)) await context.close();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await media?.remove();
  await cache?.remove();
});

const takeHomePicture = (page, name) => takePictures(page, `home-${name}`);

const info = async (key) => (await fetch(`${server.origin}/api/sessions/${key}`)).json();

test('the library shows posters, titles and lengths, also those that are made only now', async () => {
  const { page } = ann;
  await page.goto(server.origin);
  const shown = () => page.$$eval('.poster', (posters) => posters.map((poster) => [
    poster.querySelector('.poster-title').textContent, poster.querySelector('.poster-length').textContent,
    !poster.querySelector('.poster-picture').hidden]));
  const expected = [['A Film', '1:15', true], ['Short', '0:05', true], ['Unreadable', '', false]];
  let last;
  await until(async () => JSON.stringify((last = await shown())) === JSON.stringify(expected), () => JSON.stringify(last), POSTERS_MS);
});

test('one click on a poster begins a session with that video', async () => {
  const { page } = ann;
  await page.getByRole('button', { name: /^Create a session with Short/ }).click();
  const { key, link } = await madeSession(page);
  assert.equal((await info(key)).video.id, 'short');
  assert.equal(link, `${server.origin}/player.html?session=${key}`);
  assert.equal(page.url(), link);
  await hasRole(page, 'You are the host');
  assert.ok(await page.evaluate(() => document.activeElement.closest('#share-dialog') !== null), 'the keyboard is where the eye is');
  await assertAccessible(page, 'made');
  await takeHomePicture(page, 'made');
});

test('clicks that follow make no second session, and who comes back to the page may make one', async () => {
  const { page } = await meet();
  let made = 0;
  page.on('request', (request) => (made += request.method() === 'POST' ? 1 : 0));
  await page.goto(server.origin);
  await page.waitForSelector('.poster');
  await page.evaluate(() => document.querySelectorAll('#create, .poster').forEach((button) => button.click()));
  await madeSession(page);
  await page.goBack();
  await page.waitForSelector('.recent-row');
  assert.deepEqual([made, await page.locator('.recent-row').count()], [1, 1]);
  await page.click('#create:enabled:not([aria-disabled])');
  await madeSession(page);
  assert.equal(made, 2);
});

test('who has made a session is in its room under their name, and meets the gate as everybody does when they reload', async () => {
  const { page } = await meet();
  await page.goto(server.origin);
  await page.fill('#name', 'x'.repeat(60));
  await page.click('#create:enabled');
  await page.waitForSelector('#name[aria-invalid]:focus');
  await page.fill('#name', 'Dora');
  await page.click('#create');
  await madeSession(page);
  await page.waitForSelector('#people:has-text("Dora")');
  await page.reload();
  await page.click('#gate-join:enabled');
  await hasRole(page, 'You are the host');
  assert.ok(!(await page.isVisible('#share-dialog')), 'once');
});

test('the link is copied, and drawn for phones', async () => {
  const { page } = ann;
  await page.click('#copy-link');
  await page.waitForSelector('#copy-link:has-text("Copied")');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
  const code = page.getByRole('img', { name: 'QR code of the link' });
  const box = await code.boundingBox();
  assert.ok(box.width > 150 && Math.abs(box.width - box.height) < 1, JSON.stringify(box));
  assert.ok((await code.locator('path').getAttribute('d')).length > 1_000);
});

test('the room tells its code, large enough to be read out, and copies it', async () => {
  const { page } = ann;
  const code = await page.inputValue('#share-code');
  assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  const ben = await meet({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, permissions: ['clipboard-read', 'clipboard-write'] });
  await join(ben.page, page.url(), 'Ben');
  await ben.page.tap('#share');
  await ben.page.waitForSelector('#share-dialog[open]');
  await until(async () => (await ben.page.inputValue('#share-code')) === code, 'the code of the session');
  const look = await ben.page.$eval('#share-code', (field) => ({
    sizePx: parseFloat(getComputedStyle(field).fontSize), isWhole: field.scrollWidth <= field.clientWidth }));
  assert.ok(look.sizePx >= 24 && look.isWhole, JSON.stringify(look));
  await assertAccessible(ben.page, 'sharing');
  for (const [button, field] of [['#copy-code', '#share-code'], ['#copy-link', '#share-link']]) {
    await ben.page.tap(button);
    await ben.page.waitForSelector(`${button}:has-text("Copied")`);
    assert.equal(await ben.page.evaluate(() => navigator.clipboard.readText()), await ben.page.inputValue(field));
  }
  assert.equal(await ben.page.inputValue('#share-link'), page.url());
  await takeHomePicture(ben.page, 'sharing');
  await ben.page.getByRole('button', { name: 'Close' }).tap();
});

test('the join field takes a code however it is written, and a link with one', async () => {
  const code = await ann.page.inputValue('#share-code');
  const { page } = await meet();
  const into = ann.page.url();
  for (const written of [code, ` ${code.replace('-', ' ').toLowerCase()} `, `${server.origin}/r/${code}`]) {
    await page.goto(server.origin);
    await page.fill('#join-key', written);
    await page.click('#join:enabled');
    await page.waitForURL(into);
  }
  await page.goto(`${server.origin}/r/${code.toLowerCase()}`);
  assert.equal(page.url(), into);
});

test('a code that nobody has is told in words, typed or followed, in either language', async () => {
  for (const [locale, words, none] of [['en-GB', 'no session with this code', 'no code in it'], ['de-DE', 'keine Sitzung', 'kein Code']]) {
    const person = await meet({ locale });
    const { page } = person;
    await page.goto(server.origin);
    await page.fill('#join-key', 'zzzz zzzo');
    await page.click('#join:enabled');
    await page.waitForSelector(`#join-message.error:has-text("${words}")`);
    assert.equal((await page.goto(`${server.origin}/r/zzzzzzz0`)).status(), 404);
    await page.waitForSelector(`#join-message.error:has-text("${words}")`);
    assert.equal(await page.inputValue('#join-key'), 'ZZZZ-ZZZ0', 'to be put right');
    await page.waitForSelector('.poster');
    assert.equal((await page.goto(`${server.origin}/r/film`)).status(), 404);
    await page.waitForSelector(`#join-message.error:has-text("${none}")`);
    assert.match(person.faults.splice(0).join('\n'), /404/);
  }
});

test('where there is a share sheet, it is offered and gets the link', async () => {
  const { page } = await meet();
  await page.addInitScript(() => {
    navigator.canShare = () => true;
    navigator.share = async (data) => (window.testShared = data);
  });
  await page.goto(server.origin);
  await page.click('#create:enabled');
  const { link } = await madeSession(page);
  await page.click('#send-link');
  assert.equal((await page.evaluate(() => window.testShared)).url, link);
});

test('the last sessions are there to go back to, until they end or are forgotten', async () => {
  const { page } = ann;
  const { key: first } = await madeSession(page);
  await page.goto(server.origin);
  await page.click('#create:enabled');
  const { key: second } = await madeSession(page);
  await page.goto('about:blank');
  await until(async () => (await info(second)).members === 0, 'she is seen to have left');
  await page.goto(server.origin);
  await page.waitForSelector('.recent-row >> nth=1');
  const links = await page.$$eval('.recent-link', (all) => all.map(({ href }) => href));
  assert.deepEqual(links.map((link) => new URL(link).searchParams.get('session')), [second, first]);
  assert.match(await page.textContent('.recent-facts >> nth=0'), /Yours · Nobody is here yet/);
  await assertAccessible(page, 'home with sessions');

  const { token } = JSON.parse(await page.evaluate((item) => localStorage.getItem(item), `videosync.host.${second}`));
  await fetch(`${server.origin}/api/sessions/${second}`, { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } });
  await page.reload();
  await page.waitForSelector('.recent-row');
  assert.equal(await page.locator('.recent-row').count(), 1, 'the ended one is gone');
  await page.click('.forget');
  await page.waitForSelector('#recent', { state: 'hidden' });
  const kept = await page.evaluate(() => Object.keys(localStorage));
  assert.deepEqual(kept.filter((item) => item.includes(first) || item === 'videosync.sessions'), []);
});

test('the name is asked once, and a session that was joined is remembered', async () => {
  const { page } = await meet();
  await page.goto(server.origin);
  assert.ok(await page.isVisible('#name'));
  await page.click('#create:enabled');
  await join(page, (await madeSession(page)).link, 'Ben');
  await page.goto(server.origin);
  await page.waitForSelector('.recent-row');
  assert.ok(!(await page.isVisible('#name')));
  assert.equal(await page.textContent('#name-words'), 'Joining as Ben');
  await page.click('#name-change');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'name');
  await page.click('#forget-all');
  await page.waitForSelector('#recent', { state: 'hidden' });
});

test('the language is the browser\'s, or the chosen one from then on', async () => {
  const { page } = await meet({ locale: 'de-AT' });
  await page.goto(server.origin);
  await page.waitForSelector('#create:has-text("Sitzung anlegen")');
  assert.equal(await page.getAttribute('html', 'lang'), 'de');
  assert.match(await page.title(), /gemeinsam/);
  await page.selectOption('#language', 'en');
  await page.waitForSelector('#create:has-text("Create session")');
  await page.goto(`${server.origin}/player.html`);
  await page.waitForSelector('#gate-words:has-text("This link holds no session key")');
  await page.goto(`${server.origin}/?lang=de`);
  await page.waitForSelector('html[lang=de]');
  await page.goto(`${server.origin}/player.html`);
  await page.waitForSelector('#gate-words:has-text("keinen Schlüssel")');
});

test('on the smallest phone nothing is cut off, and every target can be hit', async () => {
  const { page } = await meet({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
  await page.goto(server.origin);
  await page.waitForSelector('.poster');
  await assertTargets(page, 'home', { min: 8 });
  await page.tap('.poster >> nth=0');
  await madeSession(page);
  await page.waitForSelector('#share-qr svg');
  assert.ok(await page.$eval('#share-dialog', (dialog) => dialog.scrollWidth <= dialog.clientWidth), 'the ways in fit');
});

test('the keyboard reaches a poster and begins a session with it', async () => {
  const { page } = await meet();
  await page.goto(server.origin);
  await page.waitForSelector('.poster');
  await page.focus('#join');
  await page.keyboard.press('Tab');
  const focus = await page.evaluate(() => {
    const style = getComputedStyle(document.activeElement);
    return [document.activeElement.className, style.outlineStyle, Number.parseFloat(style.outlineWidth) >= 2];
  });
  assert.deepEqual(focus, ['poster', 'solid', true]);
  await page.keyboard.press('Enter');
  assert.equal((await info((await madeSession(page)).key)).video.id, 'a-film');
});

// A place is remembered after a minute of a film: tests/www/left_off.test.mjs sees to that.
test('a film goes on where this browser had stopped, until it is forgotten', async () => {
  const { page } = await meet();
  await page.goto(server.origin);
  await page.evaluate(() => localStorage.setItem('videosync.places',
    JSON.stringify([{ id: 'a-film', title: 'A Film', positionS: 62, durationS: 75 }, { id: 'gone', title: 'Gone', positionS: 100, durationS: 900 }])));
  await page.reload();
  await page.waitForSelector('#go-on .recent-row:has-text("A Film"):has-text("at 1:02 of 1:15")');
  await assertAccessible(page, 'films to go on with');
  await takeHomePicture(page, 'go-on');
  await page.getByRole('button', { name: 'Forget where you stopped: Gone' }).click();
  assert.equal(await page.locator('#go-on .recent-row').count(), 1);
  await page.click('#go-on .go-on-open');
  assert.equal((await info((await madeSession(page)).key)).video.id, 'a-film');
  await closeSharing(page);
  await page.click('#go-on:has-text("Go on at 1:02")');
  await until(() => page.evaluate(() => Math.abs(document.querySelector('video').currentTime - 62) < 1), 'it is there');
  await page.waitForSelector('#go-on', { state: 'hidden' });
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing serious on any page, ${colorScheme}`, async () => {
    const { page } = await meet({ colorScheme });
    await page.goto(server.origin);
    await page.waitForSelector('.poster-picture:not([hidden])');
    await assertAccessible(page, `home, ${colorScheme}`);
    await page.click('#create:enabled');
    const { link } = await madeSession(page);
    await page.goto(link);
    await page.waitForSelector('#gate-join:enabled');
    await assertAccessible(page, `gate, ${colorScheme}`);
    await join(page, link, 'Ann');
    await until(async () => (await page.textContent('#status-text')) === 'Ready to start', 'the player is ready');
    await assertAccessible(page, `player, ${colorScheme}`);
  });
}

test('no page had an error on its console or broke the security policy', () => {
  for (const faults of allFaults) assert.deepEqual(faults, []);
});
