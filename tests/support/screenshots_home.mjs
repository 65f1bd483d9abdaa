// Takes the pictures of the start page, in light and dark, on a desk and on a phone, of a real server
// with a small library whose posters it makes itself. Usage: node screenshots_home.mjs [FOLDER]
// With a folder all pictures go there; else the two that README.md shows go to docs/.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { launchBrowser, openPerson, until } from './browser.mjs';
import { makeFolder } from './files.mjs';
import { madeSession } from './player_page.mjs';
import { projectRoot, startServer } from './server.mjs';

const run = promisify(execFile);
const FILMS = {
  'Into the Set': 'mandelbrot=size=960x540:rate=2:start_scale=0.4:end_scale=0.01:end_pts=200',
  'Colour Theory': 'gradients=size=960x540:rate=2:c0=0x2b1055:c1=0xd76d77:c2=0xffaf7b:nb_colors=3:seed=4',
  'Game of Life': 'life=size=320x180:rate=2:mold=8:life_color=0xffd166:death_color=0x26547c:mold_color=0x06263d:seed=7,scale=960:540:flags=neighbor',
  'Northern Lights': 'gradients=size=960x540:rate=2:c0=0x03121f:c1=0x0f9b8e:c2=0x8e2de2:c3=0x061a40:nb_colors=4:seed=9:x0=0:y0=540:x1=960:y1=0',
  'Fire Drill': 'sierpinski=size=960x540:rate=2:seed=3:type=carpet',
};
const LENGTHS_S = [96, 30, 75, 48, 62];

async function makeLibrary() {
  const folder = await makeFolder();
  await Promise.all(Object.entries(FILMS).map(([name, source], i) =>
    run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, '-t', String(LENGTHS_S[i]), '-c:v', 'libx264',
      '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-movflags', '+faststart', folder.path(`${name}.mp4`)])));
  return folder;
}

async function takePictures(server, browser, name, options, { folder, withMade }) {
  const { page, context } = await openPerson(browser, options);
  const picture = (suffix) => page.screenshot({ path: path.join(folder, `${name}${suffix}.png`) });
  await page.goto(server.origin);
  await page.waitForFunction((count) => [...document.querySelectorAll('.poster-picture')].filter((img) => !img.hidden).length === count,
    Object.keys(FILMS).length);
  await page.evaluate(() => localStorage.setItem('videosync.name', 'Ann'));
  await page.click('#create:enabled');
  await madeSession(page);
  if (withMade) await picture('-made');
  await page.goto(server.origin);
  await page.waitForSelector('.recent-row');
  await page.waitForFunction(() => [...document.querySelectorAll('.poster-picture')].every((img) => !img.hidden));
  await page.mouse.move(0, 0);
  await page.waitForFunction(() => document.getAnimations().length === 0);
  await picture('');
  await context.close();
}

async function main() {
  const folder = process.argv[2] ?? path.join(projectRoot, 'docs');
  const library = await makeLibrary();
  const cache = await makeFolder();
  const server = await startServer({ args: ['--media', library.directory], env: { VIDEOSYNC_CACHE: cache.directory } });
  const browser = await launchBrowser();
  try {
    const listed = async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos;
    await until(async () => (await listed()).every(({ poster }) => poster), 'every poster', 120_000);
    const desk = { viewport: { width: 1280, height: 800 } };
    const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
    const all = { home: { ...desk, colorScheme: 'light' }, 'home-phone': { ...phone, colorScheme: 'dark' } };
    if (process.argv[2]) {
      Object.assign(all, {
        'home-dark': { ...desk, colorScheme: 'dark' },
        'home-phone-light': { ...phone, colorScheme: 'light' },
        'home-small': { ...phone, viewport: { width: 360, height: 640 }, colorScheme: 'light', locale: 'de-DE' },
      });
    }
    const places = { folder, withMade: Boolean(process.argv[2]) };
    for (const [name, options] of Object.entries(all)) await takePictures(server, browser, name, options, places);
  } finally {
    await browser.close();
    await server.stop('SIGKILL');
    await library.remove();
    await cache.remove();
  }
}

await main();
