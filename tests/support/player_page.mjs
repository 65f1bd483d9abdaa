// What tests read off the player page, do on it, and the pictures they take of it.
import { takePictures } from './pictures.mjs';
import { until } from './until.mjs';

const WAIT_MS = 20_000;

async function hasText(page, selector, words, what) {
  let last = '';
  const look = async () => (last = (await page.textContent(selector)).replace(/\s+/g, ' ').trim()).includes(words);
  await until(look, () => `${what} "${words}", last "${last}"`, WAIT_MS);
}

export const hasStatus = (page, words) => hasText(page, '#status-text', words, 'status');
export const hasFigure = (page, words) => hasText(page, '#status-detail', words, 'figure');
export const hasRole = (page, words) => hasText(page, '#role-line', words, 'role');
export const hasNotice = (page, words) => hasText(page, '#notice', words, 'notice');

// Sends a message of the protocol over the page's own connection.
export function tell(page, message) {
  return page.evaluate((text) => testSockets.at(-1).send(text), JSON.stringify(message));
}

// With VIDEOSYNC_SCREENSHOTS=folder the page as it is now, as on a desk and as on a phone, without what
// is left for a moment of the state before. of: a selector of what has to be in sight.
export async function takePicture(page, name, { of } = {}) {
  const isTaken = await takePictures(page, name, async (kind) => {
    await page.$$eval('.toast, .bubble', (passing) => passing.forEach((one) => one.remove()));
    await page.$eval('#people-panel', (panel, isOpen) => (panel.open = isOpen), kind === 'desk');
    if (of) await page.$eval(of, (one) => one.scrollIntoView({ block: 'end' }));
  });
  if (isTaken) await page.$eval('#people-panel', (panel) => (panel.open = true));
}

// A person's row in the list, by the name in it: other words there are no name.
export const rowOf = (page, name) => page.locator('.person', { has: page.locator('.person-name', { hasText: name }) });

// The picker, by the session panel's button.
export async function openPicker(page) {
  await page.$eval('#host-tools', (panel) => (panel.open = true));
  await page.click('#choose');
  await page.waitForSelector('#picker[open] .picker-card');
}

// A video's card there, by its title.
export const cardOf = (page, title) => page.locator('.picker-card', { has: page.locator(`strong:text-is("${title}")`) });

// Waits until the picker lists the videos of these titles, and no others.
export async function lists(page, titles) {
  let listed;
  const look = async () => (listed = await page.$$eval('.picker-card strong', (all) => all.map(({ textContent }) => textContent))).join() === titles.join();
  await until(look, () => `the picker lists ${titles}, not ${listed}`, WAIT_MS);
}

// Shows a video to everybody by the picker, which is opened for it where it is not.
export async function chooseVideo(page, title) {
  if (!(await page.isVisible('#picker'))) await openPicker(page);
  await cardOf(page, title).locator('button:text-is("Show now")').click();
  await page.waitForSelector('#picker', { state: 'hidden' });
}

// Of who has just made a session on the start page, and is in its room with the ways to let others in before them.
// Resolves to {link, key}.
export async function madeSession(page) {
  await page.waitForSelector('#share-dialog[open]');
  const link = await page.inputValue('#share-link');
  return { link, key: new URL(link).searchParams.get('session') };
}

export async function closeSharing(page) {
  await page.click('#share-dialog .dialog-buttons button');
  await page.waitForSelector('#share-dialog', { state: 'hidden' });
}
