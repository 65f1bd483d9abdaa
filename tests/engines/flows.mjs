// What people do in a showing, in one engine: each flow with a session of its own. The short form has
// those without which nothing is worth anything; VIDEOSYNC_FLOWS=all (`make test-engines`) has the rest.
// What cannot be done in an engine here is a skipped test that says why.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { aheadMs, joinUntouched, measure, until } from '../support/browser.mjs';
import { launch } from '../support/engines/engines.mjs';
import { areInStep, FILM_S, isBeyond, PACKED_S, press, SHORT_S, Stage, standTogether } from '../support/engines/stage.mjs';
import { createSession } from '../support/member.mjs';
import { hasFigure, hasRole, hasStatus, takePicture } from '../support/player_page.mjs';
import * as company from './company_flows.mjs';

const FLOW_MS = 90_000;
const CUT_MS = 10_000;
const STANDS_LONG_S = 4; // a player that stands still for 3 s has nothing to play
const PHONE = { width: 390, height: 780 };
const DESK = { width: 1000, height: 700 };
const isAll = process.env.VIDEOSYNC_FLOWS === 'all';

let stage;
let ann;
let ben;

export function engineFlows(name) {
  before(async () => {
    stage = await Stage.open(name, { isAll });
    ({ ann, ben } = stage);
  });
  after(() => stage?.close());

  test(`${name} is there`, (t) => {
    t.diagnostic(`${name} ${stage.engine.version}${isAll ? '' : '; the short form: all flows with `make test-engines`'}`);
    for (const [what, why] of Object.entries(stage.engine.cannot)) t.diagnostic(`no ${what}: ${why}`);
  });
  const run = (flows) => Object.entries(flows).forEach(([what, flow]) => test(what, { timeout: FLOW_MS }, flow));
  const onStage = (flows) => Object.fromEntries(Object.entries(flows).map(([what, flow]) => [what, (t) => flow(stage, t)]));
  run(essential);
  if (isAll || name !== 'chromium') run(onStage(company.essential)); // tests/browser/door.test.mjs has it there
  if (isAll) run({ ...further, ...onStage(company.further) });
  test('no page had an error on its console or broke the security policy', async () => {
    for (const person of [ann, ben]) assert.deepEqual(unexpected(await person.faults()), []);
  });
}

// A cut line is an error on the console, rightly, and so is an answer that refuses.
const unexpected = (faults) => faults.filter((text) => !/WebSocket|net::ERR_|NetworkError|can.t establish a connection|status of 40[34]/.test(text));

const placeOf = async ({ page }) => (await measure(page)).position;
const playsBefore = async ({ page }, seconds) => {
  const { position, paused } = await measure(page);
  return !paused && position < seconds;
};
const rateOf = ({ page }) => page.$eval('#video', (video) => video.playbackRate);

// From its menu. Firefox may offer a picture in a picture over it.
async function chooseRate({ page }, rate) {
  await page.evaluate(noteTouches);
  await page.mouse.move(300, 300);
  await page.click('#rate');
  await page.click(`media-playback-rate-menu [value="${rate}"]`);
}

// Runs in the page. What a hand did there, and what became of the menu, for whoever wonders why nothing came of it.
function noteTouches() {
  if (window.testTouches) return;
  window.testTouches = [];
  const note = (text) => window.testTouches.push(`${Math.round(performance.now())} ${text}`);
  const menu = document.querySelector('media-playback-rate-menu');
  const nameOf = ({ localName, id, value }) => [localName, id, value].filter(Boolean).join('#');
  for (const type of ['pointerdown', 'pointerup', 'click', 'change', 'mediaplaybackraterequest']) {
    addEventListener(type, (event) => note(`${type} ${nameOf(event.composedPath()[0])}`), { capture: true });
  }
  new MutationObserver(() => note(menu.hidden ? 'closed' : 'opened')).observe(menu, { attributeFilter: ['hidden'] });
}
const touchesOf = ({ page }) => page.evaluate(() => [...window.testTouches, document.querySelector('#status-text').textContent].join(', '));

const boxOf = ({ page }, selector) =>
  page.$eval(selector, (one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return { x, y, width, height };
  });

// Runs in the page. Where it really is stays to be read by the getter that is hidden.
function lieAboutPosition() {
  const video = document.querySelector('video');
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'currentTime');
  Object.defineProperty(video, 'currentTime', { configurable: true, get() { return this.seeking ? get.call(this) : 0; }, set });
  const status = document.querySelector('#status-text');
  window.testSaid = [];
  new MutationObserver(() => window.testSaid.push(status.textContent)).observe(status, { childList: true, characterData: true, subtree: true });
}

// The host's player pauses and goes elsewhere by itself; then a key of the host's seeks.
async function staysWithOne(host) {
  const observer = await stage.watch(await stage.showing([host, ben]));
  await press(host, 'k');
  await areInStep(host, ben);
  await host.page.$eval('#video', (video) => video.pause());
  await areInStep(host, ben);
  await host.page.$eval('#video', (video) => (video.currentTime += 40));
  await areInStep(host, ben);
  await press(host, 'l');
  await observer.next('state', ({ cause }) => cause === 'seek');
  assert.deepEqual(observer.of('state').map(({ cause }) => cause), ['play', 'seek'], 'what the keys said');
  await observer.close();
}

// How far Ben is ahead of Ann, whatever their players tell.
async function apartMs(...people) {
  const [one, other] = await Promise.all(people.map(({ page }) => page.evaluate(() => {
    const { get } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'currentTime');
    return { position: get.call(document.querySelector('video')), atMs: performance.timeOrigin + performance.now() };
  })));
  return aheadMs(other, one);
}

const essential = {
  async 'a session is created on the start page, and its maker is host'() {
    const { page } = ann;
    await page.goto(stage.server.origin);
    await page.fill('#name', 'Ann');
    await page.press('#name', 'Tab');
    await page.click('#create');
    await page.waitForSelector('#share-dialog[open]');
    const link = await page.inputValue('#share-link');
    assert.equal(link, stage.linkOf(new URL(link).searchParams.get('session')));
    await page.click('#share-dialog .dialog-buttons button');
    await until(async () => (await page.textContent('#people')).includes('Ann'), 'her name');
    await hasRole(page, 'You are the host');
    await stage.join(ben, link);
    await hasRole(ben.page, 'Ann controls playback');
  },

  async 'play, seek by key and by the bar, pause: everybody follows'() {
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    for (const person of [ann, ben]) await isBeyond(person, 0.5);
    await areInStep(ann, ben);
    await press(ann, 'l', 'ArrowRight');
    await isBeyond(ben, 15);
    await areInStep(ann, ben);
    const { x, y, width, height } = await boxOf(ann, '#scrubber');
    await ann.page.mouse.move(x + width * 0.4, y + height / 2);
    await ann.page.mouse.down();
    await ann.page.mouse.move(x + width * 0.6, y + height / 2, { steps: 4 });
    await ann.page.mouse.up();
    await isBeyond(ben, FILM_S * 0.55);
    assert.ok((await placeOf(ben)) < FILM_S * 0.8);
    await areInStep(ann, ben);
    await takePicture(ben.page, `${stage.engine.name}-in-step`);
    await press(ann, 'k');
    await hasStatus(ben.page, 'Paused by Ann');
    await standTogether(ann, ben);
  },

  async 'the speed, chosen from its menu, is everybody\'s'() {
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    await isBeyond(ben, 0.5);
    await chooseRate(ann, '1.5');
    let seen;
    const isAsFast = async () => {
      seen = [await rateOf(ann), await rateOf(ben), await ann.page.getAttribute('#rate', 'aria-label'), await touchesOf(ann)];
      return Math.abs(seen[1] - 1.5) < 0.1;
    };
    await until(isAsFast, () => `Ben is as fast, their rates, Ann's menu, and what she did: ${seen}`, 10_000);
    await isBeyond(ben, 4);
    for (const { page } of [ann, ben]) await hasStatus(page, 'In step');
    const from = await measure(ben.page);
    await isBeyond(ben, from.position + 3);
    const to = await measure(ben.page);
    const rate = (to.position - from.position) / ((to.atMs - from.atMs) / 1000);
    assert.ok(Math.abs(rate - 1.5) < 0.15, `it runs at ${rate}`);
  },

  async 'a late joiner is in place, nobody else is moved; what is said arrives'() {
    const link = await stage.showing([ann]);
    await press(ann, 'k');
    await isBeyond(ann, 2);
    await hasStatus(ann.page, 'In step');
    await ann.page.evaluate(() => {
      const video = document.querySelector('video');
      window.testMoves = [];
      for (const type of ['seeking', 'pause']) video.addEventListener(type, () => window.testMoves.push(`${type} at ${video.currentTime}`));
    });
    await stage.join(ben, link);
    await areInStep(ann, ben);
    assert.deepEqual(await ann.page.evaluate(() => window.testMoves), []);
    await ben.page.fill('#chat-text', '<b>hello</b> & welcome');
    await ben.page.press('#chat-text', 'Enter');
    await ann.page.waitForSelector('.said-text');
    assert.equal(await ann.page.textContent('.said-text'), '<b>hello</b> & welcome');
  },
};

const further = {
  async 'a page that is loaded anew comes back in step'() {
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    await areInStep(ann, ben);
    await ben.page.reload();
    await ben.page.waitForSelector('#gate-join:enabled');
    assert.equal(await ben.page.inputValue('#gate-name'), 'Ben');
    await ben.page.click('#gate-join');
    await areInStep(ann, ben);
    assert.equal(await ann.page.textContent('#people-count'), '2');
  },

  async 'back and forward through the history lead back into the session'() {
    await ben.page.goto(stage.proxy.origin);
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    await areInStep(ann, ben);
    await ben.page.goBack();
    await ben.page.waitForSelector('#create');
    await until(async () => (await ann.page.textContent('#people-count')) === '1', 'Ben has left');
    await ben.page.goForward();
    await until(async () => (await ben.page.isVisible('#gate-join')) || ben.page.isVisible('#app'), 'the page is back');
    if (await ben.page.isVisible('#gate-join')) await ben.page.click('#gate-join');
    await areInStep(ann, ben);
  },

  async 'captions: chosen from the menu, seen, switched by key'() {
    await stage.showing([ann, ben]);
    await press(ann, 'k'); // Firefox shows none before it has played
    await areInStep(ann, ben);
    const shown = () => ben.page.$eval('#video', ({ textTracks }) =>
      [...textTracks].filter(({ mode }) => mode === 'showing').map(({ language, activeCues }) => [language, activeCues?.[0]?.text]));
    await ben.page.mouse.move(300, 300);
    await ben.page.click('#captions');
    const items = 'media-captions-menu [role=menuitemradio]';
    await ben.page.waitForSelector(items);
    const labels = await ben.page.$$eval(items, (all) => all.map((one) => one.textContent.trim()));
    const german = labels.findIndex((label) => label.includes('German'));
    assert.ok(german >= 0, labels.join(', '));
    await ben.page.click(`${items}:nth-of-type(${german + 1})`);
    await until(async () => (await shown())[0]?.join() === 'de,words in de', 'the German words are there');
    await takePicture(ben.page, `${stage.engine.name}-captions`);
    await press(ben, 'c');
    assert.deepEqual(await shown(), []);
  },

  async 'every item of a menu takes its click, whatever the browser lays over the picture'() {
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    await isBeyond(ann, 0.5);
    for (const rate of ['0.5', '0.75', '1.25', '1']) {
      await chooseRate(ann, rate);
      await until(async () => (await ann.page.getAttribute('#rate', 'aria-label')).endsWith(` ${rate}`), `speed ${rate}`);
    }
  },

  async 'whoever plays by a key sees the controls go'() {
    await stage.showing([ann]);
    await ann.page.keyboard.press('k');
    await isBeyond(ann, 0.5);
    const opacity = () => ann.page.$eval('#controls', (controls) => Number(getComputedStyle(controls).opacity));
    await until(async () => (await opacity()) === 0, 'they are gone', 10_000);
  },

  async 'captions lie above the controls while those are shown'(t) {
    if (stage.engine.name !== 'firefox') return t.skip('a style sheet moves them here, which no script can see');
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    await areInStep(ann, ben);
    await press(ben, 'c');
    const line = () => ben.page.$eval('#video', ({ textTracks }) =>
      [...textTracks].find(({ activeCues }) => activeCues?.length > 0)?.activeCues[0].line);
    await ben.page.mouse.move(300, 300);
    await until(async () => (await line()) < 90, 'they are lifted');
    await until(async () => (await line()) === 'auto', 'they are put back when the controls go');
    await press(ben, 'c');
  },

  async 'full screen: the picture alone, and back'() {
    await stage.showing([ann, ben]);
    const before = await boxOf(ben, '#stage');
    await press(ben, 'f');
    await until(() => ben.page.evaluate(() => document.fullscreenElement?.id === 'app'), 'full screen');
    await until(async () => !(await ben.page.isVisible('#side')), 'the panels have gone');
    assert.ok((await boxOf(ben, '#stage')).width > before.width);
    await press(ben, 'f');
    await until(() => ben.page.evaluate(() => document.fullscreenElement === null), 'no full screen');
    await until(async () => (await boxOf(ben, '#stage')).width === before.width, 'as before');
  },

  async 'at their own pace people pause and seek alone, and come back'() {
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    await areInStep(ann, ben);
    await ben.page.click('#own-pace');
    await hasStatus(ben.page, 'At your own pace');
    await press(ben, 'k');
    await until(async () => (await measure(ben.page)).paused, 'Ben has paused');
    const place = await placeOf(ben);
    await press(ben, 'ArrowRight');
    await isBeyond(ben, place + 4);
    await press(ben, 'j', 'j');
    await hasFigure(ben.page, 'behind');
    assert.equal((await measure(ann.page)).paused, false);
    await ben.page.click('#status-action');
    await areInStep(ann, ben);
  },

  async 'after a cut of ten seconds, in which the showing jumped, the viewer is in step again'() {
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    await areInStep(ann, ben);
    stage.proxy.cut();
    const cutMs = performance.now();
    try {
      await hasStatus(ben.page, 'Connection lost');
      await press(ann, 'l', 'l', 'l');
      await isBeyond(ann, 30);
      await sleep(CUT_MS - (performance.now() - cutMs)); // that long it was
    } finally {
      stage.proxy.restore();
    }
    await areInStep(ann, ben);
    await isBeyond(ben, 30);
  },

  async 'who was hidden is in step when seen again'(t) {
    if (stage.engine.cannot.hiding) return t.skip(stage.engine.cannot.hiding);
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    await areInStep(ann, ben);
    await ben.hide();
    await until(() => ben.page.evaluate(() => document.visibilityState === 'hidden'), 'Ben is hidden');
    await press(ann, 'l', 'l');
    await isBeyond(ann, 20);
    await isBeyond(ben, 20);
    await ben.show();
    await until(() => ben.page.evaluate(() => document.visibilityState === 'visible'), 'Ben is seen');
    return areInStep(ann, ben);
  },

  async 'what a player does by itself, with no hand on it, is undone there and done to nobody else'() {
    await staysWithOne(ann);
  },

  async '... also where the browser tells of no picture in a picture'() {
    const cem = await stage.engine.openPerson({ scripts: [() => delete Document.prototype.pictureInPictureElement] });
    try {
      await staysWithOne(cem);
    } finally {
      await cem.close();
    }
  },

  // WebKitGTK does so on a busy machine for as long as it plays on after a seek.
  async 'a player that tells 0 for its position is kept in step by its frames, and never says what is not so'() {
    await stage.showing([ann, ben]);
    await press(ann, 'k');
    await areInStep(ann, ben);
    await ben.page.evaluate(lieAboutPosition);
    try {
      await press(ann, 'l');
      await until(async () => Math.abs(await apartMs(ann, ben)) < 150, 'Ben follows the seek', 10_000);
      await hasStatus(ben.page, 'In step');
      await ben.page.evaluate(() => (window.testSaid.length = 0)); // the seek itself may have taken long
      const { position } = await measure(ann.page);
      await isBeyond(ann, position + STANDS_LONG_S);
      await hasStatus(ben.page, 'In step');
      assert.ok(Math.abs(await apartMs(ann, ben)) < 150, 'it is so');
      assert.deepEqual((await ben.page.evaluate(() => window.testSaid)).filter((words) => words.includes('buffering')), []);
    } finally {
      await ben.page.evaluate(() => delete document.querySelector('video').currentTime);
    }
    await areInStep(ann, ben);
  },

  async 'what `make hls` packages plays, in step, also after a seek'(t) {
    await stage.showing([ann, ben], { video: 'packed' });
    await press(ann, 'k');
    await areInStep(ann, ben);
    await press(ann, 'l');
    await isBeyond(ben, 10);
    await areInStep(ann, ben);
    const { source, duration } = await ben.page.$eval('#video', ({ currentSrc, duration: seconds }) => ({ source: currentSrc, duration: seconds }));
    t.diagnostic(`played by ${source.startsWith('blob:') ? 'hls.js' : 'the browser itself'}`);
    assert.ok(Math.abs(duration - PACKED_S) < 0.3, `${duration} s`);
  },

  async 'at the end it says so and stays there; play begins anew'() {
    const observer = await stage.watch(await stage.showing([ann, ben], { video: 'short' }));
    await press(ann, 'k');
    for (const { page } of [ann, ben]) await hasStatus(page, 'The end');
    await observer.next('state', ({ cause }) => cause === 'ended');
    // Each has all pages look once more where they are to be.
    for (const rate of ['1.5', '1']) {
      await chooseRate(ann, rate);
      await observer.next('state', ({ cause }) => cause === 'rate');
    }
    for (const person of [ann, ben]) assert.ok((await placeOf(person)) > SHORT_S - 0.5);
    for (const { page } of [ann, ben]) await hasStatus(page, 'The end');
    await press(ann, 'k');
    for (const person of [ann, ben]) await until(() => playsBefore(person, SHORT_S - 0.5), 'it plays anew');
    // Whatever a page had asked for by itself has come before this.
    await press(ann, 'l');
    await observer.next('state', ({ cause, position }) => cause === 'seek' && position > SHORT_S - 0.5);
    assert.deepEqual(observer.of('state').map(({ cause }) => cause).slice(0, 6), ['play', 'ended', 'rate', 'rate', 'play', 'seek']);
    await observer.close();
  },

  async 'a browser that plays nothing by itself is told so, and one press is enough'(t) {
    const engine = await launch(stage.engine.name, { autoplay: 'refused' });
    try {
      const cem = await engine.openPerson({ scripts: [tellRefusals, joinUntouched] });
      const { key } = await createSession(stage.server);
      await stage.join(ann, stage.linkOf(key));
      await hasStatus(ann.page, 'Ready to start');
      await press(ann, 'k');
      await isBeyond(ann, 0.2);
      await cem.page.goto(stage.linkOf(key));
      // By the console: what is asked of a page counts as a gesture.
      await until(async () => (await cem.faults()).some((text) => text.includes('refused')), 'a play is refused', 20_000);
      const words = await cem.page.textContent('#big-action');
      t.diagnostic(`it offers: ${words}`);
      await cem.page.click('#big-action');
      await areInStep(ann, cem);
      const { muted } = await measure(cem.page);
      assert.equal(muted, false);
    } finally {
      await engine.close();
    }
  },

  async 'on a phone everything has its place'() {
    await ben.page.setViewportSize(PHONE);
    try {
      await stage.showing([ann, ben]);
      await press(ann, 'k');
      await areInStep(ann, ben);
      assert.equal(await ben.page.evaluate(() => document.documentElement.scrollWidth), PHONE.width, 'nothing is cut off');
      for (const id of ['stage', 'status', 'reactions', 'chat-form']) {
        const { x, y, width, height } = await boxOf(ben, `#${id}`);
        assert.ok(x >= 0 && y >= 0 && x + width <= PHONE.width && y + height <= PHONE.height, `${id} is in sight`);
      }
      await ben.page.fill('#chat-text', 'from a phone');
      await ben.page.press('#chat-text', 'Enter');
      await ann.page.waitForSelector('.said-text');
    } finally {
      await ben.page.setViewportSize(DESK);
    }
  },
};

// Runs in a page before its own scripts.
function tellRefusals() {
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    const playing = play.call(this);
    playing.catch(({ name }) => name === 'NotAllowedError' && console.error(`refused, muted: ${this.muted}`));
    return playing;
  };
}
