// How far apart real pages are on a bad network, in short: the measurement of `make bench-sync` with
// bounds that a busy machine keeps and a player that does not follow does not. docs/SYNC.md has the
// figures of an idle one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { judge } from '../../bench/sync/judge.mjs';
import { quickPlan } from '../../bench/sync/plans.mjs';
import { profiles } from '../../bench/sync/profiles.mjs';
import { Showing } from '../../bench/sync/showing.mjs';
import { launchBrowser } from '../support/browser.mjs';
import { makeMedia } from '../support/media.mjs';
import { startServer } from '../support/server.mjs';

const HALF_WITHIN_MS = 45; // of everything that was heard
const MOST_WITHIN_MS = 150; // 95 %
const IN_STEP_WITHIN_MS = 6_000;
const CORRECTING_SEEKS_MAX = 2;

let media;
let server;
let browser;
let judged;

before(async () => {
  media = await makeMedia([{ name: 'demo', seconds: 90 }]);
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'] });
  browser = await launchBrowser(['--autoplay-policy=no-user-gesture-required']);
  const profile = profiles.jitter;
  const showing = await Showing.open({ server, browsers: [browser], profile, seed: 7, say: () => {} });
  try {
    await quickPlan(showing);
    judged = judge(showing, profile);
  } finally {
    await showing.close();
  }
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await media?.remove();
});

test('the measurement itself is sound: the server\'s clock and the pages\' are known to 5 ms', () => {
  assert.ok(judged.clockBoundMs < 5, `${judged.clockBoundMs} ms`);
  assert.ok(judged.sound.count > 200, `${judged.sound.count} frames`);
});

test('behind 80 +- 40 ms of jitter every viewer is where the showing is', () => {
  const words = JSON.stringify({ sound: judged.sound, frames: judged.skew });
  assert.ok(judged.sound.p50 < HALF_WITHIN_MS && judged.sound.p95 < MOST_WITHIN_MS, words);
  assert.ok(judged.skew.p50 < HALF_WITHIN_MS + 17, words);
});

test('after play, after a seek and as a late joiner everybody is in step soon', () => {
  assert.deepEqual([...new Set(judged.steps.map(({ name }) => name))], ['play', 'seek', 'late join']);
  for (const { name, viewer, ms } of judged.steps) {
    assert.ok(ms < IN_STEP_WITHIN_MS, `${viewer} after ${name}: ${ms} ms`);
  }
});

test('what is left over is closed by rate and not by skips', () => {
  assert.ok(judged.corrections.seeks <= CORRECTING_SEEKS_MAX, `${judged.corrections.seeks} seeks`);
});
