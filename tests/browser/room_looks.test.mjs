// How the room looks when much is open and little space is there, in real Chromium on a real server: what lies over
// what, what is in sight, what is cut.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join, until } from '../support/browser.mjs';
import { openCinema } from '../support/cinema.mjs';
import { createSession } from '../support/member.mjs';
import { openPicker } from '../support/player_page.mjs';

const LONG = 'The long way round, and what was seen of the country on the way';
const FILMS = ['film', LONG, ...Array.from({ length: 11 }, (_, i) => `film ${i}`)];
const SIDEWAYS = [{ width: 844, height: 390 }, { width: 667, height: 375 }];
const SOON_MS = 500; // figures that change are shown every second
let cinema;

before(async () => {
  cinema = await openCinema({ films: FILMS.map((name) => ({ name, seconds: 20 })), args: ['--video', 'film'] });
});

after(() => cinema?.close());

const open = (page, ...ids) => page.evaluate((all) => {
  for (const id of all) document.querySelector(`#${id}`).open = true;
}, ids);
const boxOf = (page, selector) => page.locator(selector).first().boundingBox();
const areApart = (a, b) => a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
const say = async (page, text) => {
  await page.fill('#chat-text', text);
  await page.press('#chat-text', 'Enter');
  await page.waitForSelector(`.said-text:text-is("${text}")`);
};

for (const locale of ['en-US', 'de-DE']) {
  test(`on a phone on its side nothing over the picture covers anything else, and each button has a name, ${locale}`, async () => {
    const link = await cinema.newLink();
    const people = [];
    for (const name of ['Ann', 'Ben']) {
      people.push(await cinema.meet({ viewport: SIDEWAYS[0], locale }));
      await join(people.at(-1).page, link, name);
    }
    for (const { page } of people) {
      await page.waitForSelector('#ready:visible');
      for (const size of SIDEWAYS) {
        await page.setViewportSize(size);
        for (const panels of [false, true]) {
          if ((await page.isVisible('#side')) !== panels) await page.click('#panels');
          const [status, buttons] = [await boxOf(page, '#status'), await boxOf(page, '.under-picture')];
          const where = `${size.width}${panels ? ' with panels' : ''}: ${JSON.stringify([status, buttons])}`;
          assert.ok(areApart(status, buttons), where);
          assert.ok(buttons.x >= 0 && buttons.x + buttons.width <= size.width, where);
          assert.match(await page.textContent('#ready'), /ready|bereit/);
          assert.ok(await page.isVisible('#ready span'), 'in words');
        }
        await page.click('#panels');
      }
    }
    await assertAccessible(people[0].page, 'a phone on its side');
    const [{ page: ann }, { page: ben }] = people;
    await ben.click('#panels');
    await say(ben, 'hello');
    const heard = ann.locator('#overheard p');
    await heard.waitFor();
    assert.ok(areApart(await boxOf(ann, '#status'), await heard.boundingBox()), 'what is said lies below');
    await cinema.empty();
  });
}

for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
  test(`whatever is open, the chat is in sight, and so is what the keyboard reaches, ${viewport.width} wide`, async () => {
    const { people: [{ page }] } = await cinema.seat(['Ann'], { viewport });
    await open(page, 'people-panel', 'queue-panel', 'host-tools', 'ear-panel');
    const isInSight = (id) => page.$eval(id, (one) => {
      const { left, top, width, height } = one.getBoundingClientRect();
      return [0.1, 0.9].every((part) => one.contains(document.elementFromPoint(left + width / 2, top + height * part)));
    });
    assert.ok(await isInSight('#chat-text'));
    await page.focus('#choose');
    for (const id of ['set-everyone', 'set-queue', 'set-wait', 'door-open', 'end']) {
      await page.keyboard.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement.id), id);
      assert.ok(await isInSight(`#${id}`), id);
      assert.ok(await isInSight('#chat-text'), `the chat, at ${id}`);
    }
    await cinema.empty();
  });
}

test('the host\'s mark stands in one line with the name', async () => {
  const { people: [{ page }] } = await cinema.seat(['Ann']);
  await say(page, 'hello');
  await page.waitForSelector('.said-name .said-host .icon');
  const [name, time] = [await boxOf(page, '.said-name'), await boxOf(page, '.said-at')];
  assert.ok(name.height < 30 && Math.abs(name.y - time.y) < 10, JSON.stringify([name, time]));
  await cinema.empty();
});

test('the picker on a phone: its buttons are in sight, what it says moves nothing, and newest first is a choice', async () => {
  const { people: [{ page }] } = await cinema.seat(['Ann'], { viewport: SIDEWAYS[0] });
  await page.click('#panels');
  await openPicker(page);
  const list = await boxOf(page, '#picker-list');
  const button = await boxOf(page, '.picker-card button:visible');
  assert.ok(button.y >= list.y && button.y + button.height <= list.y + list.height, JSON.stringify([list, button]));
  await page.locator('.picker-card', { hasText: LONG }).getByText('Add').click();
  await page.waitForSelector('#picker-words:has-text("Added: The long way")');
  assert.deepEqual(await boxOf(page, '#picker-list'), list);
  const first = () => page.textContent('.picker-cards li:nth-child(1) strong');
  assert.equal(await first(), 'film');
  const asked = page.waitForRequest((request) => request.url().includes('order=newest'));
  await page.selectOption('#picker-order', 'newest');
  await asked;
  await page.keyboard.press('Escape');
  await page.waitForSelector('#picker', { state: 'hidden' });
  await page.waitForSelector('.queue-title', { state: 'attached' });
  await cinema.empty();
});

test('how many are ready is told at once', async () => {
  const { people: [ann, ben] } = await cinema.seat(['Ann', 'Ben']);
  await ann.page.evaluate(() => {
    window.testSockets.at(-1).addEventListener('message', ({ data }) => {
      const { type, ready } = JSON.parse(data);
      if (type === 'members' && ready === 1) window.testToldMs ??= performance.now();
    });
    new MutationObserver(() => (window.testShownMs ??= performance.now())).observe(document.querySelector('#status-detail'), { childList: true, characterData: true, subtree: true });
  });
  await ben.page.click('#ready');
  await until(() => ann.page.evaluate(() => window.testShownMs !== undefined), 'it is shown');
  const tookMs = await ann.page.evaluate(() => window.testShownMs - window.testToldMs);
  assert.ok(tookMs < SOON_MS, `${tookMs} ms`);
  await cinema.empty();
});

// Each in the moment between the choice and the server's word on it.
test('what the host has chosen stays chosen, whatever else is told meanwhile', async () => {
  const { people: [ann] } = await cinema.seat(['Ann']);
  await open(ann.page, 'host-tools');
  for (const id of ['door-locked', 'set-everyone', 'set-wait', 'set-queue']) {
    const stays = await ann.page.evaluate((wanted) => {
      const box = document.getElementById(wanted);
      const before = box.checked;
      box.click();
      const data = JSON.stringify({ type: 'members', count: 1, ready: 0, joined: [], left: [], changed: [] });
      window.testSockets.at(-1).dispatchEvent(new MessageEvent('message', { data }));
      return box.checked !== before;
    }, id);
    assert.ok(stays, id);
  }
  await cinema.empty();
});

test('who was never in sees no empty chat', async () => {
  const { key, hostToken } = await createSession(cinema.server);
  const link = `${cinema.server.origin}/player.html?session=${key}`;
  const ann = await cinema.meet();
  await join(ann.page, `${link}#host=${hostToken}`, 'Ann');
  await open(ann.page, 'host-tools');
  await ann.page.check('#door-locked');
  await until(async () => (await (await fetch(`${cinema.server.origin}/api/sessions/${key}`)).json()).door === 'locked', 'it is locked');
  const ben = await cinema.meet();
  await join(ben.page, link, 'Ben');
  await ben.page.waitForSelector('#big-words:has-text("locked")');
  assert.equal(await ben.page.isVisible('#side'), false);
  const { width } = await boxOf(ben.page, '#stage');
  assert.equal(width, ben.page.viewportSize().width, 'the picture has its place');
  await cinema.empty();
});

test('the share panel has the link as a code to be scanned, and sends it where the browser can', async () => {
  const { link } = await cinema.seat(['Ann']);
  const phone = await cinema.meet({ viewport: { width: 390, height: 844 } });
  await phone.page.addInitScript(() => {
    navigator.canShare = () => true;
    navigator.share = async (what) => void (window.testSent = what);
  });
  await join(phone.page, link, 'Ben');
  await phone.page.click('#share');
  await phone.page.waitForSelector('#share-qr svg[role=img]');
  await phone.page.click('#send-link');
  assert.equal(await phone.page.evaluate(() => window.testSent.url), link);
  await assertAccessible(phone.page, 'the share panel');
  const { y, height } = await boxOf(phone.page, '#share-dialog');
  assert.ok(y >= 0 && y + height <= 844, 'all of it is on the screen');
  await cinema.empty();
});
