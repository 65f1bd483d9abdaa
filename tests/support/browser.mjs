// Real Chromium for the tests of the pages.
//
// Each viewer has a browser context of its own: other storage, other cookies, another person.
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';

export { until } from './until.mjs';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
// Chromium takes the last such list alone: these are Playwright's.
const OFF_BY_PLAYWRIGHT = [
  'AvoidUnnecessaryBeforeUnloadCheckSync', 'BoundaryEventDispatchTracksNodeRemoval', 'DestroyProfileOnBrowserClose',
  'DialMediaRouteProvider', 'GlobalMediaControls', 'HttpsUpgrades', 'LensOverlay', 'MediaRouter', 'PaintHolding',
  'ThirdPartyStoragePartitioning', 'Translate', 'AutoDeElevate', 'RenderDocument', 'OptimizationHints',
];
// The lists below the address bar are pages themselves. Each window loads them, unseen, and that takes more
// than to load a page of ours and join.
const UNSEEN_PAGES = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup'];

// Close it with close(). VIDEOSYNC_CHROMIUM names another executable.
// env: added to this process's. audible: Playwright mutes Chromium, unless this is set.
export async function launchBrowser(extraArguments = [], env = {}, { audible = false } = {}) {
  return chromium.launch({
    executablePath: await findChromium(),
    args: [...ARGUMENTS, `--disable-features=${[...OFF_BY_PLAYWRIGHT, ...UNSEEN_PAGES]}`, ...extraArguments],
    ignoreDefaultArgs: audible ? ['--mute-audio'] : [],
    env: { ...process.env, ...env },
  });
}

async function findChromium() {
  if (process.env.VIDEOSYNC_CHROMIUM) return process.env.VIDEOSYNC_CHROMIUM;
  for (const path of CANDIDATES) {
    if (await access(path).then(() => true, () => false)) return path;
  }
  throw new Error('no Chromium: install the package chromium or set VIDEOSYNC_CHROMIUM');
}

// A page of a new person. `faults` collects what must not happen: errors on the console, exceptions,
// violations of the content security policy. `page.evaluate(() => testSockets)` has its WebSockets.
export async function openPerson(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.stack));
  await page.exposeFunction('testReportViolation', (text) => faults.push(text));
  await page.addInitScript(instrument);
  return { page, context, faults };
}

// Runs in the page before its own scripts.
function instrument() {
  document.addEventListener('securitypolicyviolation', (event) =>
    window.testReportViolation(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  const sockets = (window.testSockets = []);
  window.WebSocket = class extends window.WebSocket {
    constructor(...parameters) {
      super(...parameters);
      sockets.push(this);
    }
  };
}

// Joins from the player page's gate.
export async function join(page, link, name) {
  await page.goto(link);
  await page.waitForSelector('#gate-join:enabled');
  await page.fill('#gate-name', name);
  await page.click('#gate-join');
  await page.waitForSelector('#app:not([hidden])');
}

// In place of that, to be run in the page before its own scripts: it joins by itself, for whatever a
// test asks of a page counts as a gesture.
export function joinUntouched() {
  const joining = setInterval(() => {
    if (!document.querySelector('#gate-join:enabled')) return;
    clearInterval(joining);
    document.querySelector('#gate-form').requestSubmit();
  }, 50);
}

// Takes the seek bar to a position (to a hundredth of a second or better).
export async function seekTo(page, seconds) {
  const duration = await page.$eval('#video', (video) => video.duration);
  await page.locator('#scrubber input').fill((seconds / duration).toFixed(6));
}

// What the clock beside the seek bar says: "0:12 / 1:30".
export function clockOf(page) {
  return page.$eval('#time', (display) => display.shadowRoot.querySelector('slot').textContent);
}

// On a touch screen: the controls are there, and have just begun to count the seconds to their going.
// A tap on the picture would take away the ones that are shown; the clock among them does nothing, and
// where they have gone meanwhile the tap meets the picture.
export async function showControls(page) {
  const hidden = await page.$eval('#player', (player) => player.matches('[userinactive]:not([mediapaused])'));
  if (hidden) await page.tap('#video', { position: { x: 40, y: 40 } });
  else await page.tap('#time', { force: true });
}

// Where the picture is, with the time at which that was so (milliseconds, one clock for all pages
// of this machine).
export function measure(page) {
  return page.evaluate(() => {
    const video = document.querySelector('video');
    return {
      atMs: performance.timeOrigin + performance.now(),
      position: video.currentTime,
      paused: video.paused,
      muted: video.muted,
      status: document.querySelector('#status').innerText,
    };
  });
}

// How far `a` is ahead of `b`, in milliseconds, both measured while running at rate 1.
export function aheadMs(a, b) {
  return (a.position - b.position) * 1000 - (a.atMs - b.atMs);
}

const READINGS = 5;
const APART_MS = 80; // so that no short stall of the machine has the most of them

// What `look()` resolves to, some times one after the other: on a busy machine single ones lie.
async function severally(look) {
  const seen = [];
  for (let i = 0; i < READINGS; i += 1) {
    if (i > 0) await sleep(APART_MS);
    seen.push(await look());
  }
  return seen;
}

// How far the picture of `page` is ahead of the other's, while both run: the middle one of some readings.
export async function middleAheadMs(page, other) {
  return middleOf(await severally(async () => aheadMs(...(await Promise.all([page, other].map(measure))))));
}

// Readings of where a picture is that runs, for movedMs().
export const readings = (page) => severally(() => measure(page));

// How far a picture that ran at rate 1 was moved between two times, each with its readings().
export function movedMs(before, now) {
  const [then] = before;
  return middleOf(now.map((one) => aheadMs(one, then))) - middleOf(before.map((one) => aheadMs(one, then)));
}

const middleOf = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
