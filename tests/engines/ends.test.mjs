// Browsers that tests start are gone when the test is, whatever ended it.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { startChild } from '../support/child.mjs';
import { ENGINES } from '../support/engines/engines.mjs';
import { pidsOf } from '../support/engines/processes.mjs';
import { projectRoot } from '../support/server.mjs';
import { until } from '../support/until.mjs';

describe('engines that are left behind', { concurrency: true }, () => {
  for (const name of ENGINES) {
    test(`${name}: nothing is left of it when its test is killed`, { timeout: 90_000 }, async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'videosync-ends-')); // who is killed tidies nothing up
      const hold = path.join(projectRoot, 'tests/support/engines/hold.mjs');
      const holder = await startChild(process.execPath, [hold, name], { env: { ...process.env, TMPDIR: folder } });
      try {
        const started = () => holder.output().includes('\n') || holder.hasEnded();
        await until(started, () => `${name} starts:\n${holder.output()}`, 60_000);
        const mark = JSON.parse(holder.output());
        assert.ok(pidsOf(mark).length > 1, 'its processes are found');
        await holder.kill();
        await until(() => pidsOf(mark).length === 0, () => `still there: ${pidsOf(mark)}`);
      } finally {
        await holder.kill();
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    });
  }
});
