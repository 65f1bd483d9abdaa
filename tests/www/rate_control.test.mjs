// Small gaps in mid-play: closed by rate, unnoticed; and browsers whose rates are not to be trusted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncController } from '../../www/sync/controller.js';
import { SimulatedPlayer, running } from './support/simulated_player.mjs';

const DEAD_ZONE_S = 0.015;

// In step and settled.
function inMidPlay(options, target = running({ position: 100 })) {
  const controller = new SyncController();
  controller.targetChanged(0);
  const player = new SimulatedPlayer(controller, target, options);
  player.run(15_000);
  player.seeks.length = 0;
  player.rates.length = 0;
  return player;
}

// Milliseconds until the gap is within the dead zone for good.
function closesIn(player, withinMs) {
  let closedMs = Infinity;
  for (let ms = 0; ms < withinMs; ms += 50) {
    player.run(50);
    if (Math.abs(player.error) > DEAD_ZONE_S) closedMs = Infinity;
    else closedMs = Math.min(closedMs, ms + 50);
  }
  return closedMs;
}

test('0.4 s is gone within 8 s, at 5 % at most, without a seek and without overshooting', () => {
  for (const gap of [-0.4, 0.4]) {
    const player = inMidPlay();
    player.position += gap;
    let beyond = 0;
    let gone = Infinity;
    for (let ms = 0; ms < 12_000; ms += 20) {
      player.run(20);
      if (Math.abs(player.error) > DEAD_ZONE_S) gone = Infinity;
      else gone = Math.min(gone, ms + 20);
      beyond = Math.max(beyond, -Math.sign(gap) * player.error);
    }
    assert.ok(gone <= 8000, `gone after ${gone} ms`);
    assert.ok(beyond < 0.004, `overshot by ${beyond} s`);
    assert.equal(player.seeks.length, 0);
    assert.ok(player.rates.every((rate) => rate >= 0.95 && rate <= 1.05), `${player.rates}`);
    assert.equal(player.rate, 1, 'back at the base rate');
  }
});

test('small gaps too', () => {
  for (const gap of [-0.45, -0.1, -0.02, 0.02, 0.05, 0.3]) {
    const player = inMidPlay();
    player.position += gap;
    player.run(25_000);
    assert.equal(player.seeks.length, 0);
    assert.ok(Math.abs(player.error) < 0.005, `gap ${gap} left ${player.error}`);
    assert.equal(player.rate, 1);
  }
});

test('the dead zone: jitter of a few milliseconds changes nothing', () => {
  let turn = 0;
  const player = inMidPlay({ jitter: () => (turn++ % 2 ? 0.012 : -0.012) });
  player.run(60_000);
  assert.deepEqual(player.rates, []);
});

test('hysteresis: a gap within the dead zone stays, one beyond is closed to almost nothing', () => {
  const player = inMidPlay();
  player.position += 0.013 - player.error;
  player.run(20_000);
  assert.deepEqual(player.rates, []);
  player.position += 0.005;
  player.run(5000);
  assert.ok(Math.abs(player.error) < 0.004, `${player.error}`);
});

test('a player whose clock runs wrong stays within 25 ms, with few corrections', () => {
  for (const clockError of [-0.001, 0.001]) {
    const player = inMidPlay({ clockError });
    let beginnings = 0;
    let wasBase = true;
    for (let tick = 0; tick < 1200; tick++) {
      player.run(100);
      assert.ok(Math.abs(player.error) < 0.025, `error ${player.error} at ${player.nowMs} ms`);
      if (wasBase && player.rate !== 1) beginnings += 1;
      wasBase = player.rate === 1;
    }
    assert.equal(player.seeks.length, 0);
    assert.ok(beginnings <= 14, `${beginnings} corrections in two minutes`);
  }
});

test('the base rate of the showing is kept', () => {
  const player = inMidPlay({}, running({ position: 100, rate: 2 }));
  assert.ok(Math.abs(player.error) < 0.02);
  assert.equal(player.rate, 2);
  player.position -= 0.2;
  player.run(10_000);
  assert.ok(player.rates.some((rate) => rate > 2) && player.rates.every((rate) => rate <= 2.1));
  assert.equal(player.rate, 2);
});

test('a step at each change of rate is learnt and counted on', () => {
  const player = inMidPlay({ stepS: -0.02 });
  let over = 0;
  for (const gap of [-0.1, 0.1, -0.1, 0.1, -0.1, 0.06]) {
    player.position += gap - player.error;
    over = 0;
    for (let tick = 0; tick < 60; tick++) {
      player.run(100);
      over = Math.max(over, -Math.sign(gap) * player.error);
    }
    assert.ok(Math.abs(player.error) < 0.006, `gap ${gap} left ${player.error}`);
  }
  assert.ok(over < 0.006, `the last one overshot by ${over}`);
  assert.ok(player.controller.learned.rateUsable);
});

test('a player that every change of rate throws back changes it twice for a gap, and counts on it', () => {
  for (const changeS of [-0.012, -0.04, 0.012]) {
    const player = inMidPlay({ changeS });
    for (const gap of [-0.07, 0.05, -0.2]) {
      player.position += gap - player.error;
      player.run(20_000);
    }
    for (const gap of [-0.07, 0.05, -0.3, 0.1]) {
      player.rates.length = 0;
      player.position += gap - player.error;
      player.run(15_000);
      assert.ok(Math.abs(player.error) < 0.006, `a gap of ${gap} left ${player.error} at ${changeS} a change`);
      assert.equal(player.rates.length, 2, `${player.rates}`);
    }
    assert.equal(player.seeks.length, 0);
    assert.ok(player.controller.learned.rateUsable);
  }
});

test('a correction whose beginning throws the player far back goes on from there to its end', () => {
  const steps = [-0.2];
  const player = inMidPlay({ changeS: () => steps.shift() ?? 0 });
  player.position += -0.045 - player.error;
  player.run(3_500);
  assert.ok(player.error < -0.05, `on its way: ${player.error}`);
  player.run(6_500);
  assert.equal(player.rates.length, 2, `${player.rates}`);
  assert.ok(Math.abs(player.error) < 0.006, `left ${player.error}`);
});

test('a few milliseconds are not worth a change of rate before it is known what that costs', () => {
  for (const changeS of [-0.2, 0]) {
    const controller = new SyncController();
    controller.targetChanged(0);
    let startMs = 90;
    const player = new SimulatedPlayer(controller, running({ position: 100 }), { startMs: () => startMs, changeS });
    player.run(15_000);
    assert.ok(player.rates.every((rate) => rate === 1), `${player.rates}`);
    assert.ok(player.error < -0.008 && player.error > -0.012, `it began ${player.error} off`);
    if (changeS !== 0) continue;
    player.position += 0.05;
    player.run(5_000);
    startMs = 98;
    player.changeTarget(running({ position: 300, sinceMs: player.nowMs }));
    player.run(5_000);
    assert.ok(Math.abs(player.error) < 0.004, `it is now, and ${player.error} is left`);
  }
});

test('one that is thrown back by more or less each time comes to rest all the same', () => {
  const seed = Number(process.env.SEED ?? (Date.now() % 1e6) + 1);
  let random = seed;
  const next = () => (random = (random * 48271) % 2147483647) / 2147483647;
  const player = inMidPlay({ changeS: () => -0.004 - 0.016 * next() });
  for (const gap of [-0.07, 0.05, -0.2, 0.1, -0.07, -0.02]) {
    player.position += gap - player.error;
    player.run(30_000);
    assert.ok(Math.abs(player.error) < 0.025, `a gap of ${gap} left ${player.error}, SEED=${seed}`);
  }
  player.rates.length = 0;
  player.run(60_000);
  assert.ok(player.rates.length <= 2, `at rest it changes its rate ${player.rates.length} times, SEED=${seed}`);
});

test('where the pitch is not kept only a hair of rate is used', () => {
  const player = inMidPlay({ pitchKept: false });
  player.position -= 0.1;
  player.run(20_000);
  assert.ok(player.rates.every((rate) => rate <= 1.01 + 1e-9), `${player.rates}`);
  assert.ok(Math.abs(player.error) < DEAD_ZONE_S);
});

test('rates rounded to steps, told or untold, still close the gap', () => {
  const rounded = (step) => (rate) => Math.round(rate / step) * step;
  for (const options of [
    { grants: rounded(0.01) }, { grants: rounded(0.02) }, { grants: rounded(0.05) }, { plays: rounded(0.01) }, { plays: rounded(0.025) },
  ]) {
    const player = inMidPlay(options);
    for (const gap of [-0.3, 0.3, -0.1]) {
      player.position += gap;
      assert.ok(closesIn(player, 10_000) < 9000, `gap ${gap} left ${player.error}`);
    }
    assert.equal(player.rate, 1);
    assert.equal(player.seeks.length, 0);
    assert.ok(player.rates.length < 40, `${player.rates.length} changes of rate`);
  }
});

// A gap must be closed otherwise, and soon: behind by a seek, ahead by standing still.
function assertWorksWithoutRate(player) {
  for (const gap of [-0.3, 0.3, -0.5, 0.6, 0.25, -0.25]) {
    player.position += gap;
    player.run(30_000);
  }
  assert.equal(player.controller.learned.rateUsable, false);
  player.rates.length = 0;
  for (const gap of [-0.3, 0.3, -0.06, 0.06]) {
    player.position += gap - player.error;
    player.run(8000);
    assert.ok(Math.abs(player.error) < 0.03, `gap ${gap} left ${player.error}`);
  }
  assert.ok(player.rates.every((rate) => rate === 1), `left alone: ${player.rates}`);
}

test('a browser that ignores rates is found out', () => {
  assertWorksWithoutRate(inMidPlay({ plays: () => 1, seekMs: 60, startMs: 60 }));
});

test('a browser that says that it took another rate is believed', () => {
  for (const grants of [() => 1, (rate) => Math.round(rate * 4) / 4, (rate) => 1 + (rate - 1) * 3]) {
    assertWorksWithoutRate(inMidPlay({ grants, seekMs: 60, startMs: 60 }));
  }
});

test('a browser that skips at each change of rate is found out', () => {
  assertWorksWithoutRate(inMidPlay({ stepS: -0.18, seekMs: 60, startMs: 60 }));
});

test('a browser that stalls at each change of rate is found out', () => {
  const onRate = (player) => {
    if (player.rate === 1) return;
    player.buffering = true;
    player.resumesAtMs = player.nowMs + 300;
  };
  const player = inMidPlay({ onRate, stallsWithData: true, seekMs: 60, startMs: 60 });
  const run = player.run.bind(player);
  player.run = (forMs) => {
    for (let ms = 0; ms < forMs; ms += 50) {
      if (player.nowMs >= player.resumesAtMs) player.buffering = false;
      run(50);
    }
  };
  assertWorksWithoutRate(player);
});

test('readings that come in steps of a quarter of a second neither flutter nor seek', () => {
  const player = inMidPlay({ reads: (position) => Math.floor(position * 4) / 4 });
  player.run(60_000);
  assert.equal(player.seeks.length, 0);
  assert.ok(Math.abs(player.error) < 0.3, `${player.error}`);
});
