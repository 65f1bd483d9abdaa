// What tests read off the player page, do on it, and the pictures they take of it.
import path from 'node:path';
import { until } from './until.mjs';

const WAIT_MS = 20_000;
const DESK = { width: 1100, height: 680 };
const PHONE = { width: 390, height: 780 };

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
// is left for a moment of the state before.
export async function takePicture(page, name) {
  const folder = process.env.VIDEOSYNC_SCREENSHOTS;
  if (!folder) return;
  const before = page.viewportSize();
  await page.$$eval('.toast, .bubble', (passing) => passing.forEach((one) => one.remove()));
  for (const [kind, size] of [['desk', DESK], ['phone', PHONE]]) {
    await page.setViewportSize(size);
    await page.$eval('#people-panel', (panel, isOpen) => (panel.open = isOpen), kind === 'desk');
    await page.screenshot({ path: path.join(folder, `${name}-${kind}.png`) });
  }
  await page.setViewportSize(before);
  await page.$eval('#people-panel', (panel) => (panel.open = true));
}

// A person's row in the list, by the name in it: other words there are no name.
export const rowOf = (page, name) => page.locator('.person', { has: page.locator('.person-name', { hasText: name }) });
