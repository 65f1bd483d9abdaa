// The list of videos in the player: as the server has it now, and for whoever may choose. Real Chromium,
// a real server whose folder changes.
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join as joinPage, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession } from '../support/member.mjs';
import { hasRole, hasStatus, takePicture } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';

const step = story('the host\'s list of videos');
let media;
let server;
let browser;
let ann; // the host
let ben;

before(async () => {
  media = await makeMedia([{ name: 'First', seconds: 5 }]);
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'] });
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

const offered = ({ page }) => page.$$eval('#load option', (all) => all.map(({ value }) => value));
const isOffered = (person, ids) => until(async () => (await offered(person)).join() === ids.join(), () => `${ids} are offered`);

// As an operator does it.
async function add(name) {
  await copyFile(path.join(media.directory, 'First.mp4'), path.join(media.directory, `${name}.mp4`));
  process.kill(server.pid, 'SIGHUP');
  const isThere = async () => (await (await fetch(`${server.origin}/api/videos`)).text()).includes(`"${name}"`);
  await until(isThere, `${name} is in the library`);
}

step('the host finds a video that came after the page was opened, and loads it', async () => {
  await add('Second');
  assert.deepEqual(await offered(ann), ['first']);
  await ann.page.click('#host-tools > summary');
  await isOffered(ann, ['first', 'second']);
  await ann.page.selectOption('#load', 'second');
  await ann.page.click('#load-take');
  await until(async () => (await ann.page.textContent('#title')) === 'Second', 'it is shown');
});

step('a list that is open is made fresh before a hand is on it', async () => {
  await ann.page.mouse.move(10, 10);
  await add('Third');
  await ann.page.hover('#load');
  await isOffered(ann, ['first', 'second', 'third']);
});

step('who may not control chooses nothing', async () => {
  assert.equal(await ben.page.isVisible('#host-tools'), false);
});

step('everyone who may control chooses a video, and nothing else that is the host\'s', async () => {
  await ann.page.check('#set-everyone');
  await ben.page.click('#host-tools > summary');
  await isOffered(ben, ['first', 'second', 'third']);
  assert.equal(await ben.page.inputValue('#load'), 'second', 'which one is on');
  for (const id of ['#set-everyone', '#set-wait', '#end']) assert.equal(await ben.page.isVisible(id), false, id);
  await takePicture(ben.page, 'everyone-chooses');
  await assertAccessible(ben.page, 'everyone chooses');
  await ben.page.selectOption('#load', 'third');
  await ben.page.click('#load-take');
  for (const { page } of [ann, ben]) {
    await until(async () => (await page.textContent('#title')) === 'Third', 'it is shown');
    await hasStatus(page, 'Ready to start');
    assert.equal(await page.inputValue('#load'), 'third');
  }
});

step('a state that names an unknown video makes the list fresh, without anybody\'s touch', async () => {
  await ben.page.click('#host-tools > summary');
  await ben.page.click('#title');
  await add('Fourth');
  await ann.page.evaluate(() => testSockets.at(-1).send(JSON.stringify({ type: 'load', video: 'fourth' })));
  await until(async () => (await ben.page.textContent('#title')) === 'Fourth', 'it is shown with its title');
  assert.deepEqual(await offered(ben), ['first', 'fourth', 'second', 'third']);
});

step('whoever loses control loses the list', async () => {
  await ann.page.uncheck('#set-everyone');
  await ben.page.waitForSelector('#host-tools', { state: 'hidden' });
});

step('no page had an error on its console or broke the security policy', () => {
  for (const { faults } of [ann, ben]) assert.deepEqual(faults, []);
});
