// What `make hls` packages plays in the player, in real Chromium through hls.js.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { replaceByPackage } from '../support/hls.mjs';
import { makeMedia } from '../support/media.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

let media;
let server;
let browser;
let ann;

before(async () => {
  media = await makeMedia([{ name: 'film', seconds: 20 }]);
  await replaceByPackage(media.directory, 'film');
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'] });
  await untilFilmsAreKnown(server);
  browser = await launchBrowser(['--autoplay-policy=no-user-gesture-required']);
  ann = await openPerson(browser);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

test('the packaged film plays from its segments, in step, without an error', async () => {
  const { page, faults } = ann;
  const { url } = await (await fetch(`${server.origin}/api/sessions`, { method: 'POST' })).json();
  await join(page, `${server.origin}${url}`, 'Ann');
  await until(async () => (await page.textContent('#status-text')) === 'Ready to start', 'it is loaded');
  await page.keyboard.press('k');
  await until(() => page.evaluate(() => document.querySelector('video').currentTime > 3), 'the picture advances');
  await until(async () => (await page.textContent('#status-text')).includes('In step'), 'in step');
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname));
  assert.ok(loaded.some((name) => /^\/media\/film\/\d+p\/\d+\.m4s$/.test(name)), loaded.join('\n'));
  assert.match(await page.evaluate(() => document.querySelector('video').currentSrc), /^blob:/);
  assert.ok(Math.abs((await page.evaluate(() => document.querySelector('video').duration)) - 20) < 0.2);
  assert.deepEqual(faults, []);
});
