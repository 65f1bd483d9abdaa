// Takes the pictures of the player that README.md and docs/ show, on a desk and on a phone, of a real
// server with the demo video and four people. Usage: `make screenshots`.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { join, launchBrowser, openPerson, until } from './browser.mjs';
import { madeSession } from './player_page.mjs';
import { projectRoot, startServer } from './server.mjs';

const docs = path.join(projectRoot, 'docs');
const SETTLE_MS = 6_000; // the differences are at their smallest then
const AUTOPLAY = ['--autoplay-policy=no-user-gesture-required'];

async function say(page, text) {
  await page.fill('#chat-text', text);
  await page.press('#chat-text', 'Enter');
}

async function talk({ Ann, Ben, Cem, Dee }) {
  for (const [{ page }, text] of [
    [Ann, 'Everybody here?'], [Ben, 'On my phone, with popcorn 🍿'], [Cem, 'Here!'], [Dee, 'Go on, press play'],
  ]) {
    await say(page, text);
    await Cem.page.waitForSelector(`.said-text:text-is("${text}")`);
  }
}

const isInStep = (page) => until(async () => (await page.textContent('#status-text')).includes('In step'), 'in step', 20_000);

async function main() {
  await mkdir(docs, { recursive: true });
  const server = await startServer({ args: ['--media', path.join(projectRoot, 'media')] });
  const browser = await launchBrowser(AUTOPLAY);
  try {
    const ann = await openPerson(browser, { viewport: { width: 1280, height: 720 } });
    const ben = await openPerson(browser, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
    const [cem, dee] = [await openPerson(browser), await openPerson(browser)];
    const everybody = { Ann: ann, Ben: ben, Cem: cem, Dee: dee };
    await ann.page.goto(server.origin);
    await ann.page.click('#create:enabled');
    const { link } = await madeSession(ann.page);
    for (const [name, { page }] of Object.entries(everybody)) await join(page, link, name);
    await talk(everybody);
    await ann.page.click('#play');
    for (const { page } of Object.values(everybody)) await isInStep(page);
    await say(cem.page, 'Same frame here, and here on the train');
    await sleep(SETTLE_MS);
    for (const { page } of Object.values(everybody)) await isInStep(page);
    for (const { page } of [ben, dee]) await page.click('.reactions button >> nth=5');
    await ben.page.evaluate(() => document.activeElement.blur());
    await ann.page.mouse.move(400, 300); // shows the controls
    await sleep(700);
    await Promise.all([
      ann.page.screenshot({ path: path.join(docs, 'player.png') }),
      ben.page.screenshot({ path: path.join(docs, 'player-phone.png') }),
    ]);
  } finally {
    await browser.close();
    await server.stop('SIGKILL');
  }
}

await main();
