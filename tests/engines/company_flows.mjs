// What people do who come together, in one engine: by a code and through a door, and an evening of more than one film.
// Each flow is called with the Stage (stage.mjs); flows.mjs says which are for when.
import assert from 'node:assert/strict';
import { until } from '../support/browser.mjs';
import { areInStep, press } from '../support/engines/stage.mjs';
import { hasFigure, hasRole, hasStatus, takePicture } from '../support/player_page.mjs';

const END_MS = 30_000; // from nine tenths of the film on
const addButton = (title) => `.picker-card [aria-label="Add to what comes next: ${title}"]`;

const open = ({ page }, id) => page.$eval(`#${id}`, (panel) => (panel.open = true));

const says = (page, selector, words) => {
  let last;
  const look = async () => (last = await page.textContent(selector)).includes(words);
  return until(look, () => `${selector} says "${words}", not "${last}"`, 15_000);
};

// The host's choice, which others see once it is so.
async function setDoor(stage, link, door) {
  await open(stage.ann, 'host-tools');
  await stage.ann.page.click(`#door-${door}`);
  const asked = link.replace('player.html?session=', 'api/sessions/');
  await until(async () => (await (await fetch(asked)).json()).door === door, `the door is ${door}`);
}

// As the host reads it out of the panel.
async function codeOf({ page }) {
  await page.click('#share');
  await page.waitForSelector('#share-qr svg');
  const code = await page.inputValue('#share-code');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#share-dialog', { state: 'hidden' });
  assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  return code;
}

// Past the gate, which says `words` before.
async function pass({ page }, words) {
  await page.waitForSelector('#gate-join:enabled');
  await says(page, '#gate-words', words);
  await page.fill('#gate-name', 'Ben');
  await page.click('#gate-join');
}

const queueOf = ({ page }) => page.$$eval('.queue-title', (all) => all.map(({ textContent }) => textContent));
const hasQueue = async (person, titles) => {
  let seen;
  await until(async () => (seen = await queueOf(person)).join() === titles.join(), () => `what comes next: ${titles}, not ${seen}`);
};

async function addFilm(person, title) {
  await open(person, 'queue-panel');
  await person.page.click('#queue-add');
  await person.page.click(addButton(title));
  await says(person.page, '#picker-words', `Added: ${title}`);
  await person.page.focus('#picker-search');
  await person.page.keyboard.press('Escape');
  await person.page.waitForSelector('#picker', { state: 'hidden' });
}

export const essential = {
  async 'the code leads to the door, where one knocks, and the host lets them in'(stage) {
    const { ann, ben } = stage;
    const link = await stage.showing([ann]);
    const code = await codeOf(ann);
    await setDoor(stage, link, 'knock');
    await ben.page.goto(`${stage.proxy.origin}/r/${code.toLowerCase()}`);
    await pass(ben, 'The host lets people in');
    await hasStatus(ben.page, 'Waiting for the host to let you in');
    await ann.page.click('.knock .primary');
    await hasRole(ben.page, 'Ann controls playback');
    await ann.page.waitForSelector('#knocks', { state: 'hidden' });
  },
};

export const further = {
  async 'who is refused is told so, and so is who comes to a locked session; who was in passes'(stage) {
    const { ann, ben } = stage;
    const link = await stage.showing([ann]);
    const there = link.replace(stage.server.origin, stage.proxy.origin);
    await setDoor(stage, link, 'knock');
    await ben.page.goto(there);
    await pass(ben, 'The host lets people in');
    await ann.page.click('.knock [aria-label="Refuse Ben"]');
    await hasStatus(ben.page, 'The host did not let you in');
    await takePicture(ben.page, `${stage.engine.name}-refused`);
    await setDoor(stage, link, 'locked');
    await ben.page.goto(there);
    await pass(ben, 'The session is locked');
    await hasStatus(ben.page, 'This session is locked');
    await setDoor(stage, link, 'open');
    await stage.join(ben, link);
    await hasRole(ben.page, 'Ann controls playback');
    await setDoor(stage, link, 'locked');
    await ben.page.reload();
    await pass(ben, 'watching');
    await hasRole(ben.page, 'Ann controls playback');
  },

  async 'a code is taken as somebody types it; one that is nobody\'s is told, in the field and behind /r/'(stage) {
    const { ann, ben } = stage;
    await stage.showing([ann]);
    const code = await codeOf(ann);
    const { page } = ben;
    await page.goto(`${stage.proxy.origin}/r/ZZZZ-ZZZZ`);
    await says(page, '#join-message', 'no session with this code');
    await page.waitForSelector('#join:enabled');
    for (const [typed, words] of [['zzzz zzz1', 'no session with this code'], ['a film', 'not a session’s code']]) {
      await page.fill('#join-key', typed);
      await page.press('#join-key', 'Enter');
      await says(page, '#join-message', words);
    }
    await page.fill('#join-key', ` ${code.toLowerCase().replace('-', ' ')}`);
    await page.click('#join');
    await pass(ben, 'One person is watching');
    await hasRole(page, 'Ann controls playback');
  },

  async 'an evening: two films from the picker, a counted start, and what comes next begins by itself'(stage) {
    const { ann, ben } = stage;
    await stage.showing([ann, ben]);
    await addFilm(ben, 'second');
    await addFilm(ann, 'short');
    for (const person of [ann, ben]) await hasQueue(person, ['second', 'short']);
    await ben.page.click('#ready');
    await hasFigure(ann.page, '1 of 2 ready');
    await ann.page.click('#count-down');
    await ben.page.waitForSelector('#count');
    await areInStep(ann, ben);
    await press(ann, '9');
    for (const { page } of [ann, ben]) await page.waitForSelector('#next', { timeout: END_MS });
    await says(ben.page, '#next-title', 'Next: second');
    assert.equal(await ben.page.isVisible('#next-now'), false, 'that is for who controls');
    await takePicture(ann.page, `${stage.engine.name}-up-next`);
    for (const { page } of [ann, ben]) await says(page, '#title', 'second');
    await areInStep(ann, ben);
    for (const person of [ann, ben]) await hasQueue(person, ['short']);
    await press(ann, 'k');
    await hasStatus(ben.page, 'Paused by Ann');
  },
};
