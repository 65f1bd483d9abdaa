import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameClock } from '../../www/player/playback/frame_clock.js';

// A video that plays since local time 0 and shows a frame each 33 ms, `frameAheadMs` beside its sound.
class FakeVideo extends EventTarget {
  paused = false;
  seeking = false;
  playbackRate = 1;
  #callback = null;

  constructor({ says = (ms) => ms, frameAheadMs = 0, frames = true } = {}) {
    super();
    this.says = says;
    this.frameAheadMs = frameAheadMs;
    if (!frames) this.requestVideoFrameCallback = undefined;
  }

  get currentTime() {
    return this.says(performance.now()) / 1000;
  }

  requestVideoFrameCallback(callback) {
    this.#callback = callback;
  }

  showFrames(count) {
    for (let i = 0; i < count; i++) {
      const now = performance.now();
      this.#callback?.(now, { mediaTime: (now + this.frameAheadMs) / 1000, expectedDisplayTime: now });
    }
  }
}

const steady = (says) => ({ says });

// performance.now() as the test has it.
function at(times, action) {
  const real = performance.now;
  let index = 0;
  performance.now = () => times[Math.min(index, times.length - 1)];
  try {
    return action(() => (index += 1));
  } finally {
    performance.now = real;
  }
}

function positionAfter(video, count = 24) {
  const times = Array.from({ length: count + 1 }, (_, i) => 1000 + i * 33.3);
  return at(times, (next) => {
    const clock = new FrameClock(video);
    for (let i = 0; i < count; i++) {
      video.showFrames(1);
      next();
    }
    const nowMs = performance.now();
    return { errorMs: clock.positionAt(nowMs) * 1000 - nowMs };
  });
}

test('a smooth currentTime is the clock, frames a display step beside it change nothing', () => {
  for (const frameAheadMs of [0, 16, -16]) {
    const { errorMs } = positionAfter(new FakeVideo({ frameAheadMs }));
    assert.ok(Math.abs(errorMs) < 0.01, `${errorMs}`);
  }
});

test('a currentTime that comes in jumps is not: the frames are', () => {
  const video = new FakeVideo(steady((ms) => Math.floor(ms / 100) * 100));
  assert.ok(Math.abs(positionAfter(video).errorMs) < 1);
});

test('a currentTime that lies steadily is set right by the frames', () => {
  const video = new FakeVideo(steady((ms) => ms + 120));
  assert.ok(Math.abs(positionAfter(video).errorMs) < 1);
});

test('where nothing tells of frames, or too few have come, currentTime must do', () => {
  assert.ok(Math.abs(positionAfter(new FakeVideo({ frames: false })).errorMs) < 0.01);
  const few = positionAfter(new FakeVideo(steady((ms) => ms + 120)), 3);
  assert.ok(Math.abs(few.errorMs - 120) < 0.01);
});

test('after a seek what was known of the frames counts no more', () => {
  const video = new FakeVideo(steady((ms) => ms + 120));
  const times = Array.from({ length: 30 }, (_, i) => 1000 + i * 33.3);
  at(times, (next) => {
    const clock = new FrameClock(video);
    for (let i = 0; i < 20; i++) {
      video.showFrames(1);
      next();
    }
    video.dispatchEvent(new Event('seeking'));
    const nowMs = performance.now();
    assert.ok(Math.abs(clock.positionAt(nowMs) * 1000 - nowMs - 120) < 0.01);
  });
});

// A staircase as Firefox's: each reading is as old as the last stair, but for those at a frame.
function lagging(video, stairMs, seconds = 4) {
  let nowMs = 1000;
  let movedMs = nowMs;
  const real = performance.now;
  performance.now = () => nowMs;
  Object.defineProperty(video, 'currentTime', { get: () => movedMs / 1000 });
  const clock = new FrameClock(video);
  const errors = [];
  try {
    for (let i = 0; i < seconds * 240; i++, nowMs += 1000 / 240) {
      const isFrame = i % 8 === 0;
      if (isFrame || nowMs - movedMs >= stairMs) movedMs = nowMs;
      if (isFrame && !video.isHidden) video.showFrames(1);
      if (i % 23 === 7) errors.push(clock.positionAt(nowMs) * 1000 - nowMs);
    }
    video.isHidden = true;
    for (let i = 1; i < 480; i++, nowMs += 1000 / 240) {
      if (nowMs - movedMs >= stairMs) movedMs = nowMs;
      if (i > 240 && i % 23 === 7) errors.push(clock.positionAt(nowMs) * 1000 - nowMs);
    }
  } finally {
    performance.now = real;
  }
  return errors;
}

const mean = (values) => values.reduce((sum, one) => sum + one) / values.length;

test('a staircase is seen as one, and what is late is set right, by the newest readings', () => {
  const errors = lagging(new FakeVideo(), 40);
  const seen = errors.slice(20, 40);
  assert.ok(mean(errors.slice(0, 4)) < -5, `at first it is late: ${errors.slice(0, 4)}`);
  assert.ok(seen.every((error) => Math.abs(error) < 1), `${seen}`);
  const unseen = errors.slice(-10);
  assert.ok(Math.abs(mean(unseen)) < 10, `without frames it is right on average: ${unseen}`);
});

test('small stairs, as every clock has them, change nothing', () => {
  const errors = lagging(new FakeVideo(), 4);
  assert.ok(errors.every((error) => Math.abs(error) < 5), `${errors}`);
});
