// Parts of the pages that do not come, in real Chromium: a network that is away for a moment, a server that has
// been replaced by one of another version while a page stands open at the gate. Nobody is left with a button
// that does nothing. With VIDEOSYNC_SCREENSHOTS=folder each state leaves pictures.
import assert from 'node:assert/strict';
import { cp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { startBreakableProxy } from '../support/breakable_proxy.mjs';
import { launchBrowser, openPerson } from '../support/browser.mjs';
import { makeFolder } from '../support/files.mjs';
import { replaceByPackage } from '../support/hls.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession } from '../support/member.mjs';
import { hasStatus, takePicture } from '../support/player_page.mjs';
import { startRedis } from '../support/redis.mjs';
import { serverBinary, startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const ROOM = '**/watch.*.js';
const PICKER = '**/player/company/picker.*js';
const HLS = '**/vendor/hls.js/*.mjs';

let media;
let redis;
let older;
let newer;
let newerPages;
let proxy;
let browser;
let person;

before(async () => {
  media = await makeMedia([{ name: 'film', seconds: 20 }, { name: 'packed', seconds: 10 }]);
  await replaceByPackage(media.directory, 'packed');
  redis = await startRedis();
  newerPages = await makeNewerPages();
  const args = ['--media', media.directory, '--video', 'film', '--session-rate', '0', '--redis', redis.url];
  older = await startServer({ args });
  newer = await startServer({ args: [...args, '--www', newerPages.directory] });
  for (const node of [older, newer]) await untilFilmsAreKnown(node);
  proxy = await startBreakableProxy(older.origin);
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await proxy?.stop();
  await newer?.stop();
  await older?.stop();
  await redis?.stop();
  await newerPages?.remove();
  await media?.remove();
});

afterEach(async () => {
  proxy.turnTo(older.origin);
  await person?.context.close();
});

// The pages of the build, with a script of another hash.
async function makeNewerPages() {
  const folder = await makeFolder();
  await cp(path.join(path.dirname(serverBinary()), 'www'), folder.directory, { recursive: true });
  const names = (await readdir(folder.directory, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name);
  const [, hash] = /^player\.(\w+)\.js$/m.exec(names.join('\n'));
  const other = [...hash].reverse().join('');
  assert.notEqual(other, hash);
  for (const name of names) {
    if (/\.(br|gz)$/.test(name)) await rm(folder.path(name)); // of the older ones
    else if (/\.(html|js)$/.test(name)) {
      await writeFile(folder.path(name), (await readFile(folder.path(name), 'utf8')).replaceAll(hash, other));
      await rename(folder.path(name), folder.path(name.replace(hash, other)));
    }
  }
  return folder;
}

async function openGate({ video, ...options } = {}, prepare = () => {}) {
  const { key } = await createSession(older, video ? { video } : {});
  person = await openPerson(browser, options);
  const { page } = person;
  page.setDefaultTimeout(15_000);
  await prepare(page);
  await page.goto(`${proxy.origin}/player.html?session=${key}`);
  await page.waitForSelector('#gate-join:enabled');
  return page;
}

// As when its time has come.
const late = (page) => page.$eval('#not-started', (words) => words.getAnimations().forEach((wait) => wait.finish()));

test('a page whose very first script does not come says so in a while, and can be loaded anew', async () => {
  const { key } = await createSession(older);
  for (const [address, script, runs] of [
    [`/player.html?session=${key}`, '**/player.*.js', '#gate-join:enabled'], ['/', '**/home.*.js', '#create:enabled'],
  ]) {
    person = await openPerson(browser);
    const { page } = person;
    await page.route(script, (route) => route.abort(), { times: 1 });
    await page.goto(`${proxy.origin}${address}`);
    assert.equal(await page.isVisible('#not-started'), false, 'not at once');
    await late(page);
    await page.waitForSelector('#not-started:has-text("has not started")');
    if (address !== '/') await takePicture(page, 'not-started');
    await assertAccessible(page, address);
    await page.click('#not-started a');
    await page.waitForSelector(runs);
    assert.equal(await page.$('#not-started'), null);
    await person.context.close();
  }
});

// {route, letGo()}: what takes that way stands until it is let go.
function hold() {
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  return { letGo, route: (route) => held.then(() => route.continue()) };
}

const told = (page, words) => page.waitForSelector(`#gate-words:has-text("${words}")`);

async function joins(page) {
  await page.click('#gate-join:enabled');
  await page.waitForSelector('#app:not([hidden])');
}

test('a network that fails for a moment: the part is asked for again, and Join works', async () => {
  let failed = 0;
  const page = await openGate({}, (page) => page.route(ROOM, (route) => (failed++ === 0 ? route.abort() : route.continue())));
  await page.evaluate(() => (window.testStands = true));
  await joins(page);
  await hasStatus(page, 'Ready to start');
  assert.equal(failed, 2);
  assert.ok(await page.evaluate(() => window.testStands), 'the same page');
});

test('Join that comes before its part says so, waits for it, and goes on', async () => {
  const part = hold();
  const page = await openGate({}, (page) => page.route(ROOM, part.route));
  await page.click('#gate-join');
  await told(page, 'Coming in…');
  part.letGo();
  await hasStatus(page, 'Ready to start');
});

test('a session that is not there: that stands, also when the part has come', async () => {
  person = await openPerson(browser);
  const { page } = person;
  const part = hold();
  await page.route(ROOM, part.route);
  await page.goto(`${proxy.origin}/player.html?session=1b4e28ba-2fa1-4d3b-a1c5-0123456789ab`);
  await told(page, 'does not exist');
  const comes = page.waitForResponse(ROOM);
  part.letGo();
  const url = (await comes).url();
  // The page's own import is done before this one.
  await page.evaluate((name) => import(name).then(() => new Promise((done) => setTimeout(done))), url);
  assert.match(await page.textContent('#gate-words'), /does not exist/);
});

test('a server of another version meanwhile: the page says so, and loads itself anew with the name that was typed', async () => {
  const [part, reload] = [hold(), hold()];
  const page = await openGate({}, (page) => page.route(ROOM, part.route, { times: 1 }));
  await page.fill('#gate-name', 'Ann');
  const address = page.url();
  await page.route(address, reload.route);
  proxy.turnTo(newer.origin);
  part.letGo();
  await told(page, 'The server has been updated. This page is loading anew');
  await takePicture(page, 'gate-outdated');
  await assertAccessible(page, 'an outdated page');
  const isThere = page.waitForEvent('load');
  reload.letGo();
  await isThere;
  await page.waitForSelector('#gate-join:enabled');
  assert.deepEqual([page.url(), await page.inputValue('#gate-name')], [address, 'Ann']);
  await joins(page);
  await hasStatus(page, 'Ready to start');
  assert.equal(await page.textContent('.person:has(.rename-open:not([hidden])) .person-name'), 'Ann');
});

test('a part that is not there at all: the page is loaded anew once, then it says so, and is there when the part is', async () => {
  let loads = 0;
  const page = await openGate({}, async (page) => {
    page.on('load', () => (loads += 1));
    await page.route(ROOM, (route) => route.fulfill({ status: 404 }));
  });
  await told(page, 'A part of this page does not come.');
  assert.equal(loads, 2);
  await page.click('#gate-join');
  await page.unroute(ROOM);
  await hasStatus(page, 'Ready to start');
});

test('nobody answers while a part is fetched: that is said, and it goes on with the network', async () => {
  const page = await openGate({}, async (page) => {
    for (const what of [ROOM, '**/player.html']) await page.route(what, (route) => route.abort()); // without its query, as it is asked for then
  });
  await told(page, 'The server cannot be reached.');
  await page.click('#gate-join');
  await page.unrouteAll();
  await hasStatus(page, 'Ready to start');
});

test('words that do not come are English ones', async () => {
  const page = await openGate({ locale: 'de-DE' }, (page) => page.route('**/strings/de.*.js', (route) => route.fulfill({ status: 404 })));
  assert.equal(await page.textContent('#gate-join'), 'Join');
  assert.equal(await page.getAttribute('html', 'lang'), 'en');
  await joins(page);
  await hasStatus(page, 'Ready to start');
});

test('an adaptive stream whose player does not come: why, and a page that is loaded anew helps', async () => {
  const page = await openGate({ video: 'packed' }, (page) => page.route(HLS, (route) => route.fulfill({ status: 404 })));
  await page.evaluate(() => (HTMLVideoElement.prototype.canPlayType = () => ''));
  await joins(page);
  await hasStatus(page, 'a part of this page did not come');
  await takePicture(page, 'part-missing');
  await page.unroute(HLS);
  await page.click('#big-action:has-text("Load this page anew")');
  await page.waitForSelector('#gate-join:enabled');
  await joins(page);
  await hasStatus(page, 'Ready to start');
});

test('the picker comes when a hand is near a button that opens it, once', async () => {
  const page = await openGate();
  let asked = 0;
  page.on('request', (request) => (asked += /\/company\/picker\./.test(request.url())));
  await joins(page);
  await page.click('#host-tools > summary');
  assert.equal(asked, 0);
  await Promise.all([page.waitForResponse(PICKER), page.hover('#choose')]);
  assert.equal(await page.isVisible('#picker'), false);
  for (const id of ['choose', 'choose']) {
    await page.click(`#${id}`);
    await page.waitForSelector('#picker[open] .picker-card');
    await page.keyboard.press('Escape');
  }
  assert.equal(asked, 1);
});

test('a picker that does not come: the button says why, and works once it can', async () => {
  const page = await openGate();
  await joins(page);
  await page.click('#host-tools > summary');
  await page.route(PICKER, (route) => route.fulfill({ status: 404 }));
  await page.click('#choose');
  await page.waitForSelector('.toast:has-text("A part of this page did not come; the server may have been updated. Load this page anew.")');
  for (const what of [PICKER, '**/player.html']) await page.route(what, (route) => route.abort());
  await page.click('#choose');
  await page.waitForSelector('.toast:has-text("The server cannot be reached. Check your connection and try again.")');
  assert.equal(await page.isVisible('#picker'), false);
  await page.unrouteAll();
  await page.click('#choose');
  await page.waitForSelector('#picker[open] .picker-card');
});
