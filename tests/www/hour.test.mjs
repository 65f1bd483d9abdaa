// An hour of play with the real clock and controller, a simulated network and a player that is like
// Chromium's: what is left to correct, and how often. SEED=n runs one case again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerClock, pingDelayMs } from '../../www/sync/clock.js';
import { SyncController } from '../../www/sync/controller.js';
import { SimulatedPlayer, running } from './support/simulated_player.mjs';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const OFFSET_MS = 1e9; // server minus local time

function lehmer(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

// The player's own clock is off by 60 ppm, this machine's against the server's by `driftPpm`; ways take
// what `out` and `back` draw.
function hour({ random, out, back, driftPpm }) {
  const serverMs = (localMs) => localMs * (1 + driftPpm * 1e-6) + OFFSET_MS;
  const clock = new ServerClock();
  const controller = new SyncController();
  const truth = running({ position: 0, sinceMs: OFFSET_MS + 500, durationS: 7200 });
  const believed = (nowMs) => truth(clock.serverTimeMs(nowMs));
  const player = new SimulatedPlayer(controller, believed, {
    startMs: () => 72 + 16 * random(), seekMs: () => 20 + 30 * random(), stepS: -0.02, clockError: 60e-6,
    jitter: () => 0.002 * (2 * random() - 1),
  });
  let pings = 0;
  let nextPingMs = 0;
  const errors = [];
  for (let nowMs = 0; nowMs < HOUR_MS; nowMs += 100) {
    if (nowMs >= nextPingMs) {
      const there = out();
      const t2 = serverMs(nowMs + there);
      clock.addSample({ t1: nowMs, t2, t3: t2, t4: nowMs + there + back() });
      nextPingMs = nowMs + pingDelayMs(pings++);
      if (pings === 1) controller.targetChanged(nowMs);
    }
    player.run(100);
    if (nowMs > 5000) errors.push(Math.abs(player.position - truth(serverMs(player.nowMs)).position) * 1000);
  }
  errors.sort((a, b) => a - b);
  const late = player.seekTimes.filter((atMs) => atMs > 5000).length;
  return { p50: errors[errors.length >> 1], p95: errors[Math.floor(errors.length * 0.95)], seeks: late, rates: player.rates.length };
}

test('an hour on a clean network: no seek, half of it within 8.5 ms, and hardly a correction', () => {
  const seed = Number(process.env.SEED ?? (Date.now() % 1e6) + 1);
  const random = lehmer(seed);
  const way = () => 0.2 + 0.3 * random();
  const { p50, p95, seeks, rates } = hour({ random, out: way, back: way, driftPpm: 30 });
  const words = `${JSON.stringify({ p50, p95, rates })}, SEED=${seed}`;
  assert.equal(seeks, 0, words);
  assert.ok(p50 < 8.5 && p95 < 17, words);
  assert.ok(rates / (HOUR_MS / MINUTE_MS) < 3, words);
});

test('an hour of jitter, of bursts: no seek either, half of it within 10 ms', () => {
  const seed = Number(process.env.SEED ?? (Date.now() % 1e6) + 1);
  const random = lehmer(seed);
  const jitter = () => 40 + 80 * random();
  const bursts = () => (random() < 0.11 ? 20 + 500 * random() : 20);
  for (const way of [jitter, bursts]) {
    const { p50, p95, seeks, rates } = hour({ random, out: way, back: way, driftPpm: -40 });
    const words = `${JSON.stringify({ p50, p95, rates })}, SEED=${seed}`;
    assert.equal(seeks, 0, words);
    assert.ok(p50 < 10 && p95 < 35, words);
  }
});
