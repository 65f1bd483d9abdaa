// Films that are made anew for a browser look as they were drawn: bars of known colours, whatever the film says that
// its colours mean, read back from what Chromium shows.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { join, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { createSession } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

const run = promisify(execFile);
const WAIT_MS = 40_000;
const BARS = [[235, 235, 235], [200, 200, 40], [40, 190, 190], [40, 180, 40], [190, 40, 190], [200, 40, 40], [40, 40, 200], [128, 128, 128]];
const TOLERANCE = 12; // of 255, each of red, green and blue: for canvases Chromium itself is 9 off in blue
const [WIDTH, HEIGHT] = [320, 180];

// A picture's light, and how BT.709 writes it.
const lightOf = (value) => (value / 255) ** 2.4;
const valueOf = (light) => 255 * light ** (1 / 2.4);

// What docs/MEDIA.md says of high dynamic range: this curve, over the brightest of the three, up to 1000 nits.
const filmic = (x) => (x * (0.15 * x + 0.05) + 0.004) / (x * (0.15 * x + 0.5) + 0.06) - 0.02 / 0.3;
const WHITE = 2.03; // of 100 nits, where white is drawn
const toneMapped = (colour) => {
  const light = colour.map((value) => WHITE * lightOf(value));
  const brightest = Math.max(...light);
  return light.map((one) => valueOf((one / brightest) * (filmic(brightest) / filmic(10))));
};
const asDrawn = (colour) => colour;

// words: the matrix and the like that pictures are written with, the encoder's, and what the file says of them.
const mpeg2 = ['-c:v', 'mpeg2video', '-q:v', '2'];
const x265 = (format, parameters = '') => ['-c:v', 'libx265', '-preset', 'ultrafast', '-crf', '8', '-pix_fmt', format, '-x265-params', `log-level=none${parameters}`];
const said = (primaries, transfer, matrix) => ['-color_primaries', primaries, '-color_trc', transfer, '-colorspace', matrix];
const films = {
  'bt601-525': { written: 'm=170m:p=170m:t=601', words: [...mpeg2, ...said('smpte170m', 'smpte170m', 'smpte170m')] },
  'bt601-625': { written: 'm=470bg:p=bt470bg:t=601', words: [...x265('yuv420p'), ...said('bt470bg', 'smpte170m', 'bt470bg')] },
  bt709: { written: 'm=709:p=709:t=709', words: [...mpeg2, ...said('bt709', 'bt709', 'bt709')] },
  'bt709-full': { written: 'm=709:p=709:t=709:r=full', words: [...x265('yuv420p', ':range=full'), ...said('bt709', 'bt709', 'bt709'), '-color_range', 'pc'] },
  'full-jpeg': { written: 'm=470bg:p=709:t=709:r=full', words: ['-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj420p'] },
  'silent-small': { written: 'm=170m:p=709:t=709', words: [...mpeg2] },
  'silent-large': { written: 'm=709:p=709:t=709', words: ['-s', '1280x720', '-sws_flags', 'neighbor', ...mpeg2] },
  'bt2020': { written: 'm=2020_ncl:p=2020:t=2020_10', words: [...x265('yuv420p10le'), ...said('bt2020', 'bt2020-10', 'bt2020nc')] },
  'hdr10': { written: 'm=2020_ncl:p=2020:t=smpte2084:npl=203', words: [...x265('yuv420p10le', ':hdr10=1'), ...said('bt2020', 'smpte2084', 'bt2020nc')], seen: toneMapped },
};

let folder;
let server;
let browser;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'videosync-colours-'));
  const media = path.join(folder, 'media');
  await mkdir(media);
  const rows = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i += 1) rows.set(BARS[Math.floor(((i % WIDTH) * BARS.length) / WIDTH)], i * 3);
  const bars = path.join(folder, 'bars.ppm');
  await writeFile(bars, Buffer.concat([Buffer.from(`P6\n${WIDTH} ${HEIGHT}\n255\n`), rows]));
  for (const [name, { written, words }] of Object.entries(films)) {
    const filters = `format=gbrp,zscale=min=gbr:pin=709:tin=709:rin=full:r=limited:${written},format=${written.includes('2020') ? 'yuv420p10le' : 'yuv420p'}`;
    await run('ffmpeg', ['-v', 'error', '-y', '-loop', '1', '-t', '3', '-framerate', '25', '-i', bars, '-vf', filters, ...words, path.join(media, `${name}.mkv`)]);
  }
  server = await startServer({ args: ['--media', media, '--session-rate', '0'], env: { VIDEOSYNC_CACHE: path.join(folder, 'cache') } });
  browser = await launchBrowser(['--force-color-profile=srgb']);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

// Runs in the page: the colour in the middle of each bar.
function readBars(count) {
  const video = document.querySelector('video');
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
  const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  context.drawImage(video, 0, 0, 320, 180);
  return Array.from({ length: count }, (_, i) => {
    const { data } = context.getImageData((i + 0.5) * (320 / count) - 5, 85, 10, 10);
    return [0, 1, 2].map((channel) => {
      let sum = 0;
      for (let at = channel; at < data.length; at += 4) sum += data[at];
      return Math.round(sum / (data.length / 4));
    });
  });
}

async function colourBars(name) {
  await until(async () => (await (await fetch(`${server.origin}/api/videos?limit=100`)).json()).videos.find(({ id, forms }) => id === name && forms), `the forms of ${name}`, WAIT_MS);
  const { url } = await createSession(server, { video: name });
  const { page, context, faults } = await openPerson(browser);
  await join(page, `${server.origin}${url}`, 'Ann');
  await until(async () => (await page.textContent('#status-text')) === 'Ready to start', `${name} is loaded`, WAIT_MS);
  const seen = await page.evaluate(readBars, BARS.length);
  const made = await page.evaluate(() => performance.getEntriesByType('resource').some(({ name: one }) => /\d+p\/\d+\.m4s$/.test(one)));
  await context.close();
  assert.deepEqual(faults, []);
  assert.ok(made, `${name} was made anew`);
  return seen;
}

for (const [name, { seen = asDrawn }] of Object.entries(films)) {
  test(`${name} looks as it was drawn`, async () => {
    const shown = await colourBars(name);
    const wanted = BARS.map((colour) => seen(colour).map(Math.round));
    const far = Math.max(...shown.flatMap((colour, i) => colour.map((value, channel) => Math.abs(value - wanted[i][channel]))));
    assert.ok(far <= TOLERANCE, `${far} off: ${JSON.stringify(shown)} instead of ${JSON.stringify(wanted)}`);
  });
}
