// The list of videos in the player, its picker: as the server has it now, and for whoever may choose. Real Chromium,
// a real server whose folder changes.
import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join as joinPage, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession } from '../support/member.mjs';
import { cardOf, chooseVideo, hasRole, hasStatus, lists, openPicker, takePicture } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const step = story('the host\'s list of videos');
let media;
let server;
let browser;
let ann; // the host
let ben;

before(async () => {
  media = await makeMedia([{ name: 'First', seconds: 5 }]);
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'] });
  await untilFilmsAreKnown(server);
  browser = await launchBrowser();
  const { key } = await createSession(server);
  [ann, ben] = [await openPerson(browser), await openPerson(browser)];
  const link = `${server.origin}/player.html?session=${key}`;
  await joinPage(ann.page, link, 'Ann');
  await hasRole(ann.page, 'You are the host.');
  await joinPage(ben.page, link, 'Ben');
  await hasRole(ben.page, 'Ann controls playback');
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

const nameOf = (title) => path.join(media.directory, `${title}.mp4`);
const isOn = (page, title) => cardOf(page, title).locator('.picker-on').isVisible();
const focusedId = (page) => page.evaluate(() => document.activeElement.id);
const closePicker = async (page) => {
  await page.keyboard.press('Escape');
  await page.waitForSelector('#picker', { state: 'hidden' });
};

// As an operator does it.
async function takeIn(what) {
  process.kill(server.pid, 'SIGHUP');
  await until(async () => what(await (await fetch(`${server.origin}/api/videos`)).text()), 'the library has changed');
}

async function add(title) {
  await copyFile(nameOf('First'), nameOf(title));
  await takeIn((videos) => videos.includes(`"${title}"`));
}

async function remove(title) {
  await rm(nameOf(title));
  await takeIn((videos) => !videos.includes(`"${title}"`));
}

step('the host finds a video that came after the page was opened, and loads it', async () => {
  await ann.page.click('#host-tools > summary');
  await ann.page.waitForSelector('#choose:text-is("Choose a video…")');
  await add('Second');
  await openPicker(ann.page);
  await lists(ann.page, ['First', 'Second']);
  await chooseVideo(ann.page, 'Second');
  await until(async () => (await ann.page.textContent('#title')) === 'Second', 'it is shown');
  assert.equal(await focusedId(ann.page), 'choose', 'what opened it has the focus again');
});

step('which one is on is told, and it needs no button to be shown', async () => {
  await openPicker(ann.page);
  await lists(ann.page, ['First', 'Second']);
  assert.deepEqual([await isOn(ann.page, 'First'), await isOn(ann.page, 'Second')], [false, true]);
  const buttonsOf = (title) => cardOf(ann.page, title).locator('button:visible').allTextContents();
  assert.deepEqual([await buttonsOf('First'), await buttonsOf('Second')], [['Show now', 'Add'], ['Add']]);
  await closePicker(ann.page);
});

step('each of the buttons that open it gets the focus back', async () => {
  const { page } = ann;
  await page.click('#queue-panel > summary');
  for (const id of ['queue-add', 'choose']) {
    await page.focus(`#${id}`);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#picker[open] .picker-card');
    assert.equal(await focusedId(page), 'picker-search');
    await closePicker(page);
    assert.equal(await focusedId(page), id);
  }
  await page.click('#queue-add');
  await page.click('.picker-head button');
  await until(async () => (await focusedId(page)) === 'queue-add', 'closed by its button');
});

step('who may not control chooses nothing', async () => {
  assert.equal(await ben.page.isVisible('#host-tools'), false);
  await ben.page.click('#queue-panel > summary');
  await ben.page.click('#queue-add');
  await lists(ben.page, ['First', 'Second']);
  assert.equal(await ben.page.isVisible('.picker-card button:text-is("Show now")'), false, 'but adds to what comes next');
  await closePicker(ben.page);
});

step('everyone who may control chooses a video, and nothing else that is the host\'s', async () => {
  await add('Third');
  await ann.page.check('#set-everyone');
  await ben.page.click('#host-tools > summary');
  await ben.page.waitForSelector('#choose:visible');
  for (const id of ['#set-everyone', '#set-wait', '#end']) assert.equal(await ben.page.isVisible(id), false, id);
  await takePicture(ben.page, 'everyone-chooses');
  await assertAccessible(ben.page, 'everyone chooses');
  await openPicker(ben.page);
  await lists(ben.page, ['First', 'Second', 'Third']);
  assert.ok(await isOn(ben.page, 'Second'), 'which one is on');
  await assertAccessible(ben.page, 'the picker');
  await chooseVideo(ben.page, 'Third');
  for (const { page } of [ann, ben]) {
    await until(async () => (await page.textContent('#title')) === 'Third', 'it is shown');
    await hasStatus(page, 'Ready to start');
    await openPicker(page);
    assert.ok(await isOn(page, 'Third'));
    await closePicker(page);
  }
});

step('a state that names an unknown video makes an open list fresh, and the focus stays', async () => {
  await openPicker(ben.page);
  await cardOf(ben.page, 'Second').locator('button:text-is("Show now")').focus();
  await add('Fourth');
  await ann.page.evaluate(() => testSockets.at(-1).send(JSON.stringify({ type: 'load', video: 'fourth' })));
  await until(async () => (await ben.page.textContent('#title')) === 'Fourth', 'it is shown with its title');
  await lists(ben.page, ['First', 'Fourth', 'Second', 'Third']);
  await until(async () => (await isOn(ben.page, 'Fourth')) && !(await isOn(ben.page, 'Third')), 'it is marked');
  assert.equal(await ben.page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Show now to everybody: Second');
});

step('a film that has gone meanwhile is refused with words', async () => {
  await remove('First');
  await cardOf(ben.page, 'First').locator('button:text-is("Add")').click();
  await ben.page.waitForSelector('#picker-words:text-is("That video is no longer in the library.")');
  await chooseVideo(ben.page, 'First');
  await ben.page.waitForSelector('.toast:has-text("That video is no longer in the library.")');
  assert.equal(await ann.page.textContent('#title'), 'Fourth');
});

step('whoever loses control can show nothing any more; who may not even add loses the list', async () => {
  await openPicker(ben.page);
  await lists(ben.page, ['Fourth', 'Second', 'Third']);
  await ann.page.uncheck('#set-everyone');
  await ben.page.waitForSelector('.picker-card button:text-is("Show now")', { state: 'hidden' });
  assert.ok(await ben.page.isVisible('#picker'));
  await ben.page.waitForSelector('#host-tools', { state: 'hidden' });
  await ann.page.uncheck('#set-queue');
  await ben.page.waitForSelector('#picker', { state: 'hidden' });
});

step('no page had an error on its console or broke the security policy', () => {
  for (const { faults } of [ann, ben]) assert.deepEqual(faults, []);
});
