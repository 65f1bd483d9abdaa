// A session whose host lets people in, in real Chromium on a real server: Ann is host, Ben knocks on a
// phone, and Cem is the third. With VIDEOSYNC_SCREENSHOTS=folder it leaves pictures.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { assertAccessible, assertTargets } from '../support/accessibility.mjs';
import { launchBrowser, openPerson, until } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession } from '../support/member.mjs';
import { hasRole, hasStatus, rowOf, takePicture } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };
const step = story('a door that the host opens');
let media;
let server;
let browser;
let link;
let ann; // the host
let ben; // on a phone
let cem;
let eve; // who comes last

before(async () => {
  const grain = Boolean(process.env.VIDEOSYNC_SCREENSHOTS); // more pleasant to look at
  media = await makeMedia([{ name: 'film', seconds: 20, grain }]);
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'] });
  await untilFilmsAreKnown(server);
  browser = await launchBrowser();
  const { key } = await createSession(server);
  link = `${server.origin}/player.html?session=${key}`;
  [ann, ben, cem] = await Promise.all([openPerson(browser), openPerson(browser, PHONE), openPerson(browser)]);
  await enter(ann.page, 'Ann');
  await hasRole(ann.page, 'You are the host.');
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

// To the gate, and through it; gate: what it says before.
async function enter(page, name, gate = '') {
  await page.goto(link);
  await page.waitForSelector(`#gate-words:not(:empty)`);
  assert.ok((await page.textContent('#gate-words')).includes(gate), await page.textContent('#gate-words'));
  await page.fill('#gate-name', name);
  await page.click('#gate-join');
}

const knockOf = (name) => ann.page.locator('.knock', { hasText: `${name} wants to come in` });

async function setDoor(door) {
  await ann.page.$eval('#host-tools', (panel) => (panel.open = true));
  await ann.page.check(`#door-${door}`);
  await until(async () => (await (await fetch(link.replace('player.html?session=', 'api/sessions/'))).json()).door === door, `the door is ${door}`);
}

step('what the host sends or reads out is in one panel', async () => {
  await ann.page.click('#share');
  await ann.page.waitForSelector('#share-qr svg');
  assert.match(await ann.page.inputValue('#share-code'), /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  assert.equal(await ann.page.inputValue('#share-link'), link);
  await takePicture(ann.page, 'share');
  await assertTargets(ann.page, 'the share panel');
  await ann.page.keyboard.press('Escape');
});

step('the host chooses among three doors in words', async () => {
  await ann.page.$eval('#host-tools', (panel) => (panel.open = true));
  assert.equal(await ann.page.isChecked('#door-open'), true);
  await takePicture(ann.page, 'door-tools', { of: '.doors' });
  await setDoor('knock');
  assert.equal(await ann.page.isChecked('#door-knock'), true);
});

step('who knocks is told so at the gate, waits, and says so on a phone', async () => {
  await enter(ben.page, 'Ben', 'The host lets people in');
  await hasStatus(ben.page, 'Waiting for the host to let you in');
  await ben.page.waitForSelector('#big-action:has-text("Wait no longer")');
  assert.equal(await ben.page.isVisible('.side'), false, 'nobody is seen from there');
  await takePicture(ben.page, 'door-waiting');
  await assertAccessible(ben.page, 'waiting at the door');
  await assertTargets(ben.page, 'waiting at the door');
});

step('the host sees and hears who it is, and lets them in by the keyboard', async () => {
  await knockOf('Ben').waitFor();
  await until(async () => (await ann.page.textContent('#knocks-live')).includes('Ben'), 'it is announced');
  await takePicture(ann.page, 'door-knock');
  await assertAccessible(ann.page, 'somebody knocks');
  await assertTargets(ann.page, 'somebody knocks');
  await ann.page.focus('#status');
  await ann.page.keyboard.press('Shift+Tab');
  await ann.page.keyboard.press('Shift+Tab');
  assert.equal(await ann.page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Let in Ben');
  await ann.page.keyboard.press('Enter');
  await ben.page.waitForSelector('.app:not(.at-the-door) .people-list .person', { state: 'attached' });
  await hasRole(ben.page, 'Ann controls playback');
  await ann.page.waitForSelector('#knocks', { state: 'hidden' });
  assert.equal(await ann.page.evaluate(() => document.activeElement.id), 'status', 'the focus is not lost');
});

step('who is refused is told so, and does not come back by itself', async () => {
  await enter(cem.page, 'Cem', 'The host lets people in');
  await knockOf('Cem').locator('button:text-is("Refuse")').click();
  await hasStatus(cem.page, 'The host did not let you in');
  await assertAccessible(cem.page, 'refused');
  await takePicture(cem.page, 'door-refused');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(await ann.page.isVisible('#knocks'), false);
});

step('who leaves is seen to leave', async () => {
  await enter(cem.page, 'Cem', 'The host lets people in');
  await knockOf('Cem').waitFor();
  await cem.page.click('#big-action');
  await ann.page.waitForSelector('#knocks', { state: 'hidden' });
});

step('the host is on a phone, too: what is to be answered is in reach there', async () => {
  await enter(cem.page, 'Cem', 'The host lets people in');
  await knockOf('Cem').waitFor();
  await ann.page.setViewportSize(PHONE.viewport);
  await assertTargets(ann.page, 'somebody knocks, on a phone');
  await knockOf('Cem').locator('button:text-is("Let in")').click();
  await hasRole(cem.page, 'Ann controls playback');
  await ann.page.setViewportSize({ width: 1280, height: 720 });
});

step('who is removed stays out, and is told so again', async () => {
  const dan = await openPerson(browser);
  await enter(dan.page, 'Dan');
  await knockOf('Dan').locator('button:text-is("Let in")').click();
  await hasRole(dan.page, 'Ann controls playback');
  await ann.page.$eval('#people-panel', (panel) => (panel.open = true));
  const row = rowOf(ann.page, 'Dan');
  await row.locator('summary').click();
  await row.locator('.menu-item:text-is("Remove")').click();
  await ann.page.click('#confirm-yes');
  await hasStatus(dan.page, 'The host removed you');
  for (const door of ['open', 'knock']) {
    await setDoor(door);
    await enter(dan.page, 'Somebody else');
    await hasStatus(dan.page, 'The host removed you from this session');
  }
  assert.equal(await ann.page.isVisible('#knocks'), false, 'the host is not asked');
  await dan.page.context().clearCookies();
  await enter(dan.page, 'Dan');
  await knockOf('Dan').locator('button:text-is("Refuse")').click(); // no more is claimed
  await hasStatus(dan.page, 'The host did not let you in');
  await dan.page.context().close();
});

step('who is removed, and the door locked with it, stays out', async () => {
  const row = rowOf(ann.page, 'Cem');
  await ann.page.$eval('#people-panel', (panel) => (panel.open = true));
  await row.locator('summary').click();
  await row.locator('.menu-item:text-is("Remove and lock the session")').click();
  await ann.page.click('#confirm-yes');
  await hasStatus(cem.page, 'The host removed you');
  await until(() => ann.page.isChecked('#door-locked'), 'the host sees that it is locked');
  await enter(cem.page, 'Cem', 'The session is locked');
  await hasStatus(cem.page, 'The host removed you');
  eve = await openPerson(browser);
  await enter(eve.page, 'Eve', 'The session is locked');
  await hasStatus(eve.page, 'This session is locked');
  await assertAccessible(eve.page, 'locked');
  await takePicture(eve.page, 'door-locked');
});

step('who is in comes back through a locked door, and all come through an open one', async () => {
  await ben.page.reload();
  await ben.page.waitForSelector('#gate-words:not(:empty)');
  assert.ok(!(await ben.page.textContent('#gate-words')).includes('locked'), 'it is no matter to who was in');
  await ben.page.click('#gate-join');
  await hasRole(ben.page, 'Ann controls playback');
  await eve.page.goto(link);
  await eve.page.waitForSelector('#gate-words:has-text("The session is locked")');
  await setDoor('open');
  await eve.page.waitForSelector('#gate-words:not(:has-text("locked"))');
  await eve.page.fill('#gate-name', 'Eve');
  await eve.page.click('#gate-join');
  await hasRole(eve.page, 'Ann controls playback');
});
