// Takes the pictures of the player that README.md and docs/ show, on a desk and on a phone, of a real
// server with the demo video and three people. Usage: `make screenshots`.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { join, launchBrowser, openPerson, until } from './browser.mjs';
import { projectRoot, startServer } from './server.mjs';

const docs = path.join(projectRoot, 'docs');
const AUTOPLAY = ['--autoplay-policy=no-user-gesture-required'];

async function say(page, text) {
  await page.fill('#chat-text', text);
  await page.press('#chat-text', 'Enter');
}

async function main() {
  await mkdir(docs, { recursive: true });
  const server = await startServer({ args: ['--media', path.join(projectRoot, 'media')] });
  const browser = await launchBrowser(AUTOPLAY);
  try {
    const ann = await openPerson(browser, { viewport: { width: 1280, height: 800 } });
    const ben = await openPerson(browser, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
    const cem = await openPerson(browser);
    await ann.page.goto(server.origin);
    await ann.page.click('#create:enabled');
    await ann.page.waitForSelector('#created:not([hidden])');
    const link = new URL(await ann.page.getAttribute('#enter', 'href'), server.origin).href;
    await join(ann.page, link, 'Ann');
    await join(ben.page, link, 'Ben');
    await join(cem.page, link, 'Cem');
    await ann.page.click('#play');
    await sleep(1500);
    await say(ben.page, 'Everybody here?');
    await say(cem.page, 'I see 00:00:03 as we speak');
    await until(async () => (await ann.page.textContent('#status-text')).includes('In step'), 'ann in step');
    await until(async () => (await ben.page.textContent('#status-text')).includes('In step'), 'ben in step');
    await sleep(4000);
    await ann.page.mouse.move(400, 300); // shows the controls
    await sleep(500);
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
