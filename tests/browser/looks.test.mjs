// What meets the eye, in real Chromium on a real server: colours that the viewer has chosen for
// everything, pictures too small for all their buttons, and what stays where it is when something is said.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { clockOf, join } from '../support/browser.mjs';
import { openCinema } from '../support/cinema.mjs';
import { contrastOf } from '../support/contrast.mjs';
import { makeFolder } from '../support/files.mjs';
import { createSession } from '../support/member.mjs';
import { hasStatus, openPicker, tell } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';

const CONTRAST_LEAST = 3; // WCAG 2.2, 1.4.11
const TITLE = 'The long way round, and what was seen of the country on the way, told in three evenings';
let cinema;
let server;

// Captions, and a film in two versions.
async function furnish(directory) {
  await writeFile(path.join(directory, 'film.en.vtt'), 'WEBVTT\n\n00:00.000 --> 00:59.000\nHello\n');
  await mkdir(path.join(directory, 'Two (2001)'));
  for (const version of ['720p', '1080p']) await writeFile(path.join(directory, 'Two (2001)', `Two (2001) - ${version}.mp4`), 'x');
}

before(async () => {
  cinema = await openCinema({ films: [{ name: 'film', seconds: 60 }, { name: TITLE, seconds: 5 }], furnish, unreadable: ['two-2001-1080p'], args: ['--video', 'film'] });
  ({ server } = cinema);
});

// A page that nobody looks at any more costs as much as one that is tested.
afterEach(() => cinema?.empty());
after(() => cinema?.close());

const meet = async (options) => (await cinema.meet(options)).page;
const newLink = () => cinema.newLink();
const boxOf = (page, selector) => page.locator(selector).boundingBox();

for (const colorScheme of ['light', 'dark']) {
  test(`with forced colours every control can be seen, ${colorScheme}`, async () => {
    const page = await meet({ viewport: { width: 1280, height: 800 }, forcedColors: 'active', colorScheme });
    await join(page, await newLink(), 'Ann');
    await hasStatus(page, 'Ready to start');
    const ids = ['play', 'back', 'forward', 'mute', 'volume', 'rate', 'captions', 'pip', 'help', 'theatre', 'full', 'scrubber', 'big-play'];
    for (const id of [...ids, 'status-sign']) {
      const contrast = await contrastOf(page, `#${id}`);
      assert.ok(contrast >= CONTRAST_LEAST, `${id}: ${contrast.toFixed(1)}`);
    }
    await page.click('#captions');
    await page.waitForFunction(() => document.activeElement.closest('media-captions-menu'));
    const checked = 'media-captions-menu [role=menuitemradio][aria-checked=true] [part~=checked-indicator]';
    assert.ok((await contrastOf(page, checked)) >= CONTRAST_LEAST, 'which captions are chosen');
  });

  test(`with forced colours the code of the link can be read, ${colorScheme}`, async () => {
    const page = await meet({ forcedColors: 'active', colorScheme });
    await page.goto(server.origin);
    assert.ok((await contrastOf(page, '.poster-play >> nth=0')) >= CONTRAST_LEAST, 'the sign to play');
    await page.click('#create:enabled');
    await page.waitForSelector('#share-qr svg');
    assert.ok((await contrastOf(page, '#share-qr svg')) > 15, 'dark on white');
  });
}

const SIZES = [
  [1280, 800], [1000, 700], [920, 700], [900, 600], [844, 390], [700, 800], [640, 400], [667, 375], [620, 800], [540, 800], [480, 800], [390, 844], [360, 640],
];

// The controls that are shown, and which of these lie beside the picture.
function rowOf(page) {
  return page.evaluate(() => {
    const stage = document.querySelector('#stage').getBoundingClientRect();
    const controls = [...document.querySelectorAll('.control-row > :not(.spring)')].filter((one) => one.checkVisibility());
    const isBeside = (box) => box.left < stage.left || box.right > stage.right + 0.5 || box.bottom > stage.bottom + 0.5;
    return {
      stageWidth: stage.width,
      beside: controls.filter((one) => isBeside(one.getBoundingClientRect())).map(({ id }) => id),
      shown: controls.map(({ id }) => id),
    };
  });
}

for (const [what, qualities] of [['all there can be in the row', true], ['all but qualities, which a file has not', false]]) {
  test(`no control lies beside the picture, however small that is: ${what}`, async () => {
    const page = await meet({ viewport: { width: 1280, height: 800 } });
    await join(page, await newLink(), 'Ann');
    await hasStatus(page, 'Ready to start');
    for (const id of ['captions', 'pip', ...(qualities ? ['quality'] : [])]) await page.$eval(`#${id}`, (one) => (one.hidden = false));
    await page.$eval('#time', (display) => Object.assign(display, { mediaCurrentTime: 3_600, mediaDuration: 5_400 })); // a film of hours
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      for (const theatre of [false, true]) {
        for (const panels of [false, true]) {
          await page.evaluate(({ theatre: isWanted, panels: areWanted }) => {
            const app = document.querySelector('#app').classList;
            if ((document.querySelector('#theatre').getAttribute('aria-pressed') === 'true') !== isWanted) document.querySelector('#theatre').click();
            if (app.contains('alone') && app.contains('with-panels') !== areWanted) document.querySelector('#panels').click();
          }, { theatre, panels });
          const { beside, shown, stageWidth } = await rowOf(page);
          const where = `${width}x${height}${theatre ? ', theatre' : ''}${panels ? ', panels' : ''}`;
          assert.deepEqual(beside, [], where);
          const needed = ['play', 'mute', 'rate', 'captions', 'full', ...(qualities ? ['quality'] : []), ...(!qualities || stageWidth >= 480 ? ['pip'] : [])];
          for (const id of needed) assert.ok(shown.includes(id), `${id}: ${where}`);
        }
      }
    }
    assert.match(await clockOf(page), /^1:00:00\s\/\s1:30:00$/);
  });
}

for (const [name, viewport] of [['a phone on its side', { width: 844, height: 390 }], ['a desk', { width: 1000, height: 700 }]]) {
  test(`at the gate a fault is in sight and moves nothing above it, ${name}`, async () => {
    const { key, hostToken } = await createSession(server, { video: (await listed(TITLE)).id });
    assert.ok(hostToken);
    const page = await meet({ viewport });
    await page.goto(`${server.origin}/player.html?session=${key}`);
    await page.waitForSelector('#gate-join:enabled');
    await page.waitForSelector('#gate-words:has-text("Nobody is here yet")');
    const before = await boxOf(page, '#gate-title');
    await page.fill('#gate-name', '\u200b');
    await page.click('#gate-join');
    await page.waitForSelector('#gate-name-fault:has-text("Nothing of this name can be seen")');
    assert.deepEqual(await boxOf(page, '#gate-title'), before);
    assert.equal(await page.evaluate(() => scrollY), 0);
    for (const selector of ['#gate-name-fault', '#gate-join']) {
      const { y, height } = await boxOf(page, selector);
      assert.ok(y >= 0 && y + height <= viewport.height, `${selector}: ${y} to ${y + height}`);
    }
  });

  test(`on the start page a wrong key is told in sight, and the heading stays, ${name}`, async () => {
    const page = await meet({ viewport });
    await page.goto(server.origin);
    await page.waitForSelector('.poster');
    const headingAt = () => page.evaluate(() => document.querySelector('#hero-title').getBoundingClientRect().top + scrollY);
    const before = await headingAt();
    await page.fill('#join-key', 'not a key');
    await page.press('#join-key', 'Enter');
    await page.waitForSelector('#join-message.error:has-text("not a session")');
    assert.equal(await headingAt(), before);
    const { y, height } = await boxOf(page, '#join-message');
    assert.ok(y >= 0 && y + height <= viewport.height, `${y} to ${y + height}`);
  });
}

async function listed(title) {
  const { videos } = await (await fetch(`${server.origin}/api/videos`)).json();
  return videos.find((video) => video.title === title);
}

test('lists to choose from look the same in every engine: the page draws them', async () => {
  const page = await meet();
  const looks = (selector) => page.$eval(selector, (list) => {
    const { appearance, backgroundImage } = getComputedStyle(list);
    return [appearance, backgroundImage.startsWith('linear-gradient')];
  });
  await page.goto(server.origin);
  assert.deepEqual(await looks('#language'), ['none', true]);
  await join(page, await newLink(), 'Ann');
  await openPicker(page);
  assert.deepEqual(await looks('.picker-card select'), ['none', true]);
});

test('a button\'s word is never broken, whatever stands beside it', async () => {
  const page = await meet({ viewport: { width: 390, height: 844 }, locale: 'de-DE' });
  await page.addInitScript(() => localStorage.setItem('videosync.name', 'Wer einen langen Namen hat, bricht um'));
  await page.goto(server.origin);
  await page.waitForSelector('#name-change:visible');
  const lines = await page.$eval('#name-change', (button) => {
    const range = document.createRange();
    range.selectNodeContents(button);
    return range.getClientRects().length;
  });
  assert.equal(lines, 1);
});

test('a German page is German throughout: captions, refusals, times', async () => {
  const page = await meet({ locale: 'de-DE' });
  await join(page, await newLink(), 'Ann');
  await hasStatus(page, 'Startbereit');
  await page.keyboard.press('c');
  await page.waitForSelector('.toast:text-is("Untertitel: Englisch")');
  await page.click('#captions');
  await page.locator('media-captions-menu [role=menuitemradio]', { hasText: 'Englisch' }).waitFor();
  await tell(page, { type: 'no such thing' });
  await page.waitForSelector('.toast:text-is("Das kennt der Server nicht. Lade diese Seite neu.")');
});

test('an English page in Britain has its clock', async () => {
  const page = await meet({ locale: 'en-GB' });
  await join(page, await newLink(), 'Ann');
  await page.fill('#chat-text', 'What a time 👍');
  await page.press('#chat-text', 'Enter');
  await page.waitForSelector('#messages time');
  assert.match(await page.textContent('#messages time'), /^\d\d:\d\d$/);
});

test('emoji are looked for in the system\'s font for them before the one for text', async () => {
  const page = await meet();
  await join(page, await newLink(), 'Ann');
  const first = (selector) => page.$eval(selector, (one) => getComputedStyle(one).fontFamily.split(',')[0].replaceAll('"', ''));
  for (const selector of ['#messages', '#title', '#people']) assert.equal(await first(selector), 'System Emoji');
  const ranges = await page.evaluate(() => [...document.fonts].filter(({ family }) => /System Emoji/.test(family)).map(({ unicodeRange }) => unicodeRange));
  assert.match(ranges[0], /U\+1F000-1FAFF/i);
  assert.doesNotMatch(ranges[0], /U\+(00|2[0-9a-f](,|$)|3[0-9])/i, 'never the figures, which such fonts have as well');
});

test('an empty chat says what to do, until somebody has', async () => {
  const page = await meet();
  await join(page, await newLink(), 'Ann');
  assert.match(await page.textContent('#chat-empty'), /write below/);
  assert.ok(await page.isVisible('#chat-empty'));
  await page.fill('#chat-text', 'hello');
  await page.press('#chat-text', 'Enter');
  await page.waitForSelector('#chat-empty', { state: 'hidden' });
});

test('an empty library says where films go', async () => {
  const empty = await makeFolder();
  const bare = await startServer({ args: ['--media', empty.directory] });
  try {
    const page = await meet();
    await page.goto(bare.origin);
    await page.waitForSelector('#library-words:has-text("--media")');
    assert.match(await page.textContent('#library-words'), /MP4 with H\.264 and AAC/);
    await assertAccessible(page, 'an empty library');
  } finally {
    await bare.stop();
    await empty.remove();
  }
});

test('no page had an error on its console or broke the security policy', () => {
  cinema.assertFaultless();
});
