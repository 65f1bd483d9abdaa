// Fetches a part of a page that comes later than the page: every import() of the pages stands in a call of this.
//
// A part may fail to come: the network is away for a moment, or the server has been replaced meanwhile by one
// of another version, which knows it by another name. So it is tried again. Two things only a page that is
// loaded anew can cure: that other version, and a browser that remembers a failure as long as the page
// stands (Firefox 153 does; Chromium 156 and WebKitGTK 2.50 do not).
import { servedPage } from './session/api.js';

const WAITS_MS = [300, 1_000, 2_000, 5_000]; // the last one again and again
const FAILURES_OF_CHANCE = 1; // while the server is there
const FRESH_MS = 30_000;

// Why a part has not come yet. code: 'outdated', the server has another version of this page; 'missing', it
// has this one; else of an ApiError, with its `status` and `retryAfterS`. needsReload: trying again is not worth much.
export class PartTrouble extends Error {
  code;
  status;
  retryAfterS;
  needsReload;

  /** @param {string} code @param {{status?: number | null, retryAfterS?: number | null, needsReload?: boolean}} [more] */
  constructor(code, { status = null, retryAfterS = null, needsReload = false } = {}) {
    super(`a part of the page did not come: ${code}`);
    Object.assign(this, { code, status, retryAfterS, needsReload });
  }
}

// load(): the import. Resolves to the module. onTrouble(trouble) hears of each failure. Rejects with the
// last trouble after `triesMax` of them. means: the browser's, others for tests.
export async function loadPart(load, { onTrouble = (/** @type {PartTrouble} */ _trouble) => {}, triesMax = Infinity } = {}, means = inBrowser) {
  for (let failures = 1; ; failures += 1) {
    try {
      return await load();
    } catch (error) {
      console.warn(error);
    }
    const trouble = await findTrouble(failures, means);
    if (failures >= triesMax) throw trouble;
    onTrouble(trouble);
    await means.wait(WAITS_MS[Math.min(failures, WAITS_MS.length) - 1]);
  }
}

async function findTrouble(failures, { isServed }) {
  try {
    if (!(await isServed())) return new PartTrouble('outdated', { needsReload: true });
    return new PartTrouble('missing', { needsReload: failures > FAILURES_OF_CHANCE });
  } catch ({ code, status, retryAfterS }) {
    return new PartTrouble(code, { status, retryAfterS });
  }
}

// Whether this page may load itself anew: not one that was loaded anew a moment ago, for that has not helped.
export function mayReload() {
  const [visit] = performance.getEntriesByType('navigation');
  return visit?.type !== 'reload' || performance.now() > FRESH_MS;
}

// The name of its script tells a page's version: it has a hash of all that the page consists of.
const ownScript = () => new URL(/** @type {HTMLScriptElement} */ (document.querySelector('script[type=module]')).src).pathname;

const inBrowser = {
  // Whether the server's page is of this one's version.
  isServed: async () => (await servedPage(location.pathname)).includes(ownScript()),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
