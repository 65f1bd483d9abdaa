// What the page says when the network or the server lets people down: each state really brought
// about, in real Chromium, with a real Redis that keeps the session over a restart. Ann, the host,
// speaks the protocol from here; Ben's browser is behind a line that can be cut. The steps build on
// each other; with VIDEOSYNC_SCREENSHOTS=folder each state leaves pictures.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import WebSocket from 'ws';
import { assertAccessible } from '../support/accessibility.mjs';
import { startBreakableProxy } from '../support/breakable_proxy.mjs';
import { join as joinPage, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession, join } from '../support/member.mjs';
import { hasFigure, hasNotice, hasRole, hasStatus, takePicture } from '../support/player_page.mjs';
import { pauseProcess } from '../support/process.mjs';
import { startRedis } from '../support/redis.mjs';
import { startServer } from '../support/server.mjs';
import { story } from '../support/story.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const step = story('what the page says of its connection');
const GUESTS = 25; // before Ben and after him, for a server that ends lets its members go one by one
let media;
let redis;
let server;
let proxy;
let browser;
let ann;
let ben;
let key;
let hostToken;
const guests = [];

async function start(changes = {}) {
  const started = await startServer({ args: serverArgs(), ...changes });
  await until(async () => (await fetch(`${started.adminOrigin}/readyz`)).ok, 'the store is reached');
  return started;
}

const serverArgs = () => [
  '--media', media.directory, '--redis', `redis://127.0.0.1:${redis.port}`, '--workers', '1', '--session-rate', '0',
  '--message-rate', '0', '--chat-rate', '0', '--slow-timeout', '1s', '--drain', '10s',
];
const again = () => ({ listen: new URL(server.origin).host, admin: new URL(server.adminOrigin).host });

before(async () => {
  [media, redis, browser] = await Promise.all([
    makeMedia([{ name: 'film', seconds: 120, grain: true }]), startRedis(), launchBrowser(),
  ]);
  server = await start();
  await untilFilmsAreKnown(server);
  proxy = await startBreakableProxy(server.origin);
  ({ key, hostToken } = await createSession(server));
  ann = await join(server, key, { name: 'Ann', host: hostToken });
  ben = await openPerson(browser);
});

after(async () => {
  for (const guest of guests) guest.terminate();
  await browser?.close();
  await ann?.drop();
  await proxy?.stop();
  await server?.stop('SIGKILL');
  await redis?.stop();
  await media?.remove();
});

const link = () => `${proxy.origin}/player.html?session=${key}`;
const connections = () => ben.page.evaluate(() => testSockets.length);

step('connecting, as long as it takes', async () => {
  await ben.page.goto(link());
  await ben.page.waitForSelector('#gate-join:enabled');
  await ben.page.waitForSelector('#gate-words:not(:empty)');
  await ben.page.fill('#gate-name', 'Ben');
  await pauseProcess(server.pid);
  try {
    await ben.page.click('#gate-join');
    await hasStatus(ben.page, 'Connecting…');
    for (const count of ['#viewer-count', '#people-count']) assert.equal(await ben.page.isVisible(count), false, count);
    await takePicture(ben.page, 'connecting');
    await ben.page.fill('#chat-text', 'Am I in?');
    await ben.page.press('#chat-text', 'Enter');
    await ben.page.waitForSelector('#chat-fault:has-text("it is sent as soon as there is")');
  } finally {
    process.kill(server.pid, 'SIGCONT');
  }
  await hasStatus(ben.page, 'Ready to start');
  await ben.page.waitForSelector('#messages .by-you:has-text("Am I in?")');
  await ben.page.waitForSelector('#chat-fault', { state: 'hidden' });
  assert.equal(await ben.page.inputValue('#chat-text'), '');
});

step('connection lost: a countdown, and a button for the impatient', async () => {
  proxy.cut();
  await hasStatus(ben.page, 'Connection lost. Reconnecting');
  await hasFigure(ben.page, 'in 2 s');
  await takePicture(ben.page, 'lost');
  proxy.restore();
  await pauseProcess(server.pid);
  try {
    await ben.page.click('#status-action');
    await hasStatus(ben.page, 'Reconnecting…');
    await takePicture(ben.page, 'reconnecting');
    await assertAccessible(ben.page, 'reconnecting');
  } finally {
    process.kill(server.pid, 'SIGCONT');
  }
  await hasStatus(ben.page, 'Ready to start');
  await hasRole(ben.page, 'Ann controls playback');
});

step('too slow to keep up: told, and connected again', async () => {
  proxy.holdWebSocket();
  await talkUntil(async () => (await members()) === 1);
  proxy.letWebSocketGo();
  await hasStatus(ben.page, 'Your connection was too slow to keep up');
  await takePicture(ben.page, 'too-slow');
  await hasStatus(ben.page, 'Ready to start');
});

step('the service is impaired while its store is away; playback goes on', async () => {
  ann.send('play');
  await hasStatus(ben.page, 'In step');
  await redis.kill();
  await hasNotice(ben.page, 'The service is impaired');
  await takePicture(ben.page, 'degraded');
  await hasStatus(ben.page, 'In step');
  await redis.start();
  await until(async () => !(await ben.page.isVisible('#notice')), 'it is restored', 20_000);
});

step('opened elsewhere, and taken back', async () => {
  const popup = ben.page.waitForEvent('popup');
  await ben.page.evaluate(() => void window.open(location.href)); // with a copy of this tab's memory
  const other = await popup;
  await other.waitForSelector('#gate-join:enabled');
  await other.click('#gate-join');
  await hasStatus(ben.page, 'You are watching in another window');
  await takePicture(ben.page, 'elsewhere');
  await assertAccessible(ben.page, 'elsewhere');
  await ben.page.click('#big-action');
  await hasStatus(ben.page, 'In step');
  await hasStatus(other, 'You are watching in another window');
  await other.close();
});

step('the server restarts: told before, counted down, and back in the same session', async () => {
  proxy.cut();
  await until(async () => (await members()) === 1, 'Ben is gone');
  await welcomeGuests(GUESTS + 1); // on the places that he left, which are the first to be cleared
  proxy.restore();
  await hasStatus(ben.page, 'In step');
  await welcomeGuests(2 * GUESTS + 2);
  process.kill(server.pid, 'SIGTERM');
  await hasNotice(ben.page, 'The server is about to restart');
  await takePicture(ben.page, 'draining');
  await hasStatus(ben.page, 'The server is restarting. Reconnecting');
  await hasFigure(ben.page, 'in ');
  await takePicture(ben.page, 'restarting');
  assert.equal((await server.exited).code, 0);
  server = await start(again());
  await hasStatus(ben.page, 'In step');
  assert.equal(await ben.page.isVisible('#notice'), false, 'nothing is lost, and so nothing is said of it');
});

step('a server that has forgotten the session: over, and no more attempts', async () => {
  await server.stop('SIGKILL');
  await redis.stop();
  redis = null;
  server = await startServer({ args: ['--media', media.directory], ...again() });
  await ben.page.click('#status-action:visible');
  await hasStatus(ben.page, 'the server no longer knows it');
  await takePicture(ben.page, 'gone');
  await assertAccessible(ben.page, 'gone');
});

step('no page broke the security policy, and its script had no error', () => {
  // What cannot be reached stands on the console, whatever a page does.
  assert.deepEqual(ben.faults.filter((fault) => !/WebSocket connection|Failed to load resource/.test(fault)), []);
});

async function welcomeGuests(membersThen) {
  for (let i = 0; i < GUESTS; i += 1) guests.push(new WebSocket(`${server.wsOrigin}/ws?session=${key}&name=Guest${guests.length}`));
  await until(async () => (await members()) === membersThen, 'the guests are there');
}

async function members() {
  return (await (await fetch(`${server.origin}/api/sessions/${key}`)).json()).members;
}

// Ann chats, two kilobytes at a time, so that there is more to be read than any buffer takes.
async function talkUntil(isEnough) {
  while (!(await isEnough())) {
    for (let i = 0; i < 400; i += 1) ann.send('chat', { text: '🎉🍿🎬👏'.repeat(120) });
    await ann.settled();
    ann.clear();
  }
}
