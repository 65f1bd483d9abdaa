// The picture itself: a browser that forbids sound without a gesture, an adaptive stream whose quality
// changes in step, a connection that fails for a moment, and a phone.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join, joinUntouched, launchBrowser, measure, openPerson, showControls, until } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession, join as joinAsMember } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';
import { makeStream } from '../support/stream.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const step = story('the picture itself');
const AUTOHIDE_MS = 3_000; // the controls' (player.html)
const SWITCH_MS = 1_000; // after the picture has changed hls.js tells so, at its next tick of 100 ms
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
let media;
let server;
let browser;
let session;
let ann; // the host, by WebSocket
let ben; // on a phone
let link;

before(async () => {
  media = await makeMedia([{ name: 'film', seconds: 60 }, { name: 'stream', seconds: 60 }]);
  await makeStream(media.directory, 'stream');
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--video', 'film'] });
  await untilFilmsAreKnown(server);
  browser = await launchBrowser(['--autoplay-policy=document-user-activation-required']);
  session = await createSession(server);
  link = server.origin + session.url;
  ann = await joinAsMember(server, session.key, { name: 'Ann', host: session.hostToken });
  ben = await openPerson(browser, PHONE);
});

after(async () => {
  ann?.close();
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

const statusOf = (page) => page.textContent('#status-text');
const isInStep = (page) => until(async () => (await statusOf(page)) === 'In step', 'in step');
const boxOf = (page, selector) => page.locator(selector).boundingBox();

const choice = (page, label) => page.locator('media-rendition-menu [role=menuitemradio]', { hasText: new RegExp(`^${label}`) });
const lines = (page) => page.$eval('#video', ({ videoHeight }) => videoHeight);
const isIdle = (page) => page.$eval('#player', (player) => player.hasAttribute('userinactive'));

step('sound refused: it plays silently at once, and a tap brings the sound', async () => {
  ann.send('play');
  let tell;
  const playing = new Promise((resolve) => (tell = resolve));
  await ben.page.exposeFunction('testPlaying', tell);
  await ben.page.addInitScript(() =>
    document.addEventListener('playing', ({ target }) => testPlaying(target.muted), { capture: true }));
  await ben.page.addInitScript(joinUntouched);
  await ben.page.goto(link);
  assert.equal(await playing, true, 'silently');
  await isInStep(ben.page);
  await ben.page.tap('#big-action:has-text("Tap for sound")');
  const { muted, paused } = await measure(ben.page);
  assert.deepEqual([muted, paused], [false, false]);
  await ben.page.waitForSelector('#big-action', { state: 'hidden' });
});

step('a phone upright: picture on top, chat below, nothing too small or beside the screen', async () => {
  const { page } = ben;
  const stage = await boxOf(page, '#stage');
  assert.equal(stage.width, 390);
  assert.ok((await boxOf(page, '#chat-form')).y > stage.y + stage.height);
  assert.ok((await boxOf(page, '#chat-form')).y + (await boxOf(page, '#chat-form')).height <= 844);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  await showControls(page);
  for (const id of ['play', 'mute', 'rate', 'full', 'scrubber']) {
    const { width, height, x } = await boxOf(page, `#${id}`);
    assert.ok(width >= 24 && height >= 24 && x + width <= 391, `${id}: ${width} x ${height} at ${x}`);
  }
});

step('a phone on its side: the picture is everything', async () => {
  await ben.page.setViewportSize({ width: 844, height: 390 });
  let stage = {};
  await until(async () => {
    stage = await boxOf(ben.page, '#stage');
    return stage.width === 844 && stage.height === 390;
  }, () => `the picture fills the screen, and is ${stage.width} x ${stage.height}`);
  assert.ok(await ben.page.locator('#status-text').isVisible());
  await ben.page.setViewportSize(PHONE.viewport);
});

step('the host on a phone has big buttons for the thumbs', async () => {
  const observer = await joinAsMember(server, session.key, { name: 'Observer' });
  observer.close();
  const guest = observer.welcome.members.list.find(({ id }) => id !== ann.id && id !== observer.id);
  ann.send('give', { to: guest.id });
  await ben.page.waitForSelector('#player.may-control');
  await showControls(ben.page);
  await ben.page.tap('#big-play');
  await until(async () => (await measure(ben.page)).paused, 'paused');
  const before = await measure(ben.page);
  await ben.page.tap('#big-forward');
  await until(async () => (await measure(ben.page)).position > before.position + 9, 'ten seconds on');
  ann.send('claim', { hostToken: session.hostToken });
  await until(async () => !(await ben.page.$eval('#player', (player) => player.matches('.may-control'))), 'no host');
});

step('an adaptive stream plays in step, and changes its quality without a stumble', async () => {
  ann.send('load', { video: 'stream' });
  ann.send('play');
  const { page } = ben;
  await isInStep(page);
  assert.match(await page.$eval('#video', ({ src }) => src), /^blob:/);
  await page.evaluate(() => {
    window.testStumbles = [];
    for (const type of ['seeking', 'waiting', 'pause', 'emptied']) {
      document.querySelector('#video').addEventListener(type, () => testStumbles.push(type));
    }
  });
  for (const [label, wanted] of (await lines(page)) === 90 ? [['180p', 180], ['90p', 90]] : [['90p', 90], ['180p', 180]]) {
    await showControls(page);
    await page.tap('#quality');
    await choice(page, label).tap();
    await until(async () => (await lines(page)) === wanted, `${wanted} lines`);
  }
  assert.deepEqual(await page.evaluate('testStumbles'), []);
  await isInStep(page);
});

step('a menu that is opened as the picture changes keeps its items', async () => {
  const { page } = ben;
  const label = (await lines(page)) === 90 ? '180p' : '90p';
  await page.$eval('#video', (video) => video.addEventListener('resize', () => {
    document.querySelector('#quality').click();
    window.testItems = document.querySelector('media-rendition-menu').items;
  }, { once: true }));
  await showControls(page);
  await page.tap('#quality');
  await choice(page, label).tap();
  await until(() => page.evaluate('window.testItems?.length === 3'), 'the picture changes');
  await page.evaluate((ms) => new Promise((done) => setTimeout(done, ms)), SWITCH_MS);
  assert.ok(await page.evaluate('testItems.every(({ isConnected }) => isConnected)'), 'not made anew');
  await choice(page, label).tap({ timeout: 1_000 });
  await choice(page, label).waitFor({ state: 'hidden' });
});

step('a menu stays for a slow finger, also when the picture changes under it', async () => {
  const { page } = ben;
  const [label, wanted] = (await lines(page)) === 90 ? ['180p', 180] : ['90p', 90];
  await showControls(page);
  await page.tap('#quality');
  await choice(page, label).tap();
  await page.tap('#quality');
  await choice(page, 'Auto').waitFor();
  await until(async () => (await lines(page)) === wanted, `${wanted} lines`);
  // The page's timers keep their order: what the last tap would have let go of has gone when this one runs.
  await page.evaluate((ms) => new Promise((done) => setTimeout(done, ms)), AUTOHIDE_MS);
  assert.equal(await isIdle(page), false, 'the controls are still there');
  await choice(page, 'Auto').tap({ timeout: 1_000 });
  await choice(page, 'Auto').waitFor({ state: 'hidden' });
  await until(() => isIdle(page), 'the controls go afterwards');
});

step('a connection that fails for a moment is tried again, unasked', async () => {
  const cem = await openPerson(browser);
  let refused = 0;
  await cem.context.route('**/media/stream/v*', (route) => {
    refused += 1;
    return refused < 4 ? route.abort() : route.continue();
  });
  await join(cem.page, link, 'Cem');
  await isInStep(cem.page);
  assert.ok(refused >= 4);
  assert.equal((await measure(cem.page)).paused, false);
});

step('a quality that was chosen holds when the page is opened again', async () => {
  const dan = await openPerson(browser);
  const { url } = await createSession(server, { video: 'stream' });
  const open = async () => {
    await join(dan.page, server.origin + url, 'Dan');
    await until(async () => (await lines(dan.page)) > 0, 'it is loaded');
  };
  await open();
  await dan.page.click('#quality');
  await choice(dan.page, '90p').waitFor();
  await assertAccessible(dan.page, 'the menu of qualities');
  await choice(dan.page, '90p').click();
  await open();
  assert.equal(await lines(dan.page), 90);
  assert.equal(await choice(dan.page, '90p').getAttribute('aria-checked'), 'true');
  await dan.context.close();
});

step('no page broke the security policy', () => {
  assert.deepEqual(ben.faults, []);
});
