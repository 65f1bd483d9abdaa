// A new program takes over from the running one while a film plays: nobody's picture stops, and everybody is who they
// were, in real Chromium.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openCinema } from '../support/cinema.mjs';
import { hasRole, hasStatus, tell } from '../support/player_page.mjs';
import { untilLogged } from '../support/until.mjs';

let cinema;
before(async () => {
  // More than a browser reads ahead: it is still being sent when the program changes.
  cinema = await openCinema({ films: [{ name: 'film', seconds: 120, grain: true }] });
});
after(() => cinema?.close());

// What would be seen of it: everything that stops a picture.
const watch = (page) => page.$eval('video', (video) => {
  globalThis.stops = [];
  for (const type of ['waiting', 'pause', 'seeking', 'emptied', 'stalled', 'error']) video.addEventListener(type, () => globalThis.stops.push(`${type} at ${video.currentTime}`));
});
const stopsOf = (page) => page.evaluate(() => globalThis.stops);
const timeOf = (page) => page.$eval('video', (video) => video.currentTime);

test('the film plays on, twice, and the room is as it was', async () => {
  const { people: [ann, ben] } = await cinema.seat(['Ann', 'Ben']);
  await ann.page.keyboard.press('k');
  for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
  await tell(ben.page, { type: 'chat', text: 'Here we are' });
  await ann.page.waitForSelector('text=Here we are', { state: 'attached' });
  const { server } = cinema;
  for (const time of [1, 2]) {
    for (const { page } of [ann, ben]) await watch(page);
    const before = await timeOf(ben.page);
    process.kill(server.successors().at(-1) ?? server.pid, 'SIGUSR2');
    await untilLogged(server, new RegExp(`(the new program serves[^]*){${time}}`));
    for (const { page } of [ann, ben]) {
      await page.waitForFunction((count) => testSockets.length > count && testSockets.at(-1).readyState === WebSocket.OPEN, time);
      await hasStatus(page, 'In step');
      assert.deepEqual(await stopsOf(page), [], 'the picture did not stop');
    }
    assert.ok(await timeOf(ben.page) > before);
    await hasRole(ann.page, 'You are the host.');
    await ben.page.waitForSelector('#people:has-text("Ann")', { state: 'attached' });
    assert.equal(await ben.page.locator('#messages >> text=Here we are').count(), 1, 'nothing is said twice');
  }
  await ann.page.keyboard.press('k');
  for (const { page } of [ann, ben]) await hasStatus(page, 'Paused');
  cinema.assertFaultless();
});
