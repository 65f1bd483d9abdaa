// What the page says while people watch: each state really brought about, in real Chromium on a real
// server. Ann is host; Ben's videos come over a line that can be made slow. The steps build on each
// other; with VIDEOSYNC_SCREENSHOTS=folder each state leaves pictures (tests/support/player_page.mjs).
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { startBreakableProxy } from '../support/breakable_proxy.mjs';
import { join, joinUntouched, launchBrowser, measure, openPerson, until } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession } from '../support/member.mjs';
import { hasFigure, hasRole, hasStatus, rowOf, takePicture, tell } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const step = story('what the page says while people watch');
const SLOW_BYTES_PER_S = 2_000;
const SHIFT_MS = 450; // takes seven seconds at the rate that nobody hears
const FLOOD = 500; // messages at once: twice what is refused before the server has enough
let media;
let server;
let proxy;
let browser;
let ann;
let ben;
let key;

before(async () => {
  media = await makeMedia([{ name: 'film', seconds: 200, grain: true }]);
  await writeFile(path.join(media.directory, 'letter.mp4'), 'this is not a video');
  server = await startServer({
    args: ['--media', media.directory, '--session-rate', '0', '--video', 'film', '--host-grace', '4s'],
  });
  await untilFilmsAreKnown(server, { unreadable: ['letter'] });
  proxy = await startBreakableProxy(server.origin);
  browser = await launchBrowser();
  ann = await openPerson(browser);
  ben = await openPerson(browser);
  ({ key } = await createSession(server));
});

after(async () => {
  await browser?.close();
  await proxy?.stop();
  await server?.stop();
  await media?.remove();
});

const linkFrom = (origin) => `${origin}/player.html?session=${key}`;
const say = async (page, text) => {
  await page.fill('#chat-text', text);
  await page.press('#chat-text', 'Enter');
};

step('ready to start', async () => {
  await join(ann.page, linkFrom(server.origin), 'Ann');
  await hasRole(ann.page, 'You are the host.');
  await join(ben.page, linkFrom(proxy.origin), 'Ben');
  await hasStatus(ben.page, 'Ready to start');
  await hasRole(ben.page, 'Ann controls playback');
  await say(ben.page, 'Ready when you are');
  await say(ann.page, 'Three, two, one …');
  await takePicture(ben.page, 'ready');
});

step('in step, and by how much', async () => {
  await tell(ann.page, { type: 'play' });
  for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
  await hasFigure(ben.page, '±');
  await takePicture(ben.page, 'in-step');
});

// Half a second that nobody asked for may be sought back before it is told; what the viewer asked for is not.
step('catching up; the button finds the place at once', async () => {
  await ben.page.$eval('#ear-shift', (slider, ms) => {
    slider.valueAsNumber = ms;
    slider.dispatchEvent(new Event('input'));
  }, SHIFT_MS);
  await hasStatus(ben.page, 'Catching up');
  await hasFigure(ben.page, 'behind');
  await takePicture(ben.page, 'catching-up');
  await ben.page.click('#resync');
  await hasStatus(ben.page, 'In step');
  await ben.page.$eval('#ear-zero', (button) => button.click());
  await hasStatus(ben.page, 'Catching up');
  await ben.page.click('#resync');
  await hasStatus(ben.page, 'In step');
});

step('at their own pace people pause and seek alone, and come back', async () => {
  assert.equal(await ann.page.isVisible('#own-pace'), false, 'the host cannot leave the showing');
  await ben.page.click('#own-pace');
  await hasStatus(ben.page, 'At your own pace');
  await ben.page.evaluate(() => document.activeElement.blur());
  await ben.page.keyboard.press('k');
  await until(async () => (await measure(ben.page)).paused, 'Ben has paused');
  const { position } = await measure(ben.page);
  await ben.page.keyboard.press('ArrowRight');
  await until(async () => (await measure(ben.page)).position > position + 4, 'Ben has sought');
  await ben.page.keyboard.press('j');
  await hasFigure(ben.page, 'behind');
  await takePicture(ben.page, 'own-pace');
  await assertAccessible(ben.page, 'own-pace');
  await hasStatus(ann.page, 'In step');
  assert.equal((await measure(ann.page)).paused, false);
  await ben.page.click('#status-action');
  await hasStatus(ben.page, 'In step');
});

// As Safari does where it saves power: not even a silent video plays before somebody has tapped.
function refuseToPlay() {
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (navigator.userActivation.isActive) return play.call(this);
    if (this.muted) testRefused();
    return Promise.reject(new DOMException('no gesture', 'NotAllowedError'));
  };
}

step('a browser that plays nothing without a tap: told, and one tap is enough', async () => {
  const cem = await openPerson(browser);
  let tell;
  const refused = new Promise((resolve) => (tell = resolve));
  await cem.page.exposeFunction('testRefused', tell);
  await cem.page.addInitScript(refuseToPlay);
  await cem.page.addInitScript(joinUntouched);
  await cem.page.goto(linkFrom(server.origin));
  await refused;
  await hasStatus(cem.page, 'The browser wants a tap before it plays');
  await cem.page.waitForSelector('#big-action:has-text("Tap to play")');
  await takePicture(cem.page, 'blocked');
  await assertAccessible(cem.page, 'blocked');
  await cem.page.click('#big-action');
  await hasStatus(cem.page, 'In step');
  const { muted, paused } = await measure(cem.page);
  assert.deepEqual([muted, paused], [false, false]);
  assert.deepEqual(cem.faults, []);
  await cem.context.close();
});

// A place for which Ben has no data yet, however long all went on.
const beyondBuffer = () => ben.page.$eval('video', ({ buffered }) => Math.ceil(buffered.end(buffered.length - 1)) + 10);

step('buffering, which the host is told with the name', async () => {
  proxy.mediaBytesPerS = SLOW_BYTES_PER_S;
  await tell(ann.page, { type: 'seek', position: await beyondBuffer() });
  await hasStatus(ben.page, 'Your player is buffering');
  await takePicture(ben.page, 'buffering');
  await hasRole(ann.page, 'Buffering: Ben');
  await ann.page.waitForSelector('.person:has-text("Ben") .tag:has-text("buffering")');
  await takePicture(ann.page, 'buffering-host');
});

step('waiting for those that buffer, where the host wants that', async () => {
  await tell(ann.page, { type: 'settings', onStall: 'wait' });
  await tell(ann.page, { type: 'seek', position: await beyondBuffer() });
  await hasStatus(ann.page, 'Waiting for Ben');
  await hasFigure(ann.page, 'at most');
  await takePicture(ann.page, 'waiting');
  await hasStatus(ben.page, 'Waiting for you');
  proxy.mediaBytesPerS = Infinity;
  for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
});

step('paused, and by whom', async () => {
  await tell(ann.page, { type: 'pause' });
  await hasStatus(ben.page, 'Paused by Ann');
  await tell(ann.page, { type: 'seek', position: 20 });
  await until(async () => (await measure(ben.page)).position === 20, 'Ben follows');
  await hasStatus(ben.page, 'Paused by Ann');
  await takePicture(ben.page, 'paused');
  await assertAccessible(ben.page, 'paused');
  await ben.page.emulateMedia({ colorScheme: 'dark' });
  await ben.page.evaluate(() => document.activeElement.blur());
  await ben.page.keyboard.press('?');
  await ben.page.waitForSelector('#help-dialog[open]');
  await assertAccessible(ben.page, 'help, dark');
  await ben.page.keyboard.press('Escape');
  await assertAccessible(ben.page, 'paused, dark');
  await ben.page.emulateMedia({ colorScheme: null });
});

const flood = () => ben.page.evaluate((count) => {
  for (let i = 0; i < count; i += 1) testSockets.at(-1).send('{"type":"reaction","emoji":"👍"}');
}, FLOOD);

step('too many messages: told, and connected again', async () => {
  await flood();
  await hasStatus(ben.page, 'Too many messages came from here. Reconnecting');
  await hasFigure(ben.page, 'in ');
  await ben.page.focus('#status-action');
  await ben.page.keyboard.press('Enter');
  await hasStatus(ben.page, 'Paused by Ann');
  assert.equal(await ben.page.evaluate(() => document.activeElement.id), 'status', 'the focus is not lost');
  await flood(); // looking at it in peace takes longer than the waiting may
  await hasStatus(ben.page, 'Too many messages came from here. Reconnecting');
  await takePicture(ben.page, 'flooding');
  await assertAccessible(ben.page, 'flooding');
  await hasStatus(ben.page, 'Paused by Ann');
});

step('a video that cannot be played: why, and what to do', async () => {
  await tell(ann.page, { type: 'load', video: 'letter' });
  await hasStatus(ben.page, 'This video cannot be played');
  await takePicture(ben.page, 'unplayable');
  await assertAccessible(ben.page, 'unplayable');
  await tell(ann.page, { type: 'load', video: 'film' });
  await hasStatus(ben.page, 'Ready to start');
});

step('the host left: who takes over, and when; and then is host', async () => {
  await ann.page.close();
  await hasRole(ben.page, 'Ann has left. You take over in');
  await takePicture(ben.page, 'host-left');
  await assertAccessible(ben.page, 'host-left');
  await hasRole(ben.page, 'You are the host now');
  await takePicture(ben.page, 'host-now');
  ann = { ...ann, page: await ann.context.newPage() };
  await join(ann.page, linkFrom(server.origin), 'Ann');
  await hasRole(ann.page, 'Ben controls playback');
});

step('removed by the host, who is asked whether that is meant', async () => {
  await rowOf(ben.page, 'Ann').locator('summary').click();
  await rowOf(ben.page, 'Ann').getByText('Remove', { exact: true }).click();
  await ben.page.waitForSelector('#confirm-dialog:has-text("Remove Ann")');
  await assertAccessible(ben.page, 'a question');
  await ben.page.click('#confirm-yes');
  await hasStatus(ann.page, 'The host removed you');
  assert.equal((await measure(ann.page)).paused, true);
  await takePicture(ann.page, 'removed');
});

step('the session ends', async () => {
  await ben.page.click('#host-tools > summary');
  await ben.page.click('#end');
  await ben.page.click('#confirm-yes');
  await hasStatus(ben.page, 'The session has ended');
  await takePicture(ben.page, 'ended');
  await assertAccessible(ben.page, 'ended');
});

step('no page had an error on its console or broke the security policy', () => {
  for (const { faults } of [ann, ben]) assert.deepEqual(faults, []);
});
