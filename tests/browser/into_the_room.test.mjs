// The way from a link into the room: what it may cost, by counts. In real Chromium, before a real server behind
// a real nginx with TLS, over a network whose round trips are counted (tests/support/round_trips.mjs).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { costOf, observe, openGate, passGate, readGate, whatHappened } from '../../bench/page/visit.mjs';
import { launchBrowser, openPerson, until } from '../support/browser.mjs';
import { replaceByPackage } from '../support/hls.mjs';
import { makeMedia, makePoster } from '../support/media.mjs';
import { createSession, join } from '../support/member.mjs';
import { startNginx } from '../support/nginx.mjs';
import { startServer } from '../support/server.mjs';
import { startShapedProxy } from '../support/shaped_proxy.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const TRIPS_MAX = 5;
const REQUESTS_MAX = 12;
const BYTES_MAX = 120_000;
// So long that what a busy machine takes between two requests is none.
const ROUND_TRIP_MS = 500;
const GATE_READ_MS = 1_500; // of silence
const PLAYS_STREAMS = /\/vendor\/hls/;
const IS_SEGMENT = '/media/stream/.*[.]m4s';

let media;
let server;

before(async () => {
  media = await makeMedia([{ name: 'film', seconds: 120 }, { name: 'stream', seconds: 12 }]);
  await replaceByPackage(media.directory, 'stream');
  await makePoster(`${media.directory}/film.jpg`, { seed: 1 }); // its bytes count, too: 6 to 11 KB by chance
  server = await startServer({ args: ['--media', media.directory, '--video', 'film', '--session-rate', '0', '--trusted-proxy', '127.0.0.1'] });
  await untilFilmsAreKnown(server);
});

after(async () => {
  await server?.stop();
  await media?.remove();
});

const infoOf = async (key) => (await fetch(`${server.origin}/api/sessions/${key}`)).json();

// Visits the link to a session that plays, from far away. video: of one that waits at its beginning. tls: what nginx speaks.
async function visit({ tls, locale, video, roundTripMs = ROUND_TRIP_MS }, act) {
  const front = await startNginx([server], { tls });
  const proxy = await startShapedProxy(front.origin, { up: { delayMs: roundTripMs / 2 }, down: { delayMs: roundTripMs / 2 }, slowToConnect: true });
  const browser = await launchBrowser([`--ignore-certificate-errors-spki-list=${front.selfSignedKey}`]);
  const session = await createSession(server, video ? { video } : {});
  const host = await join(server, session.key, { name: 'Host', host: session.hostToken });
  try {
    if (!video) host.send('play', { position: 30 });
    const { page, faults, context } = await openPerson(browser, { locale });
    await page.addInitScript(observe);
    await act({ page, context, proxy, host, key: session.key, link: `${proxy.origin}/player.html?session=${session.key}` });
    assert.deepEqual(faults, []);
  } finally {
    await host.close();
    await browser.close();
    await proxy.stop();
    await front.stop();
  }
}

function assertBudget({ proxy, seen }) {
  const taken = proxy.trips.countAt(seen.originMs + seen.joinableMs);
  assert.ok(taken >= 3 && taken <= TRIPS_MAX, `${taken} round trips to Join`);
  assertCost(costOf(seen), seen.loads);
}

// What the page is made of, but for words in another language: nothing of it waits for what names it.
function assertAskedAtOnce({ trips }, { originMs, joinableMs, loads }) {
  const parts = loads.filter(({ url }) => /^\/[^?]*\.(js|css)(#|$)/.test(url) && !url.startsWith('/strings/'));
  assert.ok(parts.length >= 4, parts.map(({ url }) => url).join('\n'));
  const toJoin = trips.countAt(originMs + joinableMs);
  for (const { url, endMs } of parts) assert.ok(trips.countAt(originMs + endMs) <= toJoin, `${url} comes a round trip after Join`);
}

function assertCost({ requests, bytes }, loads) {
  const list = loads.map((load) => `${load.url} ${load.bytes}`).join('\n');
  assert.ok(requests >= 4 && requests <= REQUESTS_MAX, `${requests} requests before Join:\n${list}`);
  assert.ok(bytes > 20_000 && bytes <= BYTES_MAX, `${bytes} bytes before Join:\n${list}`);
}

// Each has a line and a browser of its own, and mostly waits for the line.
describe('the way into the room', { concurrency: 3 }, () => {
  // One connection after the other leaves no round trip to spare.
  for (const [tls, locale, roundTripMs] of [['h2', 'en'], ['http/1.1', 'en', 1_000], ['h2', 'de']]) {
    test(`${tls}, ${locale}: at most ${TRIPS_MAX} round trips, ${REQUESTS_MAX} requests and ${BYTES_MAX / 1000} KB before Join`, () =>
      visit({ tls, locale, roundTripMs }, async ({ page, proxy, key, link }) => {
        await openGate(page, link);
        await readGate(page, 3 * (roundTripMs ?? ROUND_TRIP_MS));
        const seen = await whatHappened(page);
        assertBudget({ proxy, seen });
        // The browser notes the request for it only when that has ended.
        await until(() => page.$eval('#video', ({ buffered }) => buffered.length > 0), 'the film is fetched meanwhile');
        if (tls === 'h2') assertAskedAtOnce(proxy, seen);
        assert.ok(seen.loads.every(({ url, protocol }) => protocol === tls || !url.startsWith('/')), 'over what it should be');
        // Whoever only looks is nobody here.
        assert.equal(await page.evaluate(() => testSockets.length), 0);
        assert.equal((await infoOf(key)).members, 1);
      }));
  }

  test('a stream: the same, for what plays it comes when all else is there', () =>
    visit({ tls: 'h2', locale: 'en', video: 'stream' }, async ({ page, proxy, host, link }) => {
      await openGate(page, link);
      await page.waitForFunction((film) => performance.getEntriesByType('resource').some(({ name }) => new RegExp(film).test(name)), IS_SEGMENT);
      await readGate(page, 3 * ROUND_TRIP_MS);
      const atGate = await whatHappened(page);
      const taken = proxy.trips.countAt(atGate.originMs + atGate.joinableMs);
      assert.ok(taken >= 3 && taken <= TRIPS_MAX, `${taken} round trips to Join`);
      const [player, ...more] = atGate.loads.filter(({ url }) => PLAYS_STREAMS.test(url));
      assert.ok(player && more.length === 0, 'one part plays streams');
      const rest = atGate.loads.filter((load) => load !== player);
      assertCost(costOf({ loads: rest }), rest);
      const parts = rest.filter(({ url }) => /\.js(#|$)/.test(url));
      assert.ok(parts.length > 2 && parts.every(({ endMs }) => endMs <= player.startMs), 'it is asked for last');
      host.send('play');
      await passGate(page);
      const { loads } = await whatHappened(page);
      const later = loads.slice(atGate.loads.length).filter(({ url, isCached }) => !isCached && /\.(m?js|css|svg|html)(#|$)/.test(url));
      assert.deepEqual(later, []);
    }));

  test('all that the room is made of is there before one joins; then the picture moves, and nothing of the pages is asked for', () =>
    visit({ tls: 'h2', locale: 'en' }, async ({ page, key, link }) => {
      await openGate(page, link);
      await readGate(page, GATE_READ_MS);
      const before = await whatHappened(page);
      await passGate(page);
      const after = await whatHappened(page);
      const later = after.loads.slice(before.loads.length).filter(({ isCached, isFilm }) => !isCached && !isFilm);
      assert.deepEqual(later.filter(({ url }) => /\.(js|css|svg|html)(#|$)/.test(url)), []);
      await until(async () => (await infoOf(key)).members === 2, 'the room has two members');
      assert.deepEqual(await page.evaluate(() => testSockets.length), 1);
    }));

  test('who reads the gate for long is put where the showing is by then', () =>
    visit({ tls: 'h2', locale: 'en' }, async ({ page, host, link }) => {
      await page.addInitScript(() => {
        const now = performance.now.bind(performance);
        performance.now = () => now() + (window.testLaterMs ?? 0);
      });
      await openGate(page, link);
      await page.waitForSelector('#gate-words:not(:empty)');
      host.send('seek', { position: 90 });
      await host.next('state', ({ cause }) => cause === 'seek');
      await page.evaluate(() => (window.testLaterMs = 6_000));
      await passGate(page);
      const { loads, movingS } = await whatHappened(page);
      assert.equal(loads.filter(({ url }) => url.startsWith('/api/sessions/')).length, 2, 'it is asked anew');
      assert.ok(movingS >= 90, `${movingS}`);
    }));

  test('who comes again asks for the page and the session alone', () =>
    visit({ tls: 'h2', locale: 'en' }, async ({ page, context, link }) => {
      await openGate(page, link);
      await readGate(page, GATE_READ_MS);
      await page.close();
      const again = await context.newPage();
      await again.addInitScript(observe);
      await openGate(again, link);
      await readGate(again, GATE_READ_MS);
      const seen = await whatHappened(again);
      const asked = seen.loads.filter(({ isCached, isFilm }) => !isCached && !isFilm).map(({ url }) => url.replace(/[?].*|[0-9a-f-]{36}/, ''));
      assert.deepEqual(asked.filter((url) => url !== '/media/film.jpg'), ['/player.html', '/api/sessions/']);
    }));

  test('who reads the gate first is not host before who joins first', async () => {
    const browser = await launchBrowser();
    const { key } = await createSession(server);
    try {
      const { page } = await openPerson(browser);
      await page.addInitScript(observe);
      await openGate(page, `${server.origin}/player.html?session=${key}`);
      await page.waitForSelector('#gate-words:not(:empty)');
      const info = await infoOf(key);
      assert.deepEqual([info.members, info.state.epoch], [0, 0]);
      const ann = await join(server, key, { name: 'Ann' });
      assert.deepEqual([ann.welcome.you.role, ann.welcome.members.count], ['host', 1]);
      await ann.close();
    } finally {
      await browser.close();
    }
  });
});
