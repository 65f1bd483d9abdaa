// A test whose steps build on each other is one test: it ends with the first step that fails and says
// which, for what follows would fail as well, or pass for no reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';

// Returns step(what, act). The steps that a file has when it has been read make up its test `name`.
export function story(name) {
  const steps = [];
  test(name, async (t) => {
    assert.ok(steps.length > 0);
    for (const { what, act } of steps) {
      const startMs = performance.now();
      await act().catch((error) => {
        error.message = `${what}: ${error.message}`;
        throw error;
      });
      t.diagnostic(`${what} (${Math.round(performance.now() - startMs)} ms)`);
    }
  });
  return (what, act) => steps.push({ what, act: async () => act() });
}
