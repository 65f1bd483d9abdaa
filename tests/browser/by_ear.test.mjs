// The panel "By ear", in real Chromium on a real server: Ben hears late, and moves his sound and picture
// against the room until he does not.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { assertAccessible, assertTargets } from '../support/accessibility.mjs';
import { join, measure, middleAheadMs, until } from '../support/browser.mjs';
import { openCinema } from '../support/cinema.mjs';
import { hasStatus, takePicture, tell } from '../support/player_page.mjs';
import { story } from '../support/story.mjs';

const step = story('a viewer who hears late');
const SHIFT_MS = 200;
const WITHIN_MS = 80; // of a reading of two pages
let cinema;
let ann; // the host
let ben;
let link;

before(async () => {
  cinema = await openCinema({ films: [{ name: 'film', seconds: 90 }], flags: ['--autoplay-policy=no-user-gesture-required'] });
  ({ link, people: [ann, ben] } = await cinema.seat(['Ann', 'Ben']));
});

after(() => cinema?.close());

const isAhead = async (ms) => {
  let last;
  await until(async () => Math.abs((last = await middleAheadMs(ben.page, ann.page)) - ms) < WITHIN_MS, () => `Ben is ${ms} ms ahead, last ${last}`, 20_000);
};

step('by the keyboard a viewer moves against the room, without a jump, and is in step with that', async () => {
  await tell(ann.page, { type: 'play' });
  for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
  await isAhead(0);
  const { page } = ben;
  await page.focus('#ear-panel > summary');
  await page.keyboard.press('Enter');
  await page.$eval('#video', (video) => {
    window.testSeeks = 0;
    video.addEventListener('seeking', () => (window.testSeeks += 1));
  });
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'ear-shift');
  for (let i = 0; i < SHIFT_MS / 10; i++) await page.keyboard.press('ArrowRight');
  assert.equal(await page.textContent('#ear-value'), `${SHIFT_MS}\u00a0ms ahead of the room`);
  assert.equal(await page.getAttribute('#ear-shift', 'aria-valuetext'), `${SHIFT_MS}\u00a0ms ahead of the room`);
  await isAhead(SHIFT_MS);
  for (const person of [ann, ben]) await hasStatus(person.page, 'In step');
  assert.equal(await page.evaluate('testSeeks'), 0);
  await takePicture(page, 'by-ear');
  await assertAccessible(page, 'by ear');
});

step('a pause and a start leave it so; the device remembers it', async () => {
  await tell(ann.page, { type: 'pause' });
  for (const { page } of [ann, ben]) await hasStatus(page, 'Paused');
  const restsAt = async () => {
    const [one, other] = [await measure(ben.page), await measure(ann.page)];
    return one.paused && other.paused && Math.round((one.position - other.position) * 1000);
  };
  await until(async () => Math.abs((await restsAt()) - SHIFT_MS) <= 2, 'it stands shifted', 10_000);
  await ben.page.reload();
  await join(ben.page, link, 'Ben');
  assert.equal(await ben.page.textContent('#ear-tag'), `+${SHIFT_MS}\u00a0ms`, 'said while the panel is closed');
  await tell(ann.page, { type: 'play' });
  await hasStatus(ben.page, 'In step');
  await isAhead(SHIFT_MS);
});

step('the tick is heard and seen, until it is switched off or the panel closed', async () => {
  const { page } = ben;
  await page.evaluate(() => {
    window.testTicks = [];
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function (atS) {
      const { contextTime, performanceTime } = this.context.getOutputTimestamp();
      testTicks.push(performanceTime + (atS - contextTime) * 1000);
      return start.call(this, atS);
    };
    const light = document.querySelector('#ear-light');
    window.testFlashes = [];
    new MutationObserver(() => light.matches('.lit') && testFlashes.push(performance.now())).observe(light, { attributeFilter: ['class'] });
  });
  await page.click('#ear-panel > summary');
  await page.click('#ear-tick');
  assert.equal(await page.getAttribute('#ear-tick', 'aria-pressed'), 'true');
  // The first of each may have come at once, whenever that was.
  await until(async () => (await page.evaluate('Math.min(testTicks.length, testFlashes.length)')) >= 5, 'ticks and flashes');
  const apart = await page.evaluate(() => testFlashes.slice(2).map((at) =>
    Math.min(...testTicks.map((tick) => at - tick).filter((ms) => ms > 0))));
  const middle = apart.sort((a, b) => a - b)[apart.length >> 1];
  assert.ok(Math.abs(middle - SHIFT_MS) < WITHIN_MS, `the sound comes ${middle} ms before the light`);
  await page.click('#ear-panel > summary');
  await page.waitForFunction(() => document.querySelector('#ear-tick').getAttribute('aria-pressed') === 'false');
  assert.equal(await page.locator('#ear-light').evaluate((light) => light.matches('.lit')), false);
});

step('back to none, and on a phone a finger hits it all', async () => {
  const { page } = ben;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.click('#ear-panel > summary');
  await assertTargets(page, 'by ear', { min: 12 });
  await page.click('#ear-zero');
  assert.equal(await page.textContent('#ear-value'), 'With the room');
  assert.equal(await page.isVisible('#ear-tag'), false);
  await isAhead(0);
  await hasStatus(page, 'In step');
  assert.equal(await page.evaluate(() => localStorage.getItem('videosync.player.shiftMs')), null);
});

step('no page had an error on its console or broke the security policy', () => {
  for (const { faults } of [ann, ben]) assert.deepEqual(faults, []);
});
