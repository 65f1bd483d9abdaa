// Waiting for what comes by itself.
import { setTimeout as sleep } from 'node:timers/promises';

// Resolves to the first truthy value of `look()`; rejects, saying `what` (a text, or what makes
// one), when none comes.
export async function until(look, what, timeoutMs = 10_000, stepMs = 20) {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() >= endMs) throw new Error(`waited ${timeoutMs} ms in vain: ${typeof what === 'function' ? what() : what}`);
    await sleep(stepMs);
  }
}

// The log is written beside what it tells of: a line may come later than its effect.
export function untilLogged(server, pattern) {
  return until(() => pattern.test(server.stderr()), () => `${pattern} in the log:\n${server.stderr()}`);
}
