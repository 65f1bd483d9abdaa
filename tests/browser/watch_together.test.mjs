// A showing from its beginning to its end, as people see it: one host and two viewers in real
// Chromium, on a real server. The steps build on each other.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { join, launchBrowser, measure, middleAheadMs, movedMs, openPerson, readings, seekTo, until } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { readMetric } from '../support/metrics.mjs';
import { madeSession, rowOf } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const step = story('a showing from its beginning to its end');
const IN_STEP_MS = 150;
let media;
let server;
let browser;
let ann; // the host
let ben;
let cem; // joins late
let link;

before(async () => {
  media = await makeMedia([{ name: 'demo', seconds: 90 }]);
  server = await startServer({
    args: ['--media', media.directory, '--host-grace', '1s', '--session-rate', '0'],
  });
  await untilFilmsAreKnown(server);
  browser = await launchBrowser();
  ann = await openPerson(browser);
  ben = await openPerson(browser);
  cem = await openPerson(browser);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

const status = (page) => page.textContent('#status-text');
const roleOf = (page) => page.textContent('#role');
const isHost = async (page) => (await roleOf(page)).startsWith('You are the host');

async function hasStatus(page, words) {
  let last = '';
  const look = async () => (last = await status(page)).includes(words);
  await until(look, () => `status "${words}", last "${last}"`);
}

async function assertInStep(pages) {
  for (const other of pages.slice(1)) {
    let ahead;
    await until(async () => {
      for (const page of pages) await hasStatus(page, 'In step');
      ahead = await middleAheadMs(other, pages[0]);
      return (await Promise.all(pages.map(status))).every((words) => words.includes('In step'));
    }, 'all say that they are in step while that is judged');
    assert.ok(Math.abs(ahead) < IN_STEP_MS, `${ahead.toFixed(0)} ms apart`);
  }
}

// At rest: on one position, to the half millisecond within which a player does not seek once more.
// The last of them may still be seeking.
function assertSamePosition(pages) {
  return until(async () => {
    const measures = await Promise.all(pages.map(measure));
    const positions = measures.map(({ position }) => position);
    const spreadS = Math.max(...positions) - Math.min(...positions);
    return measures.every(({ paused }) => paused) && spreadS <= 0.001 && measures[0];
  }, 'everybody stands on one position').then(({ position }) => position);
}

step('a wrong key is told, and what was typed stays', async () => {
  const { page } = ben;
  await page.goto(server.origin);
  await page.fill('#join-key', '1b4e28ba-2fa1-4d3b-a1c5-0123456789ab');
  await page.click('#join');
  await page.waitForSelector('#join-message.error');
  assert.match(await page.textContent('#join-message'), /no session with this key/);
  assert.equal(await page.inputValue('#join-key'), '1b4e28ba-2fa1-4d3b-a1c5-0123456789ab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'join-key');
});

step('a link to a session that is not there bars the way', async () => {
  const { page } = ben;
  await page.goto(`${server.origin}/player.html?session=1b4e28ba-2fa1-4d3b-a1c5-0123456789ab`);
  await page.waitForSelector('#gate-home:not([hidden])');
  assert.match(await page.textContent('#gate-words'), /does not exist/);
  // The browser tells of it by itself.
  assert.match(ben.faults.splice(0).join('\n'), /^Failed to load resource: [^\n]* 404 \(Not Found\)$/);
});

step('Ann creates a session, is in its room, and gets a link without a secret', async () => {
  const { page } = ann;
  await page.goto(server.origin);
  await page.fill('#name', 'Ann');
  await page.press('#name', 'Tab');
  await page.click('#create');
  let key;
  ({ link, key } = await madeSession(page));
  assert.equal(link, `${server.origin}/player.html?session=${key}`);
  const stored = await page.evaluate((item) => localStorage.getItem(item), `videosync.host.${key}`);
  assert.ok(stored, 'the host token is kept for later');
});

step('whoever joins first, the creator is host', async () => {
  await ann.page.goto(server.origin);
  await join(ben.page, link, 'Ben');
  await hasStatus(ben.page, 'Ready to start');
  await ann.page.click('.recent-link');
  await ann.page.waitForSelector('#gate-join:enabled');
  assert.equal(await ann.page.inputValue('#gate-name'), 'Ann', 'the name is remembered');
  await ann.page.click('#gate-join');
  await until(() => isHost(ann.page), 'Ann is host');
  await until(async () => (await roleOf(ben.page)).startsWith('Ann controls'), 'Ben knows it');
});

step('play: everybody runs, in step', async () => {
  await ann.page.keyboard.press('k');
  for (const { page } of [ann, ben]) {
    await until(async () => (await measure(page)).position > 0.5, 'the picture advances');
  }
  await assertInStep([ann.page, ben.page]);
});

step('a late joiner is in place, and nobody else is moved', async () => {
  const before = await readings(ann.page);
  await join(cem.page, link, 'Cem');
  await hasStatus(cem.page, 'In step');
  await assertInStep([ann.page, ben.page, cem.page]);
  const drift = movedMs(before, await readings(ann.page));
  assert.ok(Math.abs(drift) < IN_STEP_MS, `Ann was moved by ${drift} ms`);
});

step('the operator sees how long each waited for the film, how far they are apart, and what they play', async () => {
  const seconds = (name) => readMetric(server, `first_frame_seconds_${name}`);
  await until(async () => (await seconds('count')) >= 3, 'Ann, Ben and Cem have told it');
  // Ann was here before, and may have stayed long enough to tell it.
  assert.ok((await seconds('count')) <= 4);
  assert.ok((await seconds('sum')) > 0);
  assert.equal(await seconds('bucket{le="20"}'), await seconds('count'));
  await until(async () => (await readMetric(server, 'viewer_skew_seconds_bucket{le="0.25"}')) >= 3, 'they are in step');
  assert.ok((await readMetric(server, 'reports_playing_total{form="file"}')) >= 3);
});

step('pause: everybody stands on the same position', async () => {
  await ann.page.keyboard.press('k');
  await hasStatus(ann.page, 'Paused by you');
  for (const { page } of [ben, cem]) await hasStatus(page, 'Paused by Ann');
  await assertSamePosition([ann.page, ben.page, cem.page]);
});

step('a viewer who presses play is told why nothing happens', async () => {
  await ben.page.keyboard.press('k');
  await ben.page.waitForSelector('.toast:has-text("Only the host")');
  assert.equal((await measure(ben.page)).paused, true);
  await ben.page.evaluate(() => testSockets.at(-1).send(JSON.stringify({ type: 'play' })));
  await ben.page.waitForSelector('.toast:has-text("Only the host can do that.")');
  assert.equal((await measure(ann.page)).paused, true);
});

step('seek at rest: everybody is on the exact position', async () => {
  await seekTo(ann.page, 42);
  const at42 = ({ position }) => Math.abs(position - 42) < 0.001;
  await until(async () => at42(await measure(cem.page)), 'Cem follows');
  assert.ok(at42({ position: await assertSamePosition([ann.page, ben.page, cem.page]) }));
});

step('seek in mid-play: everybody is there and in step', async () => {
  await ann.page.evaluate(() => document.activeElement.blur());
  await ann.page.keyboard.press('k');
  await assertInStep([ann.page, ben.page, cem.page]);
  await ann.page.keyboard.press('ArrowRight');
  await ann.page.keyboard.press('ArrowRight');
  await until(async () => (await measure(ben.page)).position > 50, 'Ben follows');
  await assertInStep([ann.page, ben.page, cem.page]);
});

step('chat arrives as text, whatever it holds', async () => {
  await cem.page.fill('#chat-text', '<b>hello</b> & welcome');
  await cem.page.press('#chat-text', 'Enter');
  const line = ann.page.locator('.said-text');
  await line.waitFor();
  assert.equal(await line.textContent(), '<b>hello</b> & welcome');
});

step('a reaction floats over everybody\'s picture', async () => {
  await cem.page.click('.reaction >> nth=1');
  await Promise.all([ann, ben, cem].map(({ page }) => page.waitForSelector('.bubble:has-text("❤")', { state: 'attached' })));
});

step('control is given, and taken back by whoever created the session', async () => {
  const row = rowOf(ann.page, 'Ben');
  await row.locator('summary').click();
  await row.getByText('Give control').click();
  await until(() => isHost(ben.page), 'Ben is host');
  await until(async () => (await roleOf(ann.page)).startsWith('Ben controls'), 'Ann is not');
  await ann.page.click('#claim');
  await until(() => isHost(ann.page), 'Ann is host again');
});

step('where everyone may control, a viewer may pause and play', async () => {
  await ann.page.click('#host-tools summary');
  await ann.page.check('#set-everyone');
  await until(async () => (await roleOf(cem.page)).startsWith('Everyone'), 'Cem may');
  await cem.page.evaluate(() => document.activeElement.blur());
  await cem.page.keyboard.press('k');
  await hasStatus(ann.page, 'Paused by Cem');
  // Ann may hear of it first, and a second press before Cem's page knows would pause once more.
  await hasStatus(cem.page, 'Paused by you');
  await cem.page.keyboard.press('k');
  await assertInStep([ann.page, ben.page, cem.page]);
  await ann.page.uncheck('#set-everyone');
  await until(async () => (await roleOf(cem.page)).startsWith('Ann controls'), 'only Ann may');
});

step('a lost connection comes back as the same member, in step', async () => {
  const before = await ben.page.textContent('#viewer-count');
  await ben.page.evaluate(() => testSockets.at(-1).close(3000));
  await until(async () => (await ben.page.evaluate(() => testSockets.length)) === 2, 'it connects again');
  await assertInStep([ann.page, ben.page]);
  assert.equal(await ben.page.textContent('#viewer-count'), before);
});

step('the host goes: after the grace the longest-connected viewer is host', async () => {
  await ann.page.close();
  await until(() => isHost(ben.page), 'Ben takes over');
  await until(async () => (await roleOf(cem.page)).startsWith('Ben controls'), 'Cem knows it');
  await ben.page.evaluate(() => document.activeElement.blur());
  await ben.page.keyboard.press('k');
  await hasStatus(cem.page, 'Paused by Ben');
  await assertSamePosition([ben.page, cem.page]);
});

step('the creator returns and is host again', async () => {
  ann = { ...ann, page: await ann.context.newPage() };
  await join(ann.page, link, 'Ann');
  await until(() => isHost(ann.page), 'Ann is host');
});

step('removed, and ended: both are told and stay away', async () => {
  await rowOf(ann.page, 'Cem').locator('summary').click();
  await rowOf(ann.page, 'Cem').getByText('Remove', { exact: true }).click();
  await ann.page.click('#confirm-yes');
  await hasStatus(cem.page, 'The host removed you');
  await ann.page.click('#host-tools summary');
  await ann.page.click('#end');
  await ann.page.click('#confirm-yes');
  await hasStatus(ben.page, 'The session has ended');
  await hasStatus(ann.page, 'The session has ended');
});

step('no page had an error on its console or broke the security policy', () => {
  for (const { faults } of [ann, ben, cem]) assert.deepEqual(faults, []);
});
