// A film of one's own, dropped on the room in a real Chromium: seen to come by everybody, gone on with after a reload,
// in that room's picker alone.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { join, until } from '../support/browser.mjs';
import { openCinema } from '../support/cinema.mjs';
import { makeFolder } from '../support/files.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession } from '../support/member.mjs';
import { cardOf, hasRole, openPicker, takePicture } from '../support/player_page.mjs';
import { startShapedProxy } from '../support/shaped_proxy.mjs';
import { story } from '../support/story.mjs';

const step = story('a film of one’s own');
const UP_BYTES_PER_S = 300_000; // so that there is a middle
let films;
let folder;
let cinema;
let proxy;
let made;
let ann; // the host, over a slow line
let ben;

before(async () => {
  films = await makeMedia([{ name: 'own', seconds: 12, grain: true }]);
  folder = await makeFolder();
  cinema = await openCinema({ films: [{ name: 'demo', seconds: 10 }], args: ['--uploads', folder.directory] });
  proxy = await startShapedProxy(cinema.server.origin, { up: { bytesPerS: UP_BYTES_PER_S } });
  made = await createSession(cinema.server);
  ann = await cinema.meet();
  await ann.page.addInitScript(([item, token]) => localStorage.setItem(item, JSON.stringify({ token, sinceMs: Date.now() })),
    [`videosync.host.${made.key}`, made.hostToken]);
  await join(ann.page, proxy.origin + made.url, 'Ann');
  await hasRole(ann.page, 'You are the host.');
  ben = await cinema.meet();
  await join(ben.page, cinema.server.origin + made.url, 'Ben');
});

after(async () => {
  await cinema?.close();
  await proxy?.stop();
  await folder?.remove();
  await films?.remove();
});

async function drop(page) {
  const bytes = (await readFile(path.join(films.directory, 'own.mp4'))).toString('base64');
  const dataTransfer = await page.evaluateHandle((text) => {
    const content = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], 'Our holidays.mp4', { type: 'video/mp4', lastModified: 1 }));
    return transfer;
  }, bytes);
  await page.dispatchEvent('#stage', 'dragover', { dataTransfer });
  await page.dispatchEvent('#stage', 'drop', { dataTransfer });
}
// What a browser is told of a file that hangs over the room: whether the page deals with it, and how.
const dragOver = (page) => page.evaluate(() => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['x'], 'a.mp4'));
  dataTransfer.effectAllowed = dataTransfer.dropEffect = 'copy';
  const event = new DragEvent('dragover', { dataTransfer, bubbles: true, cancelable: true });
  document.querySelector('#stage').dispatchEvent(event);
  return [event.defaultPrevented, event.dataTransfer.dropEffect];
});
const wordsOf = (page) => page.textContent('#bringing-words');
const says = (page, pattern, waitMs = 30_000) => until(async () => pattern.test(await wordsOf(page)) && page.isVisible('#bringing'),
  async () => `the page says ${pattern} and not “${await wordsOf(page)}”`, waitMs);
const percentOf = async (page) => Number(/(\d+) %/.exec(await wordsOf(page))?.[1] ?? -1);

step('only who made the session is offered to bring a film', async () => {
  await ann.page.evaluate(() => (document.querySelector('#host-tools').open = true));
  await until(() => ann.page.isVisible('#bring'), 'the host is offered it');
  assert.equal(await ben.page.isVisible('#bring'), false);
  const before = ben.page.url();
  assert.deepEqual(await dragOver(ben.page), [true, 'none'], 'a browser is to show that it is not taken');
  await drop(ben.page);
  assert.equal(ben.page.url(), before);
});

step('a film is dropped on the room, and everybody sees it come', async () => {
  await drop(ann.page);
  let said;
  await until(async () => (said = await wordsOf(ann.page)) && await percentOf(ann.page) > 5, () => `the host sees how far it is: ${said} ${ann.faults.join()}`, 30_000);
  await says(ben.page, /“Our holidays.mp4” is being brought: \d+ %/);
  assert.equal(await ann.page.isVisible('#bringing-stop'), true);
  assert.equal(await ben.page.isVisible('#bringing-stop'), false);
  await takePicture(ann.page, 'bringing');
});

step('after a reload it goes on where it was', async () => {
  // The server has not said yet whether it takes films when the file is dropped.
  let tell;
  const known = new Promise((resolve) => (tell = resolve));
  await ann.page.route('**/api/uploads', async (route) => {
    if (route.request().method() === 'OPTIONS') await known;
    await route.continue();
  });
  await ann.page.reload();
  await join(ann.page, proxy.origin + made.url, 'Ann');
  await hasRole(ann.page, 'You are the host.');
  const sent = [];
  ann.page.on('request', (request) => {
    if (request.url().includes('/api/uploads')) sent.push([request.method(), request.headers()['upload-offset']]);
  });
  await until(async () => !(await ann.page.isHidden('#host-tools')), 'the room is there');
  await drop(ann.page);
  tell();
  await until(() => ann.page.isVisible('#bringing-stop'), 'it is taken');
  await assertAccessible(ann.page);
  await says(ann.page, /“Our holidays.mp4” is there/, 60_000);
  assert.equal(sent[0][0] === 'OPTIONS' ? sent[1][0] : sent[0][0], 'HEAD', JSON.stringify(sent));
  const offsets = sent.filter(([method]) => method === 'PATCH').map(([, offset]) => Number(offset));
  assert.ok(offsets.length > 0 && offsets.every((offset) => offset > 0), JSON.stringify(sent));
  await says(ben.page, /“Our holidays.mp4” is there/);
  ann.faults.length = 0; // what was on its way before the reload may still be coming: that is tried again, and a console tells
});

step('it is in this room’s picker, and plays', async () => {
  await openPicker(ann.page);
  await until(() => cardOf(ann.page, 'Our holidays').isVisible(), 'it is offered', 20_000);
  await cardOf(ann.page, 'Our holidays').getByRole('button', { name: /^Show now/ }).click();
  for (const { page } of [ann, ben]) await until(async () => (await page.title()).startsWith('Our holidays'), 'it is on');
  await until(() => ben.page.evaluate(() => document.querySelector('#video').readyState >= 2), 'it plays', 30_000);
  const other = await cinema.meet();
  const { url } = await createSession(cinema.server);
  await join(other.page, cinema.server.origin + url, 'Cem');
  await openPicker(other.page);
  await until(() => cardOf(other.page, 'demo').isVisible(), 'the library is there');
  assert.equal(await cardOf(other.page, 'Our holidays').count(), 0);
});

step('no page had a fault', () => cinema.assertFaultless());
