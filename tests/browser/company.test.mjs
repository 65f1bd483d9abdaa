// The people and what they say, as others see it in real Chromium on a real server: chat, unread
// marks, reactions, names, how far each is off, and a session of many. Ben, Cem and the crowd speak
// the protocol from here.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import WebSocket from 'ws';
import { assertAccessible } from '../support/accessibility.mjs';
import { join as joinPage, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession, join } from '../support/member.mjs';
import { hasRole, rowOf, takePicture } from '../support/player_page.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const step = story('the people, and what they say');
const CROWD = 150;
let media;
let server;
let browser;
let ann; // the host, in a browser
let ben;
let key;
const crowd = [];

before(async () => {
  media = await makeMedia([{ name: 'film', seconds: 10 }]);
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--host-grace', '1s'] });
  await untilFilmsAreKnown(server);
  browser = await launchBrowser();
  ann = await openPerson(browser, { reducedMotion: 'reduce' });
  ({ key } = await createSession(server));
  await joinPage(ann.page, `${server.origin}/player.html?session=${key}`, 'Ann');
  await hasRole(ann.page, 'You are the host.');
  ben = await join(server, key, { name: 'Ben' });
});

after(async () => {
  for (const member of crowd) member.terminate();
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

const row = (name) => rowOf(ann.page, name);
const lines = (selector) => ann.page.locator(`#messages ${selector}`);

step('who comes is told in the chat, several at once in one line', async () => {
  const guests = await Promise.all(['Cem', 'Dee', 'Eva', 'Fay'].map((name) => join(server, key, { name })));
  await ann.page.waitForSelector('#messages .event:has-text("joined")');
  const told = (await lines('.event').allTextContents()).filter((text) => text.includes('joined')).join(' ');
  assert.match(told, /others joined|Ben/);
  await Promise.all(guests.map((guest) => guest.close()));
  await ann.page.waitForSelector('#messages .event:has-text("left")');
});

step('what is said has a name and a time; links are links and nothing else is', async () => {
  ben.send('chat', { text: 'see https://example.org/a?b=1, <img src=x onerror=alert(1)> javascript:alert(1)' });
  await lines('.said-text').waitFor();
  assert.equal(await lines('.said-name').textContent(), 'Ben');
  assert.match(await lines('time').textContent(), /^\d\d:\d\d/);
  const links = await lines('a').evaluateAll((all) => all.map(({ href, rel, target }) => ({ href, rel, target })));
  assert.deepEqual(links, [
    { href: 'https://example.org/a?b=1', rel: 'noopener noreferrer nofollow ugc', target: '_blank' },
  ]);
  assert.equal(await lines('img').count(), 0);
});

step('what came while nobody looked is counted, and one press away', async () => {
  for (let i = 0; i < 30; i += 1) ben.send('chat', { text: `line ${i}` });
  await ann.page.waitForSelector('.said-text:text-is("line 29")', { state: 'attached' });
  assert.equal(await ann.page.isVisible('#unread'), false, 'the newest line is in sight');
  await ann.page.$eval('#messages', (list) => (list.scrollTop = 0));
  await until(() => ann.page.$eval('#messages', (list) => list.scrollTop === 0), 'scrolled up');
  const gil = await join(server, key, { name: 'Gil' }); // Ben has used up what the server takes of him for now
  for (const text of ['one', 'two']) gil.send('chat', { text: `${text} more` });
  await ann.page.waitForSelector('#unread:has-text("2 new messages")');
  await takePicture(ann.page, 'unread');
  await ann.page.click('#unread');
  await ann.page.waitForSelector('#unread', { state: 'hidden' });
  assert.ok(await ann.page.$eval('#messages', (list) => list.scrollHeight - list.scrollTop - list.clientHeight < 2));
  await gil.close();
});

step('who has just scrolled up is not pulled down by a line that came in the same moment', async () => {
  const place = await ann.page.evaluate(() => {
    const list = document.querySelector('#messages');
    list.scrollTop = 0;
    const data = JSON.stringify({ type: 'chat', from: 999, name: 'Hal', text: 'same moment', atMs: Date.now() });
    testSockets.at(-1).dispatchEvent(new MessageEvent('message', { data })); // before any scroll event
    return list.scrollTop;
  });
  assert.equal(await lines('.said-text').last().textContent(), 'same moment');
  assert.equal(place, 0);
  await ann.page.waitForSelector('#unread:has-text("1 new message")');
  await ann.page.click('#unread');
  await ann.page.waitForSelector('#unread', { state: 'hidden' });
});

step('the last hundred characters are counted down, and no more can be written', async () => {
  await ann.page.fill('#chat-text', 'x'.repeat(399));
  assert.equal(await ann.page.isVisible('#chat-left'), false);
  await ann.page.press('#chat-text', 'x');
  assert.equal(await ann.page.textContent('#chat-left'), '100 characters left');
  await ann.page.fill('#chat-text', 'x'.repeat(500));
  await ann.page.press('#chat-text', 'y');
  assert.equal((await ann.page.inputValue('#chat-text')).length, 500);
  await ann.page.fill('#chat-text', '');
});

step('emoji are chosen by hand and by keyboard, and stand where the text goes on', async () => {
  const { page } = ann;
  await page.fill('#chat-text', 'ab');
  await page.evaluate(() => document.querySelector('#chat-text').setSelectionRange(1, 1));
  await page.click('#emoji');
  await page.click('#emoji-menu >> text="🍿"');
  assert.equal(await page.inputValue('#chat-text'), 'a🍿b');
  await assertAccessible(page);
  await takePicture(page, 'emoji'); // in other sizes, which close it
  if (!(await page.isVisible('#emoji-menu'))) await page.click('#emoji');
  await page.focus('#emoji-menu [role=menuitem]');
  const positionBefore = await page.$eval('#video', ({ currentTime }) => currentTime);
  for (const key of ['ArrowDown', 'ArrowRight', 'ArrowUp', 'Enter']) await page.keyboard.press(key);
  assert.equal(await page.inputValue('#chat-text'), 'a🍿😂b');
  assert.equal(await page.$eval('#video', ({ currentTime }) => currentTime), positionBefore, 'the arrows are the menu\'s');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#emoji-menu', { state: 'detached' });
  await page.keyboard.press('Backspace');
  assert.equal(await page.inputValue('#chat-text'), 'a🍿b');
  await page.click('#emoji');
  await page.waitForSelector('#emoji-menu');
  await page.click('#emoji');
  await page.waitForSelector('#emoji-menu', { state: 'detached' });
  await page.fill('#chat-text', 'x'.repeat(499));
  await page.click('#emoji');
  await page.keyboard.press('Enter');
  assert.equal((await page.inputValue('#chat-text')).length, 499, 'there is no room for it');
  await page.keyboard.press('Escape');
  await page.fill('#chat-text', '');
});

step('what the server refuses for haste is told and not lost', async () => {
  await ann.page.evaluate(() => {
    for (let i = 0; i < 45; i += 1) testSockets.at(-1).send(JSON.stringify({ type: 'reaction', emoji: '👍' }));
    document.querySelector('#chat-text').value = 'too fast';
    document.querySelector('#chat-form').requestSubmit();
  });
  await ann.page.waitForSelector('#chat-fault:has-text("Too many messages at once")', { timeout: 5_000 });
  assert.equal(await ann.page.inputValue('#chat-text'), 'too fast');
  await until(async () => {
    await ann.page.press('#chat-text', 'Enter');
    return ann.page.$('.said-text:text-is("too fast")');
  }, 'it is sent in the end', 10_000, 300);
  await ann.page.waitForSelector('#chat-fault', { state: 'hidden' });
});

step('reactions float over the picture, never too many, and stand still where motion is unwelcome', async () => {
  for (let i = 0; i < 35; i += 1) ben.send('reaction', { emoji: '🎉' });
  await ann.page.waitForSelector('.bubble:has-text("🎉") > .bubble-name:text-is("Ben")', { state: 'attached' });
  const { count, moves } = await ann.page.evaluate(() => ({
    count: document.querySelectorAll('.bubble').length,
    moves: getComputedStyle(document.querySelector('.bubble')).animationName === 'rise',
  }));
  assert.ok(count <= 30, `${count} at once`);
  assert.equal(moves, false);
});

step('the host sees how far everybody is off, and who buffers', async () => {
  // Ben's reactions have used his allowance up: what is refused is said again.
  const sayUntilSeen = (report, selector) => until(async () => {
    ben.send('report', { rttMs: 20, ...report });
    return row('Ben').locator(selector).isVisible();
  }, selector, 15_000, 500);
  await sayUntilSeen({ driftMs: -340, buffering: false }, '.drift:has-text("340")');
  assert.match(await row('Ben').locator('.drift').getAttribute('aria-label'), /^How far Ben is off: −340/);
  await sayUntilSeen({ driftMs: -900, buffering: true }, '.tag:has-text("buffering")');
  await hasRole(ann.page, 'Buffering: Ben');
});

step('one changes one\'s own name by the keyboard, and everybody sees it', async () => {
  await row('Ann').locator('.rename-open').focus();
  await ann.page.keyboard.press('Enter');
  await ann.page.keyboard.type('Ännchen');
  await ann.page.keyboard.press('Enter');
  const news = await ben.next('members', ({ changed }) => changed.length > 0);
  assert.equal(news.changed[0].name, 'Ännchen');
  await row('Ännchen').waitFor();
  assert.equal(await ann.page.evaluate(() => document.activeElement.className), 'control rename-open');
  await ann.page.keyboard.press('Enter');
  await ann.page.keyboard.type('nobody');
  await ann.page.keyboard.press('Escape');
  assert.equal(await row('nobody').count(), 0);
});

step('in a session of many the list stays short and the count right', async () => {
  for (let i = 0; i < CROWD; i += 1) {
    crowd.push(new WebSocket(`${server.wsOrigin}/ws?session=${key}&name=Guest${i}`));
  }
  await until(async () => (await ann.page.textContent('#people-count')) === String(CROWD + 2), 'all are counted', 20_000);
  const late = await openPerson(browser);
  await joinPage(late.page, `${server.origin}/player.html?session=${key}`, 'Late');
  await until(async () => (await late.page.textContent('#people-count')) === String(CROWD + 3), 'counted for whoever comes late');
  const listed = await late.page.locator('.person').count();
  assert.ok(listed >= 50 && listed <= 60, `${listed} listed`);
  assert.equal(await late.page.textContent('#people-more'), `and ${CROWD + 3 - listed} more`);
  await takePicture(late.page, 'many');
  assert.deepEqual(late.faults, []);
  await late.context.close();
});

step('no page had an error on its console or broke the security policy', () => {
  assert.deepEqual(ann.faults, []);
});
