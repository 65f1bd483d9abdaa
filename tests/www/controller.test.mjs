import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncController } from '../../www/sync/controller.js';
import { SimulatedPlayer, resting, running } from './support/simulated_player.mjs';

function joined(target, options) {
  const controller = new SyncController();
  controller.targetChanged(0);
  return new SimulatedPlayer(controller, target, options);
}

test('a player in place does nothing', () => {
  const player = joined(resting({ position: 0 }));
  player.run(1000);
  assert.deepEqual(new Set(player.actions), new Set(['none']));
});

test('at rest a player goes to the exact position, once', () => {
  const player = joined(resting({ position: 12.345 }));
  player.run(2000);
  assert.equal(player.position, 12.345);
  assert.deepEqual(player.seeks, [12.345]);
  assert.equal(player.paused, true);
});

test('a player that settles beside the exact position is not sent there over and over', () => {
  const player = joined(resting({ position: 12.345 }));
  player.run(200);
  player.position = 12.3;
  player.run(3000);
  assert.equal(player.seeks.length, 1);
});

test('a pause stops first and then stands on the exact position', () => {
  const player = joined(running({ position: 30 }));
  player.run(3000);
  player.target = resting({ position: 32.9 });
  player.controller.targetChanged(player.nowMs);
  player.run(500);
  assert.equal(player.paused, true);
  assert.equal(player.position, 32.9);
});

test('a late joiner is in place with one seek', () => {
  const player = joined(running({ position: 100 }), { seekMs: 100 });
  player.run(6000);
  assert.equal(player.seeks.length, 1);
  assert.ok(Math.abs(player.error) < 0.02, `error ${player.error}`);
});

test('a newcomer half a second off seeks; one in mid-play does not', () => {
  const newcomer = joined(running({ position: 0.5 }));
  newcomer.run(300);
  assert.equal(newcomer.seeks.length, 1);

  const regular = joined(running());
  regular.run(8000);
  regular.position -= 0.5;
  regular.run(3000);
  assert.equal(regular.seeks.length, 0);
  assert.ok(regular.rate > 1);
});

test('a scheduled start: wait, then play as much earlier as a start takes', () => {
  const player = joined(running({ position: 5, sinceMs: 500 }), { startMs: 200 });
  player.position = 5;
  player.run(300);
  assert.equal(player.paused, true);
  player.run(5000);
  assert.ok(Math.abs(player.error) < 0.02, `error ${player.error}`);
  assert.ok(player.controller.learned.startLatencyS > 0.1, 'it starts earlier the next time');
});

test('a start that was made early is not taken back', () => {
  const controller = new SyncController();
  controller.targetChanged(0);
  const soon = running({ position: 5, sinceMs: 30 });
  const view = { position: 5, paused: true, seeking: false, buffering: false, ended: false, canSeek: true, rate: 1 };
  assert.equal(controller.decide(0, soon(0), view).type, 'play');
  assert.equal(controller.decide(10, soon(10), { ...view, paused: false }).type, 'wait');
});

test('a seek in mid-play that starts sooner than a seek takes aims ahead at once', () => {
  const player = joined(running({ position: 0 }), { seekMs: 100 });
  player.run(3000);
  player.target = running({ position: 60, sinceMs: player.nowMs + 30 });
  player.controller.targetChanged(player.nowMs);
  player.actions.length = 0;
  player.run(600);
  assert.ok(Math.abs(player.error) < 0.05, `error ${player.error}`);
  assert.equal(player.actions[0], 'seek');
  assert.ok(!player.actions.includes('pause'));
});

test('a seek with time to spare before the start stands on the exact position first', () => {
  const player = joined(running({ position: 0 }), { seekMs: 100 });
  player.run(3000);
  player.target = running({ position: 60, sinceMs: player.nowMs + 400 });
  player.controller.targetChanged(player.nowMs);
  player.run(300);
  assert.equal(player.paused, true);
  assert.equal(player.position, 60);
});

test('small gaps are closed by rate, within 5 %, without a seek', () => {
  for (const gap of [-0.3, -0.1, 0.05, 0.3]) {
    const player = joined(running());
    player.run(8000);
    player.seeks.length = 0;
    player.position += gap;
    player.rates.length = 0;
    player.run(12_000);
    assert.equal(player.seeks.length, 0);
    assert.ok(player.rates.every((rate) => rate >= 0.95 && rate <= 1.05), `${player.rates}`);
    assert.ok(Math.abs(player.error) < 0.015, `gap ${gap} left ${player.error}`);
    assert.equal(player.rate, 1, 'back at the base rate');
  }
});

test('the dead zone: jitter of a few milliseconds changes nothing', () => {
  let turn = 0;
  const player = joined(running(), { jitter: () => (turn++ % 2 ? 0.012 : -0.012) });
  player.run(3000);
  player.rates.length = 0;
  player.run(20_000);
  assert.deepEqual(player.rates, []);
});

test('a player whose clock runs wrong stays within 30 ms', () => {
  for (const clockError of [-0.005, 0.005]) {
    const player = joined(running(), { clockError });
    player.run(10_000);
    for (let second = 0; second < 60; second++) {
      player.run(1000);
      assert.ok(Math.abs(player.error) < 0.03, `error ${player.error} at ${player.nowMs} ms`);
    }
    assert.equal(player.seeks.length, 0);
  }
});

test('the base rate of the showing is kept', () => {
  const player = joined(running({ rate: 2 }));
  player.run(5000);
  assert.ok(Math.abs(player.error) < 0.03);
  assert.equal(player.rate, 2);
});

test('big gaps are closed by seeks, with at least four seconds between', () => {
  const player = joined(running());
  player.run(10_000);
  let lastMs = -Infinity;
  const gaps = [];
  for (let i = 0; i < 30; i++) {
    const before = player.seeks.length;
    player.position -= 2;
    player.run(1000);
    if (player.seeks.length > before) {
      gaps.push(player.nowMs - lastMs);
      lastMs = player.nowMs;
    }
  }
  assert.ok(gaps.length >= 3);
  assert.ok(Math.min(...gaps) >= 4000, `${gaps}`);
});

test('seeks aim ahead by what the last ones taught', () => {
  const player = joined(running({ position: 50 }), { seekMs: 500 });
  player.run(10_000);
  for (let i = 0; i < 5; i++) {
    player.target = running({ position: 100 * (i + 2), sinceMs: player.nowMs });
    player.controller.targetChanged(player.nowMs);
    player.run(10_000);
  }
  assert.ok(Math.abs(player.controller.learned.seekLatencyS - 0.5) < 0.1, `${player.controller.learned.seekLatencyS}`);
});

test('a buffering player waits, and then goes where the showing is', () => {
  const player = joined(running());
  player.run(5000);
  player.buffering = true;
  player.run(5000);
  assert.equal(player.seeks.length, 0);
  player.buffering = false;
  player.run(3000);
  assert.equal(player.seeks.length, 1);
  assert.ok(Math.abs(player.error) < 0.2);
});

test('a player stuck for eight seconds tries further ahead', () => {
  const player = joined(running());
  player.run(5000);
  player.buffering = true;
  player.run(9000);
  assert.equal(player.seeks.length, 1);
  assert.ok(player.seeks[0] > 12.9);
});

test('a seek of the host is followed at once, even by a player that buffers', () => {
  const player = joined(running());
  player.run(5000);
  player.buffering = true;
  player.run(500);
  player.target = running({ position: 600, sinceMs: player.nowMs });
  player.controller.targetChanged(player.nowMs);
  player.run(200);
  assert.equal(player.seeks.length, 1);
  assert.ok(player.seeks[0] >= 600);
});

test('nothing is decided before the media is known', () => {
  const player = joined(running({ position: 10 }));
  player.canSeek = false;
  player.run(1000);
  assert.deepEqual(new Set(player.actions), new Set(['wait']));
});

test('close to the end a player runs out by itself and does not start over', () => {
  const player = joined(running({ durationS: 10 }));
  player.run(9900);
  player.position = 9.8;
  player.target = running({ durationS: 9.9 });
  player.run(300);
  assert.equal(player.paused, false);
  player.paused = true;
  player.run(2000);
  assert.equal(player.paused, true);
});

test('random gaps and stalls never make it seek more often than it may', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1e6);
  let random = seed || 1;
  const next = () => (random = (random * 48271) % 2147483647) / 2147483647;
  const player = joined(running());
  player.run(10_000);
  player.seeks.length = 0;
  const startMs = player.nowMs;
  for (let i = 0; i < 500; i++) {
    if (next() < 0.1) player.position += (next() - 0.5) * 6;
    player.buffering = next() < 0.1;
    player.run(200);
    assert.ok(player.rate >= 0.95 && player.rate <= 1.05, `rate ${player.rate}, SEED=${seed}`);
  }
  const most = Math.ceil((player.nowMs - startMs) / 4000) + 1;
  assert.ok(player.seeks.length <= most, `${player.seeks.length} seeks, SEED=${seed}`);
  player.buffering = false;
  player.run(30_000); // just under a second, at 5 %, and the slow end of it
  assert.ok(Math.abs(player.error) < 0.02, `left ${player.error}, SEED=${seed}`);
});
