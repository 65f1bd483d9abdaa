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
  player.changeTarget(resting({ position: 32.9 }));
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

test('a start that was made early is not taken back', () => {
  const controller = new SyncController();
  controller.targetChanged(0);
  const soon = running({ position: 5, sinceMs: 30 });
  const view = { position: 5, paused: true, seeking: false, buffering: false, ended: false, canSeek: true, rate: 1 };
  assert.equal(controller.decide(0, soon(0), view).type, 'play');
  assert.equal(controller.decide(10, soon(10), { ...view, paused: false }).type, 'wait');
});

test('a seek with time to spare before the start stands on the exact position first', () => {
  const player = joined(running({ position: 0 }), { seekMs: 100 });
  player.run(3000);
  player.changeTarget(running({ position: 60, sinceMs: player.nowMs + 400 }));
  player.run(300);
  assert.equal(player.paused, true);
  assert.equal(player.position, 60);
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

// A film that has media up to `cutS` only, as Chromium plays it: there it has ended, and says the duration
// for its position. Whether it was ever started there, which would begin it anew.
function cutShort(player, cutS) {
  const view = player.view.bind(player);
  player.restarted = false;
  player.view = () => {
    const ended = !player.seeking && player.position >= cutS;
    if (ended) player.paused = true;
    return ended ? { ...view(), ended, paused: true, position: 3600 } : view();
  };
  const decide = player.controller.decide.bind(player.controller);
  player.controller.decide = (nowMs, target, seen) => {
    const action = decide(nowMs, target, seen);
    if (seen.ended && (action.type === 'play' || action.play)) player.restarted = true;
    return action;
  };
  return player;
}

test('a film that is cut short is not started where it ends, nor sought about in', () => {
  const player = cutShort(joined(running({ position: 100 }), { seekMs: 50, startMs: 80 }), 103);
  player.run(20_000);
  assert.equal(player.restarted, false);
  assert.equal(player.seeks.length, 1, 'to join');
  player.changeTarget(running({ position: 60, sinceMs: player.nowMs + 200 }));
  player.run(5_000);
  assert.ok(Math.abs(player.error) < 0.02, 'where there is media it plays on');
  player.changeTarget(running({ position: 500, sinceMs: player.nowMs }));
  player.run(20_000);
  assert.equal(player.restarted, false);
  assert.ok(player.seeks.length <= 5, `${player.seeks}`);
});

test('a start or a seek just before the end begins nothing anew', () => {
  for (let beforeS = 0.1; beforeS < 2.05; beforeS += 0.1) {
    for (const startsInMs of [0, 200]) {
      const player = cutShort(joined(resting({ position: 3 }), { seekMs: 150, startMs: 80 }), 10);
      player.view = ((view) => () => ({ ...view(), position: Math.min(player.position, 10) }))(player.view);
      player.run(1_000);
      player.changeTarget(running({ position: 10 - beforeS, sinceMs: player.nowMs + startsInMs, durationS: 10 }));
      player.run(5_000);
      assert.equal(player.restarted, false, `${beforeS} s before the end`);
      assert.ok(player.seeks.length <= 3, `${beforeS} s before the end: ${player.seeks}`);
    }
  }
});

// In the middle of a showing, in step, with nothing of how it came there remembered.
function inMidPlay(options) {
  const player = joined(running({ position: 100 }), options);
  player.run(15_000);
  player.seeks.length = 0;
  player.seekTimes.length = 0;
  player.rates.length = 0;
  player.actions.length = 0;
  return player;
}

test('who joins late stands ahead of the showing and starts when it comes by', () => {
  for (const seekMs of [20, 150, 300]) {
    const player = joined(running({ position: 100 }), { seekMs, startMs: 80 });
    player.run(1500);
    assert.ok(Math.abs(player.error) < 0.015, `a seek of ${seekMs} ms left ${player.error}`);
  }
});

test('a seek that takes longer than any before is made once more, further ahead', () => {
  const player = joined(running({ position: 100 }), { seekMs: 700, startMs: 80 });
  player.run(3000);
  assert.equal(player.seeks.length, 2);
  assert.ok(Math.abs(player.error) < 0.02, `left ${player.error}`);
  player.changeTarget(running({ position: 500, sinceMs: player.nowMs }));
  player.run(3000);
  assert.equal(player.seeks.length, 3, 'the next one aims further ahead at once');
  assert.ok(Math.abs(player.error) < 0.02, `left ${player.error}`);
});

test('however slow its seeks, a player arrives in the end', () => {
  const player = joined(running({ position: 100 }), { seekMs: 3000, startMs: 80 });
  player.run(12_000);
  assert.ok(player.seeks.length <= 3, `${player.seeks.length} seeks`);
  player.run(20_000);
  assert.ok(Math.abs(player.error) < 0.02, `left ${player.error}`);
});

test('a seek that was late is made once more as far ahead as it took, however long that was', () => {
  for (const [seekMs, seeks, withinMs] of [[5_500, 2, 12_000], [7_900, 2, 17_000], [13_600, 3, 40_000]]) {
    const player = joined(running({ position: 100 }), { seekMs, startMs: 80 });
    player.run(withinMs);
    assert.equal(player.seeks.length, seeks, `${seekMs} ms: ${player.seeks}`);
    assert.ok(!player.paused && Math.abs(player.error) < 0.02, `${seekMs} ms left ${player.error}`);
  }
});

test('who was sent far ahead because one seek was lost does not wait there when the next one is quick', () => {
  const took = [60_000, 200];
  const player = joined(running({ position: 100 }), { seekMs: () => took.shift() ?? 200, startMs: 80 });
  player.run(11_000);
  assert.ok(player.seeks.length <= 3, `${player.seeks}`);
  assert.ok(!player.paused && Math.abs(player.error) < 0.02, `left ${player.error}`);
});

test('a scheduled start is made as much earlier as starts have been seen to take', () => {
  const player = joined(resting({ position: 5 }), { startMs: 200 });
  player.run(1000);
  const errors = [];
  for (let i = 0; i < 4; i++) {
    player.changeTarget(running({ position: 5, sinceMs: player.nowMs + 400 }));
    player.run(650);
    errors.push(player.error);
    player.run(2000);
    player.changeTarget(resting({ position: 5 }));
    player.run(1000);
  }
  assert.ok(errors[0] < -0.1, `at first late: ${errors}`);
  assert.ok(Math.abs(errors[3]) < 0.006, `then in time: ${errors}`);
  assert.ok(Math.abs(player.controller.learned.startLatencyS - 0.2) < 0.01);
});

test('starts that vary come in within what they vary by', () => {
  let turn = 0;
  const player = joined(resting({ position: 5 }), { startMs: () => (turn++ % 2 ? 72 : 88) });
  player.run(500);
  for (let i = 0; i < 8; i++) {
    player.changeTarget(running({ position: 5, sinceMs: player.nowMs + 300 }));
    player.run(600);
    assert.ok(Math.abs(player.error) < 0.02, `start ${i}: ${player.error}`);
    player.run(1000);
    player.changeTarget(resting({ position: 5 }));
    player.run(500);
  }
});

test('a seek in mid-play that begins sooner than a seek takes aims ahead at once', () => {
  const player = inMidPlay({ seekMs: 100, startMs: 80 });
  player.changeTarget(running({ position: 300, sinceMs: player.nowMs + 30 }));
  player.run(1000);
  assert.equal(player.seeks.length, 1);
  assert.ok(player.seeks[0] > 300);
  assert.ok(Math.abs(player.error) < 0.01, `error ${player.error}`);
});

test('half a second off: after a command a seek, in mid-play the rate', () => {
  const commanded = inMidPlay();
  const at = commanded.position;
  commanded.changeTarget(running({ position: at + 0.5, sinceMs: commanded.nowMs }));
  commanded.run(1500);
  assert.equal(commanded.seeks.length, 1);
  assert.ok(Math.abs(commanded.error) < 0.02, `error ${commanded.error}`);

  for (const [gap, seeks] of [[-0.495, 0], [-0.505, 1]]) {
    const regular = inMidPlay();
    regular.position += gap - regular.error;
    regular.run(3000);
    assert.equal(regular.seeks.length, seeks, `${gap} s off`);
    assert.equal(regular.rate > 1, seeks === 0);
  }
});

test('who is a little ahead after a command waits for the showing instead of seeking', () => {
  const player = inMidPlay({ startMs: 80 });
  player.changeTarget(running({ position: player.position - 0.4, sinceMs: player.nowMs }));
  player.run(1500);
  assert.deepEqual(player.seeks, []);
  assert.ok(Math.abs(player.error) < 0.02, `error ${player.error}`);
});

test('who comes early because starts take less than was guessed stands still for a moment, once', () => {
  for (const startMs of [0, 20]) {
    const player = joined(running({ position: 100 }), { seekMs: 100, startMs });
    player.run(1_200);
    assert.ok(Math.abs(player.error) < 0.015, `left ${player.error}`);
    player.run(4_000);
    assert.equal(player.actions.filter((type) => type === 'play').length, 2);
    assert.equal(player.seeks.length, 1);
    player.position += 0.06;
    player.run(3_000);
    assert.equal(player.actions.filter((type) => type === 'play').length, 2, 'in mid-play it is closed by rate');
  }
});

test('where starts take long, or the page is hidden, nobody stands still to win next to nothing', () => {
  for (const options of [{ startMs: 60 }, { startMs: 0, hidden: true, tickMs: 1000 }]) {
    const player = joined(running({ position: 100 }), { seekMs: 100, ...options });
    player.run(6_000);
    assert.equal(player.actions.filter((type) => type === 'play').length, 1, JSON.stringify(options));
  }
});

test('big gaps are closed by seeks, with at least five seconds between', () => {
  const player = inMidPlay();
  for (let i = 0; i < 30; i++) {
    player.position -= 2;
    player.run(1000);
  }
  const gaps = player.seekTimes.slice(1).map((at, index) => at - player.seekTimes[index]);
  assert.ok(gaps.length >= 3);
  assert.ok(Math.min(...gaps) >= 5000, `${gaps}`);
});

test('a player that stalled closes a small gap by rate, a large one by one seek', () => {
  for (const [stallMs, seeks] of [[400, 0], [700, 1], [5000, 1]]) {
    const player = inMidPlay();
    player.buffering = true;
    player.run(stallMs);
    assert.equal(player.seeks.length, 0, 'it waits while it has nothing to play');
    player.buffering = false;
    player.run(15_000);
    assert.equal(player.seeks.length, seeks);
    assert.ok(Math.abs(player.error) < 0.02, `${player.error}`);
  }
});

test('a player stuck for eight seconds tries where the showing is by then', () => {
  const player = inMidPlay();
  player.buffering = true;
  player.run(9000);
  assert.equal(player.seeks.length, 1);
  assert.ok(Math.abs(player.seeks[0] - player.target(player.nowMs - 900).position) < 1.5);
});

test('one that stands still although it has all it needs does so sooner, and more and more seldom', () => {
  const player = inMidPlay({ stallsWithData: true });
  player.buffering = true;
  const fromMs = player.nowMs;
  player.run(60_000);
  const afterS = player.seekTimes.map((at) => Math.round((at - fromMs) / 1000));
  assert.deepEqual(afterS, [3, 11, 27, 51]);
});

test('who stood still for a moment and was woken late starts, and is not sought', () => {
  const player = joined(running({ position: 100 }), { seekMs: 100, startMs: 0 });
  player.run(590);
  assert.equal(player.actions.includes('pause') && player.paused, true);
  player.nowMs += 130; // the page does not get to run
  player.run(4_000);
  assert.equal(player.seeks.length, 1);
  assert.ok(Math.abs(player.error) < 0.02, `left ${player.error}`);
});

test('a seek of the host is followed at once, even by a player that buffers', () => {
  const player = inMidPlay();
  player.buffering = true;
  player.run(500);
  player.changeTarget(running({ position: 600, sinceMs: player.nowMs }));
  player.run(200);
  assert.equal(player.seeks.length, 1);
  assert.ok(player.seeks[0] >= 600);
});

test('a hidden page is not stopped: it may not be allowed to start again', () => {
  const player = inMidPlay({ hidden: true, tickMs: 1000, seekMs: 50 });
  player.changeTarget(running({ position: 600, sinceMs: player.nowMs }));
  player.run(8000);
  assert.equal(player.paused, false);
  assert.ok(!player.actions.includes('pause'));
  assert.ok(Math.abs(player.error) < 0.3, `${player.error}`);
  player.run(20_000);
  assert.ok(Math.abs(player.error) < 0.02, `looked at once a second: ${player.error}`);
});

test('a browser that pauses the picture by itself is started again in its place', () => {
  const player = inMidPlay({ startMs: 80 });
  player.paused = true;
  player.run(2500);
  assert.equal(player.paused, false);
  assert.ok(Math.abs(player.error) < 0.02, `${player.error}`);
});

test('a sound device that takes two seconds to start each time is counted on after the second', () => {
  const player = joined(resting({ position: 5 }), { seekMs: 60, startMs: 2000 });
  player.run(1000);
  player.changeTarget(running({ position: 5, sinceMs: player.nowMs + 300 }));
  player.run(12_000);
  assert.ok(Math.abs(player.error) < 0.02, `left ${player.error}`);
  assert.equal(player.seeks.filter((position) => position !== 5).length, 2);
  player.changeTarget(running({ position: 500, sinceMs: player.nowMs }));
  player.run(5_000);
  assert.ok(Math.abs(player.error) < 0.02, `left ${player.error}`);
  assert.equal(player.seeks.length, 4, 'and the next seek is right at once');
});

test('one that only has to wake up is not counted on to do so again', () => {
  let starts = 0;
  const player = joined(resting({ position: 5 }), { seekMs: 60, startMs: () => (starts++ ? 90 : 2000) });
  player.run(1000);
  player.changeTarget(running({ position: 5, sinceMs: player.nowMs + 300 }));
  player.run(3_300);
  assert.ok(Math.abs(player.error) < 0.03, `left ${player.error}`);
  assert.equal(starts, 2);
});

test('who runs only long after an event, and far behind, is put in place then', () => {
  let starts = 0;
  const player = joined(running({ position: 100 }), {
    seekMs: () => (player.nowMs ? 100 : 2_500), startMs: () => (starts++ ? 90 : 4_000),
  });
  player.run(8_500);
  assert.ok(player.error < -3, `it came ${player.error}`);
  player.run(3_000);
  assert.ok(Math.abs(player.error) < 0.03, `left ${player.error}`);
  assert.equal(starts, 2);
});

test('a player that never begins to play, with all it needs, is sought once more', () => {
  let starts = 0;
  const player = joined(running({ position: 100 }), { startMs: () => (starts++ < 2 ? 1e9 : 90) });
  player.run(4_500);
  assert.deepEqual([starts, player.seeks.length], [1, 1]);
  player.run(10_000);
  assert.deepEqual([starts, player.seeks.length], [2, 2], 'after five seconds, and after ten');
  player.run(2_500);
  assert.ok(Math.abs(player.error) < 0.03, `left ${player.error}`);
  assert.equal(starts, 3);
});

test('while nobody can say where a player is nothing is known of it, and before long it is sought', () => {
  let says = (position) => position;
  const player = inMidPlay({ reads: (position) => says(position) });
  const [before, rates] = [player.seeks.length, player.rates.length];
  says = () => NaN;
  player.run(2_800);
  assert.equal(player.controller.errorS, null);
  assert.deepEqual([player.seeks.length, player.rates.length], [before, rates]);
  player.run(500);
  assert.equal(player.seeks.length, before + 1);
  says = (position) => position;
  player.run(3_000);
  assert.ok(Math.abs(player.error) < 0.03, `left ${player.error}`);
});

test('a hidden page learns how long its seeks take', () => {
  const player = inMidPlay({ hidden: true, tickMs: 1000, seekMs: 1500, startMs: 200 });
  for (let i = 1; i <= 3; i++) {
    player.changeTarget(running({ position: 600 * i, sinceMs: player.nowMs }));
    player.run(30_000);
    assert.ok(Math.abs(player.error) < 0.03, `${player.error}`);
  }
  const before = player.seeks.length;
  player.changeTarget(running({ position: 2400, sinceMs: player.nowMs }));
  player.run(6_000);
  assert.equal(player.seeks.length - before, 1);
  assert.ok(Math.abs(player.error) < 0.1, `${player.error}`);
});

test('where seeks achieve nothing they become rare', () => {
  const player = inMidPlay({ hidden: true, tickMs: 1000, seekMs: 300 });
  for (let i = 0; i < 300; i++) {
    if (!player.seeking && player.error > -3) player.position -= 3;
    player.run(1000);
  }
  assert.ok(player.seeks.length >= 5 && player.seeks.length <= 12, `${player.seeks.length} seeks in five minutes`);
});

test('random gaps and stalls never make it seek more often than it may', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1e6);
  let random = seed || 1;
  const next = () => (random = (random * 48271) % 2147483647) / 2147483647;
  const player = inMidPlay({ seekMs: () => 50 + 400 * next(), startMs: () => 60 + 60 * next(), stepS: -0.02 });
  for (let i = 0; i < 500; i++) {
    if (next() < 0.1) player.position += (next() - 0.5) * 6;
    player.buffering = next() < 0.1;
    player.run(200);
    assert.ok(player.rate >= 0.95 && player.rate <= 1.05, `rate ${player.rate}, SEED=${seed}`);
  }
  player.buffering = false;
  player.run(60_000); // the next seek may have to wait, and what it leaves is closed at 5 %
  assert.ok(Math.abs(player.error) < 0.02, `left ${player.error}, SEED=${seed}`);
});

test('who asks for it is put in place once more, however near', () => {
  const player = inMidPlay({ seekMs: 50, startMs: 80 });
  player.controller.resync(player.nowMs);
  player.run(2000);
  assert.equal(player.seeks.length, 1);
  assert.ok(Math.abs(player.error) < 0.01, `${player.error}`);
});
