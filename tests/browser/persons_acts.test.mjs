// What the browser does by itself is not taken for what a person wants, in real Chromium on a real
// server: a film that is cut short, one that its decoder gives up, a menu that is told what to show, a
// list that is looked through, a click that is one of two. Ann is host; an observer counts the states.
import assert from 'node:assert/strict';
import { copyFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startBreakableProxy } from '../support/breakable_proxy.mjs';
import { join, launchBrowser, measure, openPerson, until } from '../support/browser.mjs';
import { cutShort, makeMedia } from '../support/media.mjs';
import { createSession, join as joinAsMember } from '../support/member.mjs';
import { chooseVideo, hasRole, hasStatus, lists, takePicture, tell } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const SECONDS = 30;
const CUT_S = 12;
let media;
let server;
let proxy;
let browser;
let ann; // the host
let ben; // behind a proxy
let observer;

before(async () => {
  media = await makeMedia(['film', 'other', 'short', 'torn'].map((name) => ({ name, seconds: SECONDS })));
  await cutShort(file('short'), CUT_S);
  await cutShort(file('torn'), CUT_S, { inPicture: true });
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--video', 'film', '--workers', '1'] });
  await untilFilmsAreKnown(server);
  proxy = await startBreakableProxy(server.origin);
  browser = await launchBrowser();
  const size = { viewport: { width: 1280, height: 800 } };
  [ann, ben] = await Promise.all([openPerson(browser, size), openPerson(browser, size)]);
  const { key } = await createSession(server);
  await join(ann.page, `${server.origin}/player.html?session=${key}`, 'Ann');
  await hasRole(ann.page, 'You are the host.');
  await join(ben.page, `${proxy.origin}/player.html?session=${key}`, 'Ben');
  observer = await joinAsMember(server, key, { name: 'Observer' });
});

after(async () => {
  observer?.close();
  await browser?.close();
  await proxy?.stop();
  await server?.stop();
  await media?.remove();
});

const file = (name) => path.join(media.directory, `${name}.mp4`);
const causes = () => observer.of('state').map(({ cause, by }) => (by === null ? `${cause} by itself` : cause));
const isAt = (page, seconds) =>
  until(async () => Math.abs((await measure(page)).position - seconds) < 1, `it is at ${seconds} s`);

// What both of them send from now on, but for pings and reports.
async function listen() {
  for (const { page } of [ann, ben]) {
    await page.evaluate(() => {
      const socket = testSockets.at(-1);
      const send = socket.constructor.prototype.send;
      window.testSaid = [];
      socket.send = (text) => {
        const { type } = JSON.parse(text);
        if (type !== 'ping' && type !== 'report') testSaid.push(type);
        return send.call(socket, text);
      };
    });
  }
}

async function said() {
  return Promise.all([ann, ben].map(({ page }) => page.evaluate('testSaid')));
}

// A round trip of both pages and the observer: what was caused before has come.
async function settle() {
  for (const { page } of [ann, ben]) {
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }
  await observer.settled();
}

async function load(name) {
  await tell(ann.page, { type: 'load', video: name });
  await observer.next('state', ({ video, cause }) => video === name && cause === 'load');
  for (const { page } of [ann, ben]) {
    await page.waitForSelector(`#title:text-is("${name}")`);
    await hasStatus(page, 'Ready to start');
  }
  observer.clear();
  await listen();
}

test('a start and a seek just before the end run out, and nobody is taken to the beginning', async () => {
  for (const beforeS of [0.4, 1, 1.5, 2]) {
    await load('other');
    await load('film');
    await tell(ann.page, { type: 'seek', position: SECONDS - beforeS });
    await tell(ann.page, { type: 'play' });
    for (const { page } of [ann, ben]) await hasStatus(page, 'The end');
    await observer.next('state', ({ cause }) => cause === 'ended');
    await settle();
    assert.deepEqual(causes(), ['seek', 'play', 'ended by itself']);
    assert.deepEqual(await said(), [[...'seek play'.split(' ')], []], 'what this test had them say');
  }
});

test('a film that is cut short ends there, which is told, and it plays where there still is some', async () => {
  await load('short');
  await tell(ann.page, { type: 'seek', position: CUT_S - 2 });
  await tell(ann.page, { type: 'play' });
  for (const { page } of [ann, ben]) await hasStatus(page, 'This video cannot be played: it breaks off here');
  await takePicture(ben.page, 'cut-short');
  const { position } = await observer.next('state', ({ cause }) => cause === 'ended');
  assert.ok(Math.abs(position - CUT_S) < 0.5, `it ended at ${position}`);
  await settle();
  assert.deepEqual(causes(), ['seek', 'play', 'ended by itself']);
  await tell(ann.page, { type: 'seek', position: 2 });
  await tell(ann.page, { type: 'play' });
  for (const { page } of [ann, ben]) {
    await hasStatus(page, 'In step');
    assert.ok((await measure(page)).position < CUT_S);
  }
  assert.deepEqual(await said(), [['seek', 'play', 'seek', 'play'], []]);
});

test('trying again goes on with the film where the file has become whole meanwhile', async () => {
  await tell(ann.page, { type: 'seek', position: CUT_S - 1 });
  for (const { page } of [ann, ben]) await hasStatus(page, 'it breaks off here');
  // Ben's page finds out by nothing but the button: what it asks by itself waits for that.
  let press;
  const isPressed = new Promise((resolve) => (press = resolve));
  await ben.page.route('**/api/sessions/*', (route) => isPressed.then(() => route.continue()));
  await replace('short', 'film');
  await ben.page.click('#big-action:has-text("Try again")');
  press();
  await hasStatus(ben.page, 'Paused');
  await tell(ann.page, { type: 'play' });
  // Ann's page finds out by itself.
  for (const { page } of [ann, ben]) {
    await hasStatus(page, 'In step');
    assert.ok((await measure(page)).position > CUT_S);
  }
  assert.deepEqual((await said())[1], []);
});

// The file is another one at once, and the server knows it.
async function replace(name, other) {
  const before = await etagOf(name);
  await copyFile(file(other), `${file(name)}.new`);
  await rename(`${file(name)}.new`, file(name));
  process.kill(server.pid, 'SIGHUP');
  await until(async () => (await etagOf(name)) !== before, 'the server has the new file');
  await until(async () => (await durationOf(name)) === SECONDS, 'it knows how long that is');
}

async function durationOf(name) {
  const { videos } = await (await fetch(`${server.origin}/api/videos`)).json();
  return videos.find(({ id }) => id === name).duration;
}

async function etagOf(name) {
  return (await fetch(`${server.origin}/api/video?id=${name}`, { method: 'HEAD' })).headers.get('etag');
}

test('a decoder that fails is that viewer\'s affair, and can be tried again', async () => {
  await load('torn');
  await tell(ann.page, { type: 'seek', position: CUT_S - 2 });
  await tell(ann.page, { type: 'play' });
  for (const { page } of [ann, ben]) await hasStatus(page, 'it is damaged, or your browser cannot decode it');
  await observer.next('state', ({ cause }) => cause === 'ended');
  await settle();
  assert.deepEqual(causes(), ['seek', 'play', 'ended by itself']);
  assert.deepEqual(await said(), [['seek', 'play'], []]);
  await replace('torn', 'film');
  await tell(ann.page, { type: 'play' });
  await ben.page.click('#big-action:has-text("Try again")');
  await hasStatus(ben.page, 'In step');
  assert.deepEqual((await said())[1], []);
});

test('one change of speed by one member is one command, whoever may give them', async () => {
  for (const control of ['everyone', 'host']) {
    await load('film');
    await tell(ann.page, { type: 'settings', control });
    await tell(ann.page, { type: 'play' });
    for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
    await listen();
    await ann.page.click('#rate');
    await ann.page.click('media-playback-rate-menu [value="1.5"]');
    for (const { page } of [ann, ben]) {
      await until(async () => /1\.5/.test(await page.getAttribute('#rate', 'aria-label')), 'it shows the new speed');
    }
    await settle();
    assert.deepEqual(await said(), [['rate'], []], control);
    assert.equal(await ben.page.locator('.toast').count(), 0, 'nobody is told anything');
    await tell(ann.page, { type: 'rate', rate: 1 });
    await load('other');
  }
});

test('the list of videos is looked through with keys; only its button takes one', async () => {
  await load('film');
  const { page } = ann;
  await page.click('#host-tools > summary');
  await page.focus('#choose');
  await page.keyboard.press('Enter');
  await lists(page, ['film', 'other', 'short', 'torn']);
  for (const key of ['ArrowDown', 'ArrowDown', 'o', 't', 'Enter', 'ArrowDown']) await page.keyboard.press(key);
  await lists(page, ['other']);
  await page.keyboard.press('Tab');
  for (const key of ['ArrowDown', 'ArrowUp', 'k']) await page.keyboard.press(key);
  await settle();
  assert.ok(await page.isVisible('#picker'), 'it stays');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#picker', { state: 'hidden' });
  assert.deepEqual((await said())[0], []);
  await page.keyboard.press('Enter');
  await lists(page, ['film', 'other', 'short', 'torn']);
  for (const key of ['Tab', 'Tab']) await page.keyboard.press(key); // past the one that is on, which can only be added
  await page.keyboard.press('Enter');
  await observer.next('state', ({ video }) => video === 'other');
  await chooseVideo(page, 'film');
  await observer.next('state', ({ video }) => video === 'film');
  assert.deepEqual((await said())[0], ['load', 'load']);
  await page.click('#host-tools > summary');
});

test('a double click on the picture fills the screen and commands nothing; a single one plays and pauses', async () => {
  const { page } = ann;
  const isFull = (wanted) =>
    until(() => page.evaluate((is) => (document.fullscreenElement !== null) === is, wanted), `full screen: ${wanted}`);
  await load('other');
  for (const where of ['#video', '#big-play']) { // the button is a part of the picture
    await page.dblclick(where, where === '#video' ? { position: { x: 300, y: 250 } } : {});
    await isFull(true);
    await page.dblclick('#video', { position: { x: 300, y: 250 } });
    await isFull(false);
  }
  await page.click('#video', { position: { x: 300, y: 250 } });
  for (const one of [ann, ben]) await hasStatus(one.page, 'In step');
  assert.deepEqual((await said())[0], ['play']);
  await page.dblclick('#video', { position: { x: 300, y: 250 } });
  await isFull(true);
  await page.dblclick('#video', { position: { x: 300, y: 250 } });
  await isFull(false);
  await page.click('#video', { position: { x: 300, y: 250 } });
  await hasStatus(ben.page, 'Paused by Ann');
  assert.deepEqual((await said())[0], ['play', 'pause']);
  assert.deepEqual(causes(), ['play', 'pause']);
});

test('the browser\'s own controls command, what moves the element otherwise is undone', async () => {
  await load('film');
  await tell(ann.page, { type: 'play' });
  for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
  await listen();
  observer.clear();
  await ann.page.$eval('#video', (video) => video.pause());
  await ann.page.$eval('#video', (video) => (video.currentTime = 25));
  await until(async () => !(await measure(ann.page)).paused, 'it goes on');
  await hasStatus(ann.page, 'In step');
  await ann.page.$eval('#video', (video) => {
    video.controls = true;
    video.pause();
  });
  await until(async () => !(await measure(ann.page)).paused, 'nobody has touched them');
  await hasStatus(ann.page, 'In step');
  await settle();
  assert.deepEqual([causes(), (await said())[0]], [[], []]);
  // As the controls do when they are touched.
  await ann.page.evaluate(() => {
    window.testTouch = (act) => {
      const video = document.querySelector('#video');
      video.dispatchEvent(new Event('pointerup', { bubbles: true }));
      act(video);
    };
  });
  await ann.page.evaluate(() => testTouch((video) => video.pause()));
  await hasStatus(ben.page, 'Paused by Ann');
  // So far away that it is a seek wherever the film stands, and that nobody is there before.
  const { position } = await measure(ben.page);
  const elsewhere = position < SECONDS / 2 ? position + 10 : position - 10;
  await ann.page.evaluate((seconds) => testTouch((video) => (video.currentTime = seconds)), elsewhere);
  await isAt(ben.page, elsewhere);
  await ann.page.evaluate(() => testTouch((video) => void video.play()));
  for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
  await ann.page.$eval('#video', (video) => (video.controls = false));
  assert.deepEqual((await said())[0], ['pause', 'seek', 'play']);
});

test('a server that is not heard for three seconds: no page says that it is in step', async () => {
  proxy.holdWebSocket();
  await hasStatus(ben.page, 'The server does not answer');
  assert.equal(await ben.page.isVisible('#role-line'), false, 'who rules is not known either');
  await takePicture(ben.page, 'silent');
  proxy.letWebSocketGo();
  await hasStatus(ben.page, 'In step');
  await hasStatus(ann.page, 'In step');
});

test('no page had an error on its console or broke the security policy', () => {
  for (const { faults } of [ann, ben]) assert.deepEqual(faults, []);
});
