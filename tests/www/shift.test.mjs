// A viewer who is shifted against the room: where their player is to be, and that it gets there unnoticed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncController } from '../../www/sync/controller.js';
import { boundShift, SHIFT_MAX_MS, shiftTarget } from '../../www/sync/shift.js';
import { SimulatedPlayer, resting, running } from './support/simulated_player.mjs';

const shifted = (target, shiftMs) => (nowMs) => shiftTarget(target(nowMs), shiftMs);

test('a shift is a whole number within half a second either way', () => {
  assert.deepEqual([120.4, '-80', 9_999, -9_999].map(boundShift), [120, -80, SHIFT_MAX_MS, -SHIFT_MAX_MS]);
  assert.deepEqual([null, undefined, '', 'much', NaN, Infinity].map(boundShift), [0, 0, 0, 0, 0, 0]);
});

test('without a shift the target is the showing\'s', () => {
  const target = running({ position: 10 })(1_000);
  assert.equal(shiftTarget(target, 0), target);
});

test('running and standing, the place is shifted by what the shift is of media', () => {
  assert.equal(shiftTarget(running({ position: 10 })(1_000), 200).position, 11.2);
  assert.equal(shiftTarget(running({ position: 10, rate: 2 })(1_000), -200).position, 11.6);
  assert.equal(shiftTarget(resting({ position: 10 })(0), 200).position, 10.2);
  assert.equal(shiftTarget(resting({ position: 0 })(0), -200).position, 0);
});

test('who runs behind begins later at the beginning, and in its time elsewhere', () => {
  const atBeginning = shiftTarget(running({ position: 0.1 })(0), -300);
  assert.deepEqual([atBeginning.position, atBeginning.running, Math.round(atBeginning.startsInMs)], [0, false, 200]);
  const scheduled = shiftTarget(running({ position: 0, sinceMs: 500, rate: 2 })(0), -300);
  assert.equal(Math.round(scheduled.startsInMs), 800);
  const further = shiftTarget(running({ position: 5, sinceMs: 500 })(0), -300);
  assert.deepEqual([further.position, further.startsInMs], [4.7, 500]);
});

test('who runs ahead is at the end first; nobody is sent back from it', () => {
  const ahead = shiftTarget(running({ position: 59.8, durationS: 60 })(0), 300);
  assert.deepEqual([ahead.position, ahead.running, ahead.over], [60, false, true]);
  const behind = running({ position: 60, durationS: 60 })(0);
  assert.equal(shiftTarget(behind, -300), behind);
  const standing = resting({ position: 59.9, durationS: 60 })(0);
  assert.equal(shiftTarget(standing, 300), standing);
});

function watching(shiftMs, options = {}) {
  const controller = new SyncController();
  controller.targetChanged(0);
  return new SimulatedPlayer(controller, shifted(running({ position: 100 }), shiftMs), { seekMs: 100, startMs: 80, ...options });
}

for (const shiftMs of [-500, -120, 120, 500]) {
  test(`a player that is shifted by ${shiftMs} ms is in step with that`, () => {
    const player = watching(shiftMs);
    player.run(8_000);
    const room = running({ position: 100 })(player.nowMs).position;
    assert.ok(Math.abs(player.position - room - shiftMs / 1000) < 0.02, `${player.position - room}`);
    assert.ok(Math.abs(player.controller.errorS) < 0.02, 'and says so');
  });

  test(`a pause and a start seek nobody who is shifted by ${shiftMs} ms`, () => {
    const player = watching(shiftMs);
    player.run(8_000);
    const seeks = player.seeks.length;
    const at = player.target(player.nowMs).position - shiftMs / 1000;
    player.changeTarget(shifted(resting({ position: at }), shiftMs));
    player.run(1_000);
    player.changeTarget(shifted(running({ position: at, sinceMs: player.nowMs }), shiftMs));
    player.run(3_000);
    assert.ok(player.seeks.length - seeks <= 1, 'no more than to stand exactly');
    assert.ok(Math.abs(player.error) < 0.03, `${player.error}`);
  });
}

test('moved while it runs, the place is reached without a seek, and no browser is blamed for it', () => {
  const player = watching(0);
  player.run(8_000);
  const seeks = player.seeks.length;
  for (const shiftMs of [100, -100, 100, -100, 100, -100, 100]) {
    player.target = shifted(running({ position: 100 }), shiftMs);
    player.controller.targetMoved(player.nowMs);
    player.run(1_100); // in the midst of a correction
  }
  player.run(9_000);
  assert.equal(player.seeks.length, seeks);
  assert.equal(player.controller.learned.rateUsable, true);
  assert.ok(Math.abs(player.error) < 0.02, `${player.error}`);
});

test('moved while a start settles, nothing is learnt of it', () => {
  const player = watching(0);
  player.run(6_000);
  const { startLatencyS } = player.controller.learned;
  player.changeTarget(resting({ position: 106 }));
  player.run(500);
  player.changeTarget(running({ position: 106, sinceMs: player.nowMs }));
  player.run(120);
  player.target = shifted(player.target, 400);
  player.controller.targetMoved(player.nowMs);
  player.run(10_000);
  assert.ok(Math.abs(player.controller.learned.startLatencyS - startLatencyS) < 0.05);
  assert.ok(Math.abs(player.error) < 0.02, `${player.error}`);
});
