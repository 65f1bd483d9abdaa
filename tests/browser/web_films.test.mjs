// A film of another site, shown to a room by its address, in real Chromium. The site speaks TLS.
import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join, middleAheadMs, until } from '../support/browser.mjs';
import { openCinema } from '../support/cinema.mjs';
import { startFilmSite } from '../support/film_site.mjs';
import { replaceByPackage } from '../support/hls.mjs';
import { makeMedia } from '../support/media.mjs';
import { hasStatus, openPicker, takePicture } from '../support/player_page.mjs';
import { story } from '../support/story.mjs';

const step = story('a film of another site');
const IN_STEP_MS = 150;
let films;
let site;
let cinema;
let link;
let ann; // the host
let ben;

before(async () => {
  films = await makeMedia([{ name: 'elsewhere', seconds: 30 }, { name: 'parts', seconds: 20 }]);
  await replaceByPackage(films.directory, 'parts');
  await rename(path.join(films.directory, 'elsewhere.mp4'), path.join(films.directory, 'Another Film.mp4'));
  await writeFile(path.join(films.directory, 'words.txt'), 'no film');
  site = await startFilmSite(films.directory);
  cinema = await openCinema({
    films: [{ name: 'demo', seconds: 30 }],
    args: ['--allow-source', site.origin],
    flags: [`--ignore-certificate-errors-spki-list=${site.selfSignedKey}`, '--autoplay-policy=no-user-gesture-required'],
  });
  ({ link, people: [ann, ben] } = await cinema.seat(['Ann', 'Ben']));
});

after(async () => {
  await cinema?.close();
  await site?.stop();
  await films?.remove();
});

async function show(page, address) {
  await page.fill('#address-url', address);
  await page.press('#address-url', 'Enter');
}
const says = (page, pattern) => until(async () => pattern.test(await page.textContent('#address-words')), () => `the field says ${pattern}`);
const hasTitle = async (page, title) => {
  let seen;
  await until(async () => (seen = await page.title()).startsWith(title), () => `${title} is on, not ${seen}: ${ann.faults.join()}`);
};
const areInStep = async () => {
  let apart;
  await until(async () => Math.abs((apart = await middleAheadMs(ann.page, ben.page))) < IN_STEP_MS, () => `in step, not ${apart} ms apart`);
};

step('who controls is offered a field for an address', async () => {
  await openPicker(ann.page);
  assert.ok(await ann.page.isVisible('#address'));
  await takePicture(ann.page, 'address');
  await assertAccessible(ann.page);
});

step('what cannot be shown is said, and nothing changes for anybody', async () => {
  await show(ann.page, 'http://127.0.0.1/film.mp4');
  await says(ann.page, /begins with https/);
  await show(ann.page, 'https://elsewhere.example/film.mp4');
  await says(ann.page, new RegExp(`from ${site.origin}`));
  for (const name of ['words.txt', 'none.mp4']) {
    await show(ann.page, `${site.origin}/${name}`);
    await says(ann.page, /nothing there that this browser can play/);
  }
  await show(ann.page, `${site.origin}/shared/none.mp4`);
  await says(ann.page, /cannot be had/);
  await show(ann.page, `${site.origin}/parts/master.m3u8`);
  await says(ann.page, /cannot be had/);
  ann.faults.length = 0; // a console tells each of these
  assert.match(await ben.page.getAttribute('#video', 'src'), /demo/);
});

step('a file plays for all, in step', async () => {
  await show(ann.page, `${site.origin}/Another%20Film.mp4`);
  await ann.page.waitForSelector('#picker', { state: 'hidden' });
  for (const { page } of [ann, ben]) await hasTitle(page, 'Another Film');
  await ann.page.keyboard.press('k');
  await hasStatus(ben.page, 'In step');
  await areInStep();
  assert.equal(await ben.page.getAttribute('#video', 'src'), `${site.origin}/Another%20Film.mp4`);
});

step('who comes later, or again, is in step as well', async () => {
  await join(ben.page, link, 'Ben');
  await hasStatus(ben.page, 'In step');
  await areInStep();
});

step('a stream that its site shares plays for all', async () => {
  await openPicker(ann.page);
  await show(ann.page, `${site.origin}/shared/parts/master.m3u8`);
  await ann.page.waitForSelector('#picker', { state: 'hidden' });
  await hasStatus(ann.page, 'Ready to start');
  await ann.page.keyboard.press('k');
  await hasStatus(ben.page, 'In step');
  await areInStep();
  assert.match(await ben.page.$eval('#video', (video) => video.currentSrc), /^blob:/);
});

step('nothing of it broke the pages', () => cinema.assertFaultless());
