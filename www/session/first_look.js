// The session that this page's address names, and what the server says of it. Asked as soon as this module
// runs: a page that imports it before its words does not wait for these first.
import { findSessionKey, sessionInfo } from './api.js';

// null where the address names none.
export const key = findSessionKey(new URLSearchParams(location.search).get('session') ?? '');

// Resolves to {info, askedMs, heardMs}; rejects as sessionInfo() does. Times are local.
export async function look() {
  const askedMs = performance.now();
  const info = await sessionInfo(key);
  return { info, askedMs, heardMs: performance.now() };
}

export const firstLook = key ? look() : null;
firstLook?.catch(() => {}); // whoever awaits it hears of that
