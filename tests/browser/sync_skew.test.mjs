// How far apart real pages are on a bad network, in short: the measurement of `make bench-sync` with bounds that
// a player that does not follow breaks. docs/SYNC.md has the figures of an idle machine.
//
// A busy machine breaks none: a limit is broken only by what no stall has touched (bench/sync/stalls.mjs), and of
// that there has to be enough; while there is not, the showing goes on for a while.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { judge } from '../../bench/sync/judge.mjs';
import { skewFault, stepFault } from '../../bench/sync/limits.mjs';
import { quickPlan } from '../../bench/sync/plans.mjs';
import { profiles } from '../../bench/sync/profiles.mjs';
import { strainWords } from '../../bench/sync/report.mjs';
import { Showing } from '../../bench/sync/showing.mjs';
import { launch } from '../support/engines/engines.mjs';
import { makeMedia } from '../support/media.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const FILM_S = 120;
const READINGS_MIN = 150;
const SOUND = { readings: READINGS_MIN, p50: 45, p95: 150 };
const FRAMES = { readings: READINGS_MIN, p50: 62, p95: Infinity };
const IN_STEP_WITHIN_MS = 6_000;
const CORRECTING_SEEKS_MAX = 2;
const PATIENCE = { readings: 30, seconds: 10 }; // of each viewer after each event

let media;
let server;
let engine;
let judged;

before(async () => {
  media = await makeMedia([{ name: 'demo', seconds: FILM_S, rate: 30 }]);
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0'] });
  await untilFilmsAreKnown(server);
  engine = await launch('chromium', { autoplay: 'allowed' });
  const profile = profiles.jitter;
  const showing = await Showing.open({ server, engines: [engine], profile, seed: 7, patience: PATIENCE, say: () => {} });
  try {
    await quickPlan(showing);
    judged = judge(showing, profile);
  } finally {
    await showing.close();
  }
});

after(async () => {
  await engine?.close();
  await server?.stop();
  await media?.remove();
});

test('the measurement itself is sound: the server\'s clock and the pages\' are known to 5 ms', (t) => {
  t.diagnostic(strainWords(judged.strain));
  assert.ok(judged.clockBoundMs < 5, `${judged.clockBoundMs} ms`);
});

test('behind 80 +- 40 ms of jitter every viewer is where the showing is', () => {
  assert.equal(skewFault('sound', { all: judged.sound, clear: judged.clear.sound }, SOUND, judged.strain), null);
  assert.equal(skewFault('frames', { all: judged.skew, clear: judged.clear.skew }, FRAMES, judged.strain), null);
});

test('after play, after a seek and as a late joiner everybody is in step soon', () => {
  assert.deepEqual([...new Set(judged.steps.map(({ name }) => name))], ['play', 'seek', 'late join']);
  // By the sound: it is what is steered, and a busy machine shows frames late beside it.
  for (const { name, viewer, sound } of judged.steps) {
    assert.equal(stepFault({ name, viewer, ...sound }, IN_STEP_WITHIN_MS, judged.strain), null);
  }
});

test('what is left over is closed by rate and not by skips', () => {
  assert.ok(judged.corrections.clearSeeks <= CORRECTING_SEEKS_MAX, `${judged.corrections.clearSeeks} seeks`);
});
