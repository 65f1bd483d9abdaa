// Waiting for what comes by itself.
import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 20;
const LONG_STEP_MS = 100;

// Resolves to the first truthy value of `look()`; rejects, saying `what` (a text, or what makes
// one), when none comes.
//
// Who looks at a page every 20 ms costs as much as a film that plays in it. So, without `stepMs`, it looks
// the less often the longer it has waited: it is late by a tenth of that, and by 100 ms at most.
export async function until(look, what, timeoutMs = 10_000, stepMs = null) {
  const startMs = Date.now();
  for (;;) {
    const value = await look();
    if (value) return value;
    const waitedMs = Date.now() - startMs;
    if (waitedMs >= timeoutMs) throw new Error(`waited ${timeoutMs} ms in vain: ${typeof what === 'function' ? what() : what}`);
    await sleep(stepMs ?? Math.min(Math.max(STEP_MS, waitedMs / 10), LONG_STEP_MS));
  }
}

// The log is written beside what it tells of: a line may come later than its effect.
export function untilLogged(server, pattern) {
  return until(() => pattern.test(server.stderr()), () => `${pattern} in the log:\n${server.stderr()}`);
}
