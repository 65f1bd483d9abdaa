// The player in a viewer's hand: what is easily lost on small screens, in long lists and at the
// keyboard, in real Chromium on a real server; and that axe finds nothing serious anywhere.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import WebSocket from 'ws';
import { assertAccessible, assertTargets } from '../support/accessibility.mjs';
import { clockOf, join, launchBrowser, measure, openPerson, showControls, until } from '../support/browser.mjs';
import { makeMedia, makePoster } from '../support/media.mjs';
import { cardOf, chooseVideo, madeSession, openPicker, rowOf, takePicture } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const step = story('the player in a viewer\'s hand');
const GUESTS = 30;
let media;
let server;
let browser;
let ann; // the host, at a desk
let ben; // on a phone
let link;
let key;
const guests = [];

before(async () => {
  media = await makeMedia([{ name: 'trailer', seconds: 60 }]);
  await writeFile(path.join(media.directory, 'a-letter.mp4'), 'this is not a video');
  await makePoster(path.join(media.directory, 'trailer.jpg'));
  await writeFile(path.join(media.directory, 'trailer.en.vtt'), 'WEBVTT\n\n00:00.000 --> 00:59.000\nHello\n');
  server = await startServer({
    args: ['--media', media.directory, '--session-rate', '0', '--video', 'trailer'],
  });
  await untilFilmsAreKnown(server, { unreadable: ['a-letter'] });
  browser = await launchBrowser();
  ann = await openPerson(browser, { viewport: { width: 1280, height: 800 } });
  ben = await openPerson(browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
});

after(async () => {
  for (const guest of guests) guest.terminate();
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

const hasStatus = (page, words) =>
  until(async () => (await page.textContent('#status-text')).includes(words), `status "${words}"`);
const focusedId = (page) => page.evaluate(() => document.activeElement.id);
const forgetFocus = (page) => page.evaluate(() => document.activeElement.blur());
const belowNewest = (page) =>
  page.$eval('#messages', (list) => list.scrollHeight - list.scrollTop - list.clientHeight);

async function showPanels(page) {
  await page.mouse.move(300, 300); // the bar is there
  await page.click('#panels');
}

async function say(page, text) {
  await page.fill('#chat-text', text);
  await page.press('#chat-text', 'Enter');
}

step('the start page offers the default video first', async () => {
  await ann.page.goto(server.origin);
  await ann.page.waitForSelector('.poster');
  assert.deepEqual(await ann.page.locator('.poster-title').allTextContents(), ['trailer', 'a letter']);
  assert.match(await ann.page.textContent('#create-with'), /^Begins with trailer\./);
  await assertAccessible(ann.page);
});

step('host and participant meet nothing that shuts anybody out', async () => {
  await ann.page.click('#create');
  ({ link, key } = await madeSession(ann.page));
  await ben.page.goto(link);
  await ben.page.waitForSelector('#gate-join:enabled');
  await ben.page.waitForSelector('#gate-poster:not([hidden])');
  await assertAccessible(ben.page);
  await join(ann.page, link, 'Ann');
  await hasStatus(ann.page, 'Ready to start');
  await join(ben.page, link, 'Ben');
  await hasStatus(ben.page, 'Ready to start');
  await assertAccessible(ann.page);
  await assertAccessible(ben.page);
});

step('a finger hits every button of the player on a phone, the host\'s as well', async () => {
  await showControls(ben.page);
  await assertTargets(ben.page, 'participant', { min: 15 });
  await ann.page.setViewportSize({ width: 390, height: 844 });
  await ann.page.click('#host-tools > summary');
  await rowOf(ann.page, 'Ben').locator('summary').click();
  await assertTargets(ann.page, 'host', { min: 20 });
  await ann.page.keyboard.press('Escape');
  await openPicker(ann.page);
  await assertTargets(ann.page, 'picker', { min: 20 });
  const dialog = await ann.page.locator('#picker').boundingBox();
  const card = await cardOf(ann.page, 'a letter').boundingBox();
  assert.ok(card.x >= dialog.x && card.x + card.width <= dialog.x + dialog.width && dialog.x + dialog.width <= 390, JSON.stringify({ dialog, card }));
  await ann.page.keyboard.press('Escape');
  await ann.page.click('#host-tools > summary');
  await ann.page.setViewportSize({ width: 1280, height: 800 });
});

step('in a long list, a menu opens beside its button and moves nothing else', async () => {
  for (let i = 0; i < GUESTS; i++) {
    guests.push(new WebSocket(`${server.wsOrigin}/ws?session=${key}&name=Guest${i}`));
  }
  const people = ann.page.locator('.person');
  await until(async () => (await people.count()) === GUESTS + 2, 'everybody is listed');
  const scrolled = () => ann.page.$eval('#people', ({ scrollTop }) => scrollTop);
  await people.last().scrollIntoViewIfNeeded();
  const before = await scrolled();
  assert.ok(before > 0);
  await people.last().locator('summary').click();
  const button = await people.last().locator('summary').boundingBox();
  await until(async () => {
    const menu = await people.last().locator('.menu-items').boundingBox();
    return Math.abs(menu.y - button.y - button.height) < 3;
  }, 'the menu is below its button');
  assert.equal(await scrolled(), before);
  await ann.page.keyboard.press('Escape');
  assert.equal(await ann.page.locator('.menu[open]').count(), 0);
});

step('the chat stays at its newest line when another panel takes its room', async () => {
  for (let i = 0; i < 25; i++) guests[i].send(JSON.stringify({ type: 'chat', text: `line ${i}` })); // one each: nobody in haste
  await until(async () => (await ann.page.locator('.said-text').count()) === 25, 'all lines');
  await ann.page.click('#host-tools summary');
  await until(async () => (await belowNewest(ann.page)) < 2, 'the newest line is in sight');
  // The page has heard of it before this does, which listens later.
  await ann.page.$eval('#messages', (list) => new Promise((done) => {
    list.addEventListener('scroll', done, { once: true });
    list.scrollTop = 0;
  }));
  await say(ben.page, 'one more');
  await ann.page.waitForSelector('.said-text:text-is("one more")', { state: 'attached' });
  assert.ok((await belowNewest(ann.page)) > 100, 'who reads further up is left there');
  await ann.page.click('#unread');
  await until(async () => (await belowNewest(ann.page)) < 2, 'and comes back by a press');
});

step('a key held down switches playback once', async () => {
  await forgetFocus(ann.page);
  await ann.page.evaluate(() => {
    const socket = testSockets.at(-1);
    window.testCommands = [];
    socket.send = function (text) {
      const { type } = JSON.parse(text);
      if (type === 'play' || type === 'pause') testCommands.push(type);
      return Object.getPrototypeOf(this).send.call(this, text);
    };
  });
  await ann.page.keyboard.down('k');
  await until(async () => (await measure(ben.page)).position > 0.5, 'it plays');
  for (let i = 0; i < 3; i++) await ann.page.keyboard.down('k'); // as a key that is held repeats itself
  await ann.page.keyboard.up('k');
  assert.deepEqual(await ann.page.evaluate('testCommands'), ['play'], 'a press commands before it is over');
});

step('the scrubber taken back to where it was goes on showing the position', async () => {
  await ann.page.keyboard.press('k');
  await hasStatus(ann.page, 'Paused by you');
  const box = await ann.page.locator('#scrubber').boundingBox();
  const at = await ann.page.$eval('#scrubber', ({ range }) => range.valueAsNumber);
  const x = box.x + 8 + (box.width - 16) * at;
  const y = box.y + box.height / 2;
  await ann.page.mouse.move(x, y);
  await ann.page.mouse.down();
  await ann.page.mouse.move(x + 100, y, { steps: 3 });
  await ann.page.mouse.move(x, y, { steps: 3 });
  await ann.page.mouse.up();
  await forgetFocus(ann.page);
  await ann.page.keyboard.press('k');
  const before = await clockOf(ann.page);
  await until(async () => (await clockOf(ann.page)) !== before, 'the clock goes on', 4_000);
});

step('arrow keys on the scrubber go five seconds', async () => {
  const { position } = await measure(ben.page);
  await ann.page.focus('#scrubber');
  await ann.page.keyboard.press('ArrowRight');
  await until(async () => (await measure(ben.page)).position > position + 5, 'Ben follows', 3_000);
});

step('in full screen, messages are seen', async () => {
  await forgetFocus(ann.page);
  await ann.page.keyboard.press('f');
  await until(() => ann.page.evaluate(() => document.fullscreenElement !== null), 'full screen');
  // The page is told so with the next frame.
  await until(async () => !(await ann.page.locator('#messages').isVisible()), 'the picture is alone');
  await say(ben.page, 'Look at that');
  await ann.page.waitForSelector('#panels.unread');
  await ann.page.locator('#overheard p', { hasText: 'Ben Look at that' }).waitFor();
  await takePicture(ann.page, 'overheard');
  await showPanels(ann.page);
  await ann.page.waitForSelector('#overheard', { state: 'hidden' });
  await ann.page.waitForSelector('.said-text:text-is("Look at that")');
  const { x, y, width, height } = await ann.page.locator('.said-text', { hasText: 'Look at that' }).boundingBox();
  const screen = await ann.page.evaluate(() => ({ width: innerWidth, height: innerHeight }));
  assert.ok(x >= 0 && y >= 0 && x + width <= screen.width && y + height <= screen.height, 'it is on the screen');
  assert.equal(await ann.page.locator('#panels').evaluate((button) => button.matches('.unread')), false, 'and read');
  await forgetFocus(ann.page);
  await ann.page.keyboard.press('f');
  await until(() => ann.page.evaluate(() => document.fullscreenElement === null), 'no full screen');
});

step('a viewer who muted stays muted', async () => {
  await showControls(ben.page);
  await ben.page.tap('#mute');
  await ben.page.evaluate(() => testSockets.at(-1).close(3000));
  await ben.page.waitForSelector('.toast:has-text("Connected again")');
  await ann.page.keyboard.press('k');
  await hasStatus(ben.page, 'Paused by Ann');
  await hasStatus(ann.page, 'Paused by you'); // or the next key would ask for a pause again
  await ann.page.keyboard.press('k');
  await until(async () => !(await measure(ben.page)).paused, 'Ben plays');
  assert.equal((await measure(ben.page)).muted, true);
});

step('a phone on its side can still share the link', async () => {
  await ben.page.setViewportSize({ width: 844, height: 390 });
  await showControls(ben.page);
  await ben.page.tap('#panels');
  assert.ok(await ben.page.locator('#share').isVisible());
  assert.equal(await ben.page.evaluate(() => document.documentElement.scrollWidth), 844);
});

step('a file that is no video is told, and another can be chosen', async () => {
  await chooseVideo(ann.page, 'a letter');
  for (const { page } of [ann, ben]) await hasStatus(page, 'cannot be played');
  await chooseVideo(ann.page, 'trailer');
  for (const { page } of [ann, ben]) await hasStatus(page, 'Ready to start');
});

step('what is told for a moment lies beside the picture of a phone', async () => {
  await ben.page.setViewportSize({ width: 390, height: 844 });
  for (let i = 0; i < 2; i++) await ben.page.tap('#play', { force: true });
  await ben.page.waitForSelector('.toast:has-text("Only the host")');
  assert.equal(await ben.page.locator('.toast:has-text("Only the host")').count(), 1, 'told once');
  const stage = await ben.page.locator('#stage').boundingBox();
  const toast = await ben.page.locator('.toast').last().boundingBox();
  const form = await ben.page.locator('#chat-form').boundingBox();
  assert.ok(toast.y >= stage.y + stage.height && toast.y + toast.height <= form.y, JSON.stringify({ stage, toast, form }));
});

step('when the session is over, that is what there is to see and to do', async () => {
  await ben.page.focus('#chat-text');
  await ben.page.tap('#play', { force: true });
  await ann.page.click('#end');
  await ann.page.click('#confirm-yes');
  for (const { page } of [ann, ben]) {
    await page.waitForSelector('#big-words:text-is("The session has ended")');
    for (const id of ['host-tools', 'people-panel', 'share', 'viewer-count', 'chat-form']) {
      assert.equal(await page.locator(`#${id}`).isVisible(), false, id);
    }
    assert.equal(await page.locator('.toast').count(), 0);
    assert.equal(await focusedId(page), 'big-words');
    await page.keyboard.press('Tab');
    assert.equal(await focusedId(page), 'big-action');
    await assertAccessible(page, 'ended');
  }
  for (const { faults } of [ann, ben]) assert.deepEqual(faults, []);
});
