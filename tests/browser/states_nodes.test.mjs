// What the page says when the servers lose each other: two real nodes, of which the one that has the
// session is cut off from Redis, so that the other one takes it over. Ann, the host, and Cem watch on
// the first in real Chromium, Cem over a line that can be moved; Ben speaks the protocol to the second.
// The steps build on each other; with VIDEOSYNC_SCREENSHOTS=folder each state leaves pictures.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { assertAccessible } from '../support/accessibility.mjs';
import { startBreakableProxy } from '../support/breakable_proxy.mjs';
import { join as joinPage, launchBrowser, openPerson, until } from '../support/browser.mjs';
import { startCluster } from '../support/cluster.mjs';
import { makeMedia } from '../support/media.mjs';
import { createSession, join } from '../support/member.mjs';
import { hasNotice, hasRole, hasStatus, takePicture, tell } from '../support/player_page.mjs';
import { story } from '../support/story.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const step = story('what the page says while nodes come and go');
const UNDONE = 'the last actions here were undone';
const NEWS_MS = 20_000; // in which it has gone by itself
let media;
let cluster;
let proxy;
let browser;
let ann;
let ben;
let cem;

before(async () => {
  media = await makeMedia([{ name: 'film', seconds: 120, grain: true }]);
  const args = ['--media', media.directory, '--video', 'film', '--host-grace', '1s'];
  cluster = await startCluster({ gated: true, args });
  for (const node of cluster.nodes) await untilFilmsAreKnown(node);
  browser = await launchBrowser();
  const [here, there] = cluster.nodes;
  proxy = await startBreakableProxy(here.origin);
  const { key } = await createSession(here);
  const link = `/player.html?session=${key}`;
  ann = await openPerson(browser);
  cem = await openPerson(browser, { locale: 'de-DE' });
  await joinPage(ann.page, here.origin + link, 'Ann');
  await hasRole(ann.page, 'You are the host.');
  await joinPage(cem.page, proxy.origin + link, 'Cem');
  ben = await join(there, key, { name: 'Ben' });
});

after(async () => {
  await browser?.close();
  await ben?.drop();
  await proxy?.stop();
  await cluster?.stop();
  await media?.remove();
});

const spokenWords = ({ page }) => page.textContent('#status-live');
const noticeGoes = ({ page }) => until(async () => !(await page.isVisible('#notice')), 'it goes by itself', NEWS_MS);

step('cut off: who is there goes on together, and is told', async () => {
  cluster.gates[0].shut();
  await hasNotice(ann.page, 'The service is impaired');
  await tell(ann.page, { type: 'play' });
  await hasStatus(ann.page, 'In step');
  await hasStatus(cem.page, 'Im Takt');
});

step('who comes back to the node that took the session over is told that this does not count', async () => {
  await ben.next('host', ({ id }) => id === ben.id);
  proxy.turnTo(cluster.nodes[1].origin);
  await hasNotice(cem.page, 'die letzten Aktionen hier wurden rückgängig gemacht');
  await hasStatus(cem.page, 'Startbereit');
});

step('so is who was there all the time, when the nodes have found each other', async () => {
  await ben.next('members', ({ joined }) => joined.some(({ name }) => name === 'Cem'));
  ben.send('play', { position: 40 });
  cluster.gates[0].open();
  await hasNotice(ann.page, UNDONE);
  await until(async () => (await spokenWords(ann)).includes(UNDONE), 'screen readers are told');
  await hasRole(ann.page, 'Ben controls playback');
  await hasStatus(ann.page, 'In step');
  await takePicture(ann.page, 'undone');
  await assertAccessible(ann.page, 'undone');
});

step('it goes by itself, and who has lost nothing was told nothing', async () => {
  await Promise.all([ann, cem].map(noticeGoes));
  assert.deepEqual(ben.of('notice').filter(({ code }) => code === 'undone'), []);
});

step('no page broke the security policy, and its script had no error', () => {
  // What cannot be reached stands on the console, whatever a page does.
  const faults = [...ann.faults, ...cem.faults].filter((fault) => !/WebSocket connection|Failed to load resource/.test(fault));
  assert.deepEqual(faults, []);
});
