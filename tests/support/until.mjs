// Waiting for what comes by itself.
import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 20;
const LONG_STEP_MS = 100;
const FILMS_TIMEOUT_MS = 60_000;

// Resolves to the first truthy value of `look()`; rejects, saying `what` (a text, or what makes
// one, or a promise of it), when none comes.
//
// Who looks at a page every 20 ms costs as much as a film that plays in it. So, without `stepMs`, it looks
// the less often the longer it has waited: it is late by a tenth of that, and by 100 ms at most.
export async function until(look, what, timeoutMs = 10_000, stepMs = null) {
  const startMs = Date.now();
  for (;;) {
    const value = await look();
    if (value) return value;
    const waitedMs = Date.now() - startMs;
    if (waitedMs >= timeoutMs) throw new Error(`waited ${timeoutMs} ms in vain: ${typeof what === 'function' ? await what() : what}`);
    await sleep(stepMs ?? Math.min(Math.max(STEP_MS, waitedMs / 10), LONG_STEP_MS));
  }
}

// A server learns what its films are, how long and in which forms, one after the other while it serves, and late where
// the machine is busy. Whoever seeks in them, or waits for their ends, waits for that first. unreadable: ids of what is
// no film, of which there is nothing to learn. headers: of who may see the list.
export function untilFilmsAreKnown({ origin }, { unreadable = [], headers = {} } = {}) {
  let unknown;
  const look = async () => {
    const { videos } = await (await fetch(`${origin}/api/videos`, { headers })).json();
    unknown = videos.filter(({ id, duration }) => duration === undefined && !unreadable.includes(id));
    return videos.length > 0 && unknown.length === 0;
  };
  return until(look, () => `what these films are: ${unknown.map(({ id }) => id)}`, FILMS_TIMEOUT_MS);
}

// The log is written beside what it tells of: a line may come later than its effect.
export function untilLogged(server, pattern) {
  return until(() => pattern.test(server.stderr()), () => `${pattern} in the log:\n${server.stderr()}`);
}
