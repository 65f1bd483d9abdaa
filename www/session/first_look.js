// The session that this page's address names, and what the server says of it. Asked as soon as this module
// runs: a page that imports it before its words does not wait for these first.
import { findSessionKey, sessionInfo } from './api.js';

// null where the address names none.
export const key = findSessionKey(new URLSearchParams(globalThis.location?.search).get('session') ?? '');

// Resolves to {info, askedMs, heardMs}; rejects as sessionInfo() does. Times are local.
export async function look() {
  const askedMs = performance.now();
  const info = await sessionInfo(key);
  return { info, askedMs, heardMs: performance.now() };
}

export const firstLook = key ? look() : null;
firstLook?.catch(() => {}); // whoever awaits it hears of that

// The same with the moments at which the browser sent the question and the answer began to come, where it has
// noted them: this page learns of an answer as late as it is busy, and a new connection is no part of the way.
// entries: what the browser has noted of requests.
/**
 * @param {{info: Contract.Answer.sessionInfo, askedMs: number, heardMs: number}} seen
 * @param {Array<Pick<PerformanceResourceTiming, 'name' | 'startTime' | 'requestStart' | 'responseStart' | 'responseEnd'>>} entries
 */
export function timedByBrowser(seen, entries = performance.getEntriesByType('resource')) {
  const { askedMs, heardMs } = seen;
  const isIt = ({ name, startTime, requestStart, responseStart, responseEnd }) => name.endsWith(`/api/sessions/${seen.info.key}`) &&
    startTime >= askedMs && responseEnd <= heardMs && requestStart > 0 && responseStart > requestStart;
  const entry = entries.find(isIt);
  return entry ? { ...seen, askedMs: entry.requestStart, heardMs: entry.responseStart } : seen;
}
