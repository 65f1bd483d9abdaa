// The controls on the picture, by mouse and by keyboard: what the host does with them everybody
// follows; whoever may not is told why; captions, theatre, full screen and help are everybody's own.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { join, measure, until } from '../support/browser.mjs';
import { openCinema } from '../support/cinema.mjs';
import { hasRole } from '../support/player_page.mjs';
import { story } from '../support/story.mjs';

const step = story('the controls on the picture');
const SECONDS = 60;
const COMES_TO_REST_MS = 200; // a position that is sought (latest_sender.js)
const SHARED = ['play', 'back', 'forward', 'rate', 'scrubber'];
let cinema;
let ann; // the host
let ben;
let link;

async function addCaptions(directory) {
  for (const language of ['en', 'de']) {
    await writeFile(path.join(directory, `trailer.${language}.vtt`), `WEBVTT\n\n00:00.000 --> 00:59.000\n${language}\n`);
  }
}

before(async () => {
  cinema = await openCinema({ films: [{ name: 'trailer', seconds: SECONDS }], furnish: addCaptions });
  ({ link, people: [ann, ben] } = await cinema.seat(['Ann', 'Ben'], { viewport: { width: 1280, height: 800 } }));
  await hasRole(ben.page, 'Ann controls');
});

after(() => cinema?.close());

const plays = (page) => until(async () => !(await measure(page)).paused, 'it plays');
const rests = (page) => until(async () => (await measure(page)).paused, 'it rests');
const isAt = (page, seconds) =>
  until(async () => Math.abs((await measure(page)).position - seconds) < 1, `it is at ${seconds} s`);
const rateOf = (page) => page.$eval('#video', (video) => video.playbackRate);
const forgetFocus = (page) => page.evaluate(() => document.activeElement.blur());
const focusedId = (page) => page.evaluate(() => document.activeElement.id);
const isShown = (page, selector) => page.locator(selector).isVisible();

async function pointOnScrubber(page, share) {
  const { x, y, width, height } = await page.locator('#scrubber input').boundingBox();
  return [x + width * share, y + height / 2];
}

step('by mouse: play and pause', async () => {
  await ann.page.click('#play');
  await plays(ben.page);
  await ann.page.click('#play');
  await rests(ben.page);
  await ann.page.click('#big-play');
  await plays(ben.page);
});

step('by mouse: a drag on the seek bar sends where it ended, and nothing before', async () => {
  await ann.page.evaluate(() => {
    const socket = testSockets.at(-1);
    const send = socket.send.bind(socket);
    window.testSeeks = [];
    socket.send = (text) => {
      const message = JSON.parse(text);
      if (message.type === 'seek') testSeeks.push(message.position);
      send(text);
    };
  });
  await ann.page.mouse.move(...(await pointOnScrubber(ann.page, 0.2)));
  await ann.page.mouse.down();
  for (const share of [0.3, 0.4, 0.6]) {
    await ann.page.mouse.move(...(await pointOnScrubber(ann.page, share)), { steps: 3 });
    // A timer of the page's that was set by the move, if there was one, has run before this one.
    await ann.page.evaluate((ms) => new Promise((done) => setTimeout(done, ms)), COMES_TO_REST_MS);
  }
  assert.deepEqual(await ann.page.evaluate('testSeeks'), []);
  await ann.page.mouse.move(...(await pointOnScrubber(ann.page, 0.5)), { steps: 3 });
  await ann.page.mouse.up();
  await until(async () => (await measure(ben.page)).position > 0.48 * SECONDS, 'Ben follows');
  const seeks = await ann.page.evaluate('testSeeks');
  assert.equal(seeks.length, 1);
  assert.ok(Math.abs(seeks[0] - SECONDS / 2) < 1, `${seeks[0]}`);
});

step('by mouse: the speed, chosen from its menu, is everybody\'s', async () => {
  await ann.page.click('#rate');
  await ann.page.click('media-playback-rate-menu [value="1.5"]');
  await until(async () => Math.abs((await rateOf(ben.page)) - 1.5) < 0.1, 'Ben is as fast');
  assert.match(await ben.page.getAttribute('#rate', 'aria-label'), /1\.5/);
  await until(async () => !(await isShown(ann.page, 'media-playback-rate-menu')), 'the menu closes');
});

step('by mouse: the menu of speeds stays when somebody else chooses one, and shows it', async () => {
  const { page } = ann;
  await page.click('#rate');
  const item = (rate) => page.locator(`media-playback-rate-menu [value="${rate}"]`);
  const focus = () => page.evaluate(() => document.activeElement.localName);
  await until(async () => (await focus()) === 'media-playback-rate-menu', 'the menu has the focus');
  await page.evaluate(() => (window.testItems = document.querySelector('media-playback-rate-menu').items));
  const chooseElsewhere = (rate) => page.evaluate((text) => testSockets.at(-1).send(text), `{"type":"rate","rate":${rate}}`);
  await chooseElsewhere(1.25);
  await until(async () => /1\.25/.test(await page.getAttribute('#rate', 'aria-label')), 'the button has it');
  assert.equal(await item(1.25).getAttribute('aria-checked'), 'true');
  assert.ok(await page.evaluate('testItems.every(({ isConnected }) => isConnected)'), 'not made anew');
  await item(1.5).click();
  await until(async () => Math.abs((await rateOf(ben.page)) - 1.5) < 0.1, 'Ben is as fast as she chose');
  await chooseElsewhere(1.125);
  await until(async () => (await item(1.13).getAttribute('aria-checked')) === 'true', 'a speed of its own has an item');
  assert.equal(await item(1.5).getAttribute('aria-checked'), 'false');
});

step('by keyboard: buttons, menu, seek bar and shortcuts', async () => {
  await ann.page.focus('#rate');
  await ann.page.keyboard.press('Enter');
  await until(() => isShown(ann.page, 'media-playback-rate-menu'), 'the menu opens');
  await until(() => focusedId(ann.page).then((id) => id !== 'rate'), 'the menu has the focus');
  await ann.page.keyboard.press('Home');
  for (let i = 0; i < 2; i++) await ann.page.keyboard.press('ArrowDown');
  await ann.page.keyboard.press('Enter');
  await until(async () => Math.abs((await rateOf(ben.page)) - 1) < 0.1, 'Ben is at the common speed');
  await ann.page.focus('#play');
  await ann.page.keyboard.press('Enter');
  await rests(ben.page);
  for (const [key, seconds] of [['2', 12], ['l', 22], ['j', 12], ['ArrowRight', 17], ['Home', 0], ['ArrowRight', 5]]) {
    await ann.page.focus('#scrubber input');
    await ann.page.keyboard.press(key);
    await isAt(ben.page, seconds);
  }
  await forgetFocus(ann.page);
  await ann.page.keyboard.press('k');
  await plays(ben.page);
});

step('the controls show the showing, not what the player does for a moment', async () => {
  const wasShown = await ben.page.evaluate(async () => {
    const [video, player] = ['#video', '#player'].map((selector) => document.querySelector(selector));
    let isShown = false;
    const watch = new MutationObserver(() => (isShown ||= player.hasAttribute('mediapaused')));
    watch.observe(player, { attributeFilter: ['mediapaused'] });
    const told = new Promise((done) => video.addEventListener('pause', done, { once: true }));
    video.pause();
    await told; // it may play again by now
    await new Promise((done) => setTimeout(done));
    return isShown;
  });
  assert.equal(wasShown, false);
  await plays(ben.page);
});

step('a participant\'s controls are disabled, and say why, whatever is tried', async () => {
  const { page } = ben;
  for (const id of SHARED) {
    assert.equal(await page.getAttribute(`#${id}`, 'aria-disabled'), 'true', id);
    assert.match(await page.getAttribute(`#${id}`, 'aria-description'), /Only the host.*Ann/, id);
  }
  const refused = async (act) => {
    await act();
    await page.waitForSelector('.toast:has-text("Only the host")');
    await page.evaluate(() => document.querySelectorAll('.toast').forEach((toast) => toast.remove()));
  };
  await page.mouse.move(400, 300);
  await refused(() => page.click('#play', { force: true })); // disabled for others than mice, too
  await refused(async () => page.mouse.click(...(await pointOnScrubber(page, 0.9))));
  await refused(() => page.focus('#rate').then(() => page.keyboard.press('Enter')));
  assert.equal(await isShown(page, 'media-playback-rate-menu'), false);
  assert.ok((await measure(page)).position < 30);
  assert.equal((await measure(page)).paused, false);
});

step('with control for everyone they are enabled, and obeyed', async () => {
  await ann.page.click('#host-tools summary');
  await ann.page.check('#set-everyone');
  await until(async () => (await ben.page.getAttribute('#play', 'aria-disabled')) === null, 'Ben may');
  await ben.page.click('#play');
  await rests(ann.page);
  await ann.page.uncheck('#set-everyone');
});

step('captions: chosen from the menu, switched by key, remembered', async () => {
  const shown = () => ben.page.$eval('#video', ({ textTracks }) =>
    [...textTracks].filter(({ mode }) => mode === 'showing').map(({ language }) => language));
  await ben.page.click('#captions');
  await ben.page.locator('media-captions-menu [role=menuitemradio]', { hasText: 'German' }).click();
  assert.deepEqual(await shown(), ['de']);
  await forgetFocus(ben.page);
  await ben.page.keyboard.press('c');
  assert.deepEqual(await shown(), []);
  await ben.page.keyboard.press('c');
  assert.deepEqual(await shown(), ['de']);
  await join(ben.page, link, 'Ben');
  await until(async () => (await shown())[0] === 'de', 'German again');
});

step('theatre and full screen: the picture alone, the panels when asked for', async () => {
  const { page } = ann;
  await forgetFocus(page);
  await page.keyboard.press('t');
  assert.equal(await isShown(page, '#side'), false);
  assert.equal((await page.locator('#stage').boundingBox()).width, 1280);
  await page.keyboard.press('t');
  assert.equal(await isShown(page, '#side'), true);
  await page.keyboard.press('f');
  await until(() => page.evaluate(() => document.fullscreenElement?.id === 'app'), 'full screen');
  // The page hears of it with the next frame.
  await until(async () => !(await isShown(page, '#side')), 'the panels have gone');
  assert.ok(await isShown(page, '#status-text'));
  await page.click('#panels');
  await page.fill('#chat-text', 'from the full screen');
  await page.press('#chat-text', 'Enter');
  await page.waitForSelector('.said-text:text-is("from the full screen")');
  await forgetFocus(page);
  await page.keyboard.press('f');
  await until(() => page.evaluate(() => document.fullscreenElement === null), 'no full screen');
});

step('the help keeps the focus until it is closed, and gives it back', async () => {
  const { page } = ann;
  await page.focus('#mute');
  await page.keyboard.press('?');
  await until(() => isShown(page, '#help-dialog'), 'the help');
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => document.querySelector('#app').contains(document.activeElement) === false));
  }
  await page.keyboard.press('Escape');
  assert.equal(await isShown(page, '#help-dialog'), false);
  assert.equal(await focusedId(page), 'mute');
});

step('the picture in a picture, in a narrow window too: by its button, and by its key', async () => {
  const { page } = ann;
  const before = page.viewportSize();
  const isOut = (wanted) => until(() => page.evaluate((is) => (document.pictureInPictureElement !== null) === is, wanted), `out: ${wanted}`);
  await page.setViewportSize({ width: 520, height: 760 });
  await page.click('#pip');
  await isOut(true);
  await forgetFocus(page);
  await page.keyboard.press('p');
  await isOut(false);
  await page.keyboard.press('p');
  await isOut(true);
  await page.keyboard.press('p');
  await isOut(false);
  await page.setViewportSize(before);
});

step('no page had an error on its console or broke the security policy', () => cinema.assertFaultless());
