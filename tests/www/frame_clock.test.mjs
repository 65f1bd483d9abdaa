import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameClock } from '../../www/player/playback/frame_clock.js';
import { FakeVideo as SharedFakeVideo } from './support/fake_video.mjs';

// A video that plays since local time 0 and shows a frame each 33 ms, `frameAheadMs` beside its sound; of all of
// them it tells a time that is `countAheadMs` more than currentTime would have it.
class FakeVideo extends EventTarget {
  paused = false;
  seeking = false;
  playbackRate = 1;
  #callback = null;

  constructor({ says = (ms) => ms, frameAheadMs = 0, countAheadMs = 0, frames = true } = {}) {
    super();
    this.says = says;
    this.frameAheadMs = frameAheadMs;
    this.countAheadMs = countAheadMs;
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
      this.#show(now + this.frameAheadMs);
    }
  }

  // It was sought to where it is and stands there: the frame that is shown began `sinceMs` before.
  stand({ sinceMs = 0 } = {}) {
    this.paused = true;
    this.dispatchEvent(new Event('seeking'));
    this.#show(this.currentTime * 1000 - sinceMs);
    this.paused = false;
    this.dispatchEvent(new Event('play'));
  }

  // It is paused, and a frame comes that was on its way already.
  stumble({ aheadMs }) {
    this.paused = true;
    this.#show(this.currentTime * 1000 + aheadMs);
    this.paused = false;
    this.dispatchEvent(new Event('play'));
  }

  #show(ms) {
    const now = performance.now();
    this.#callback?.(now, { mediaTime: (ms + this.countAheadMs) / 1000, expectedDisplayTime: now });
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

function positionAfter(video, count = 24, begin = () => video.stand()) {
  const times = Array.from({ length: count + 1 }, (_, i) => 1000 + i * 33.3);
  return at(times, (next) => {
    const clock = new FrameClock(video);
    begin();
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

test('frames that count from elsewhere than currentTime does set nothing right', () => {
  for (const frameAheadMs of [0, -20, 16]) {
    const { errorMs } = positionAfter(new FakeVideo({ countAheadMs: 80, frameAheadMs }));
    assert.ok(Math.abs(errorMs) < 0.01, `${errorMs}`);
  }
  const rough = new FakeVideo({ countAheadMs: 80, says: (ms) => Math.floor(ms / 100) * 100 });
  assert.ok(Math.abs(positionAfter(rough).errorMs) < 1, 'where they are followed, they count from there');
});

test('frames of which nobody knows from where they count set nothing right', () => {
  const ahead = new FakeVideo({ countAheadMs: 80 });
  assert.ok(Math.abs(positionAfter(ahead, 24, () => {}).errorMs) < 0.01, 'none was seen to stand');
  const stumbles = () => ahead.stumble({ aheadMs: 37 });
  assert.ok(Math.abs(positionAfter(ahead, 24, stumbles).errorMs) < 0.01, 'what comes after a pause was on its way');
  const other = () => {
    ahead.stand();
    ahead.dispatchEvent(new Event('emptied'));
  };
  assert.ok(Math.abs(positionAfter(ahead, 24, other).errorMs) < 0.01, 'what is known is of another film');
});

test('a frame that began before the place at which a player stands counts as currentTime does', () => {
  const video = new FakeVideo(steady((ms) => ms + 120));
  assert.ok(Math.abs(positionAfter(video, 24, () => video.stand({ sinceMs: 39 })).errorMs) < 1);
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
    video.stand();
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

// WebKitGTK 2.50 and a film of x264's with 25 frames a second, heard beside: the sound is where currentTime says. Of
// the frame at which it stood, sought to 9.054 s; then milliseconds, the frame, currentTime.
const STOOD = [9.134, 9.054];
const PLAYED = [
  [1736, 9.44, 9.388], [1780, 9.48, 9.432], [1806, 9.52, 9.458], [1855, 9.56, 9.507], [1895, 9.6, 9.547],
  [1934, 9.64, 9.585], [1968, 9.68, 9.62], [2009, 9.72, 9.661], [2046, 9.76, 9.698], [2073, 9.8, 9.724], [2127, 9.84, 9.779],
];

test('the frames of a film with B-frames, as WebKit tells of them, move nobody', () => {
  const video = new SharedFakeVideo({ paused: false });
  const clock = new FrameClock(video);
  video.become('seeking', { paused: true, currentTime: STOOD[1] });
  video.showFrame(STOOD[0], 291);
  video.become('play', { paused: false });
  for (const [ms, mediaTime, currentTime] of PLAYED) {
    at([ms], () => {
      video.currentTime = currentTime;
      video.showFrame(mediaTime, ms);
      assert.ok(Math.abs(clock.positionAt(ms) - currentTime) < 0.008, `${clock.positionAt(ms)} and not ${currentTime}`);
    });
  }
});
