// The tick to judge a shift by: when it sounds and when it is lit, over a fake clock and a fake sound.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tick } from '../../www/player/playback/tick.js';

const sounds = []; // of all contexts: their time at which one begins

globalThis.GainNode = class {
  gain = { setValueAtTime() {}, exponentialRampToValueAtTime() {} };
  connect = (next) => next;
};
globalThis.OscillatorNode = class {
  connect = (next) => next;
  start = (atS) => sounds.push(atS);
  stop() {}
};

// Server time is 100 s ahead of the local one. delayMs: what the browser knows that its output takes.
function ticking({ shiftMs = 0, delayMs = 0, serverAheadMs = 100_000, knowsOutput = true } = {}) {
  sounds.length = 0;
  const state = { nowMs: 5_000, shiftMs, serverAheadMs, lit: [], looks: null, frames: [], closed: 0 };
  const makeContext = () => ({
    get currentTime() {
      return state.nowMs / 1000;
    },
    getOutputTimestamp: knowsOutput ? () => ({ contextTime: (state.nowMs - delayMs) / 1000, performanceTime: state.nowMs }) : undefined,
    destination: {},
    close: () => (state.closed += 1),
  });
  const tick = new Tick({
    serverTimeMs: (nowMs) => nowMs + state.serverAheadMs, shiftMs: () => state.shiftMs, show: (isLit) => state.lit.push(isLit),
    now: () => state.nowMs, frame: (act) => state.frames.push(act), makeContext,
    timers: { setInterval: (look) => (state.looks = look), clearInterval: () => (state.looks = null) },
  });
  const pass = (ms) => {
    for (const endMs = state.nowMs + ms; state.nowMs < endMs; ) {
      state.nowMs += 10;
      if (state.nowMs % 100 === 0) state.looks?.();
      for (const act of state.frames.splice(0)) act();
    }
  };
  return { tick, state, pass };
}

// In milliseconds of the local clock.
const heard = (delayMs = 0) => sounds.map((atS) => Math.round(atS * 1000 + delayMs));

test('without a shift it sounds at the whole seconds of the room, each once', () => {
  const { tick, pass } = ticking();
  tick.start();
  pass(3_000);
  assert.deepEqual(heard(), [5_000, 6_000, 7_000, 8_000]);
});

for (const shiftMs of [-500, -120, 120, 500]) {
  test(`shifted by ${shiftMs} ms it sounds as much ahead, whatever the browser knows of its output`, () => {
    for (const delayMs of [0, 40]) {
      const { tick, pass } = ticking({ shiftMs, delayMs });
      tick.start();
      pass(3_000);
      const seconds = heard(delayMs).map((atMs) => atMs + shiftMs);
      assert.ok(seconds.length >= 3);
      for (const atMs of seconds) assert.equal(atMs % 1_000, 0, `${seconds}`);
      assert.equal(new Set(seconds).size, seconds.length);
    }
  });
}

test('a browser that does not tell of its output ticks by the context\'s time', () => {
  const { tick, pass } = ticking({ knowsOutput: false });
  tick.start();
  pass(1_000);
  assert.deepEqual(heard(), [5_000, 6_000]);
});

test('moved in between, no second sounds twice', () => {
  const { tick, state, pass } = ticking();
  tick.start();
  pass(900);
  state.shiftMs = -200;
  pass(2_100);
  assert.deepEqual(heard(), [5_000, 6_000, 7_200, 8_200]);
});

test('the light is the room\'s moment, whatever the shift', () => {
  const { tick, state, pass } = ticking({ shiftMs: 300 });
  tick.start();
  assert.equal(state.lit.at(-1), true);
  pass(200);
  assert.equal(state.lit.at(-1), false);
  pass(790);
  assert.equal(state.lit.at(-1), false);
  pass(20);
  assert.equal(state.lit.at(-1), true);
});

test('stopped, nothing sounds or is lit any more; it can begin anew', () => {
  const { tick, state, pass } = ticking();
  tick.start();
  tick.start();
  pass(500);
  tick.stop();
  const before = heard().length;
  const shown = state.lit.length;
  pass(2_000);
  assert.deepEqual([heard().length, state.lit.length, state.lit.at(-1), state.closed, tick.isOn], [before, shown, false, 1, false]);
  tick.start();
  pass(1_000);
  assert.ok(heard().length > before);
});

test('while the time of the room is not known it is silent and dark', () => {
  const { tick, state, pass } = ticking({ serverAheadMs: NaN });
  tick.start();
  pass(2_000);
  assert.deepEqual([heard(), new Set(state.lit)], [[], new Set([false])]);
});
