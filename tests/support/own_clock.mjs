// A clock of the day for a program that a test starts: ahead of the machine's by what the test says (set_clock.cpp).
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from './files.mjs';
import { serverBinary } from './server.mjs';

// Resolves to {env, set(aheadMs), remove()}: env is for the program.
export async function makeOwnClock() {
  const folder = await makeFolder({ ahead: Buffer.alloc(8) });
  const library = path.join(path.dirname(serverBinary()), 'libset_clock.so');
  assert.ok(existsSync(library), `${library} is missing: build the target set_clock`);
  return {
    env: { LD_PRELOAD: library, SET_CLOCK_FILE: folder.path('ahead') },
    async set(aheadMs) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(Math.round(aheadMs * 1_000)));
      const file = await open(folder.path('ahead'), 'r+'); // in place: it is mapped
      await file.write(bytes, 0, bytes.length, 0);
      await file.close();
    },
    remove: () => folder.remove(),
  };
}
