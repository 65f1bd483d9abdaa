// One visit of a session's link by a real browser: from the click on the link to the moving picture.
//
// All is taken by what every engine has: the page's own performance entries, and one script that runs in it
// before its own. Where the engine can run that only once the page has loaded (WebKit), Join could be pressed, at
// the latest, when the page's own scripts had run, which an entry tells. Times are milliseconds since the click on the link, but where they say otherwise.

const WAIT_MS = 60_000;
const IS_FILM = /\/api\/video\?|\/media\/.*\.(mp4|m4s|m3u8)/;

// Runs in the page before its own scripts, or when it has loaded.
export function observe() {
  const seen = (window.testSeen = { joinableMs: null, joinedMs: null, movingMs: null, movingS: null });
  const now = () => performance.now();
  const isJoinable = () => {
    const join = document.querySelector('#gate-join');
    return join && !join.disabled && document.querySelector('#gate:not([hidden])');
  };
  const isLate = document.readyState === 'complete';
  if (isLate && isJoinable()) seen.joinableMs = performance.getEntriesByType('navigation')[0].domContentLoadedEventStart;
  new MutationObserver(() => {
    if (isJoinable()) seen.joinableMs ??= now();
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['disabled'] });
  document.addEventListener('submit', () => (seen.joinedMs ??= now()), { capture: true });
  const watchFrames = () => {
    const video = document.querySelector('video');
    if (!video) return; // about:blank
    let lastS = null;
    const onFrame = (_, { mediaTime }) => {
      if (seen.joinedMs !== null && !video.paused && !video.seeking && lastS !== null && mediaTime > lastS) {
        Object.assign(seen, { movingMs: now(), movingS: mediaTime });
      }
      lastS = mediaTime;
      if (seen.movingMs === null) video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  };
  if (isLate) watchFrames();
  else addEventListener('DOMContentLoaded', watchFrames);
}

// The click on the link.
export async function openGate(page, link) {
  await page.goto(link, { waitUntil: 'commit', timeout: WAIT_MS });
  await page.waitForFunction(() => Boolean(window.testSeen?.joinableMs), null, { timeout: WAIT_MS });
}

// As if somebody read what the gate says: until nothing has been asked for a while.
export async function readGate(page, quietMs) {
  await page.waitForFunction((quiet) => {
    const last = Math.max(...performance.getEntriesByType('resource').map(({ responseEnd, startTime }) => Math.max(responseEnd, startTime)));
    return performance.now() - last > quiet;
  }, quietMs, { timeout: WAIT_MS });
}

export async function passGate(page) {
  await page.click('#gate-join', { timeout: WAIT_MS });
  await page.waitForFunction(() => window.testSeen.movingMs !== null, null, { timeout: WAIT_MS });
}

// {joinableMs, joinedMs, movingMs, movingS, originMs, loads}: movingS of the film; originMs of the click, since the Unix epoch; loads: of
// each {url, startMs, sentMs, firstMs, endMs, bytes, isFilm, isCached}, the page itself first.
export function whatHappened(page) {
  return page.evaluate((film) => {
    const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return {
      ...window.testSeen,
      originMs: performance.timeOrigin,
      loads: entries.map((entry) => ({
        url: entry.name.replace(location.origin, ''),
        startMs: entry.startTime,
        sentMs: entry.requestStart || entry.startTime,
        firstMs: entry.responseStart || entry.startTime,
        endMs: entry.responseEnd,
        bytes: entry.transferSize,
        protocol: entry.nextHopProtocol,
        isFilm: new RegExp(film).test(entry.name),
        isCached: entry.transferSize === 0 && entry.decodedBodySize > 0,
      })),
    };
  }, IS_FILM.source);
}

// {requests, bytes} of what was asked of the network until `untilMs`, the film's bytes apart.
export function costOf({ loads }, untilMs = Infinity) {
  const asked = loads.filter(({ startMs, isFilm, isCached }) => startMs <= untilMs && !isFilm && !isCached);
  return { requests: asked.length, bytes: asked.reduce((sum, { bytes }) => sum + bytes, 0) };
}
