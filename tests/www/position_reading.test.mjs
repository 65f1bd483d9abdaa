// A position that cannot be true: what is made of it, and what tells the truth meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataWatch } from '../../www/player/playback/data_watch.js';
import { FrameClock } from '../../www/player/playback/frame_clock.js';
import { PositionReading } from '../../www/player/playback/position_reading.js';
import { FakeVideo } from './support/fake_video.mjs';

const HAVE_CURRENT_DATA = 2;

// WebKitGTK 2.50 with a sound device on a busy machine, from a seek to 1.647 s on: milliseconds, the frame that
// has just appeared, and what currentTime said at that moment. It played on all the while.
const RECORDED = [
  [564, 1.667, 1.68], [586, 1.7, 1.702], [628, 1.733, 0], [654, 1.767, 0], [687, 1.8, 0], [721, 1.833, 0], [754, 1.867, 0],
  [795, 1.9, 0], [821, 1.933, 0], [859, 1.967, 0], [892, 2, 0], [924, 2.033, 0], [957, 2.067, 0], [990, 2.1, 0],
  [1025, 2.133, 0], [1054, 2.167, 0], [1088, 2.2, 0], [1122, 2.233, 0], [1167, 2.267, 0], [1208, 2.3, 0], [1221, 2.333, 0],
  [1283, 2.367, 0], [1327, 2.433, 0], [1354, 2.467, 0], [1392, 2.5, 0], [1423, 2.533, 0], [1457, 2.567, 0], [1491, 2.6, 0],
  [1523, 2.633, 0], [1564, 2.667, 0], [1606, 2.7, 0], [1625, 2.733, 0], [1660, 2.767, 0], [1696, 2.8, 0], [1730, 2.833, 0],
  [1773, 2.867, 0], [1817, 2.9, 0], [1855, 2.967, 0], [1891, 3, 0], [1922, 3.033, 0], [1957, 3.067, 0], [2005, 3.1, 0],
];
const STARTED_MS = 586 - 1702; // local time at which the media would have begun

// performance.now() as the test has it, while `act` runs.
function withTime(act) {
  const real = performance.now;
  const time = { nowMs: 0 };
  performance.now = () => time.nowMs;
  try {
    return act(time);
  } finally {
    performance.now = real;
  }
}

function soughtTo(position) {
  const video = new FakeVideo({ readyState: HAVE_CURRENT_DATA });
  const clock = new FrameClock(video);
  video.become('seeking', { seeking: true, currentTime: position, paused: false });
  return { video, clock };
}

// Replays it, and calls look(ms, says) 10 ms after each frame.
function replay({ video }, time, look) {
  for (const [ms, mediaTime, says] of RECORDED) {
    Object.assign(video, { seeking: false, currentTime: says });
    time.nowMs = ms;
    video.showFrame(mediaTime, ms);
    time.nowMs = ms + 10;
    look(ms + 10, says);
  }
}

test('0 right after a seek elsewhere is not believed: the frames tell where it is, from the first one on', () => {
  withTime((time) => {
    const player = soughtTo(1.647);
    replay(player, time, (ms) => {
      const errorS = player.clock.positionAt(ms) - (ms - STARTED_MS) / 1000;
      assert.ok(Math.abs(errorS) < 0.04, `${errorS} s off after ${ms} ms`);
    });
    const errorS = player.clock.positionAt(time.nowMs) - (time.nowMs - STARTED_MS) / 1000;
    assert.ok(Math.abs(errorS) < 0.02, `${errorS} s off once some frames are known`);
    assert.equal(player.clock.reading.isFalse, true);
  });
});

test('where no frames come either, as in a hidden page, nobody can say', () => {
  withTime((time) => {
    const player = soughtTo(1.647);
    replay(player, time, () => {});
    time.nowMs += 300;
    assert.equal(player.clock.positionAt(time.nowMs), null);
    assert.equal(player.clock.reading.placeS, 3.1, 'it was last known to be there');
    player.video.become('pause', { paused: true });
    assert.equal(player.clock.positionAt(time.nowMs), 3.1);
  });
});

test('a player whose frames move lacks no data, and its place is not looked for at 0', () => {
  withTime((time) => {
    const player = soughtTo(1.647);
    player.video.buffered = { length: 1, start: () => 1.2, end: () => 60 };
    const data = new DataWatch(player.video, { reading: player.clock.reading });
    replay(player, time, (ms) => assert.equal(data.lacksData(ms), false, `after ${ms} ms`));
    for (let ms = 0; ms < 500; ms += 100) data.lacksData((time.nowMs += 100));
    assert.equal(data.lacksData(time.nowMs), true, 'they stand still');
  });
});

test('the next seek mends it', () => {
  withTime((time) => {
    const player = soughtTo(1.647);
    replay(player, time, () => {});
    player.video.become('seeking', { seeking: true, currentTime: 5 });
    assert.equal(player.clock.positionAt(time.nowMs), 5);
    Object.assign(player.video, { seeking: false, currentTime: 5.1 });
    assert.equal(player.clock.positionAt(time.nowMs), 5.1);
  });
});

test('a player that was sent to the beginning, or begins with another film, is there', () => {
  const video = new FakeVideo({ currentTime: 30 });
  const reading = new PositionReading(video);
  assert.deepEqual([reading.isFalse, reading.placeS], [false, 30]);
  video.become('seeking', { seeking: true, currentTime: 0 });
  video.seeking = false;
  assert.deepEqual([reading.isFalse, reading.placeS], [false, 0]);
  video.currentTime = 30;
  assert.equal(reading.placeS, 30);
  video.become('emptied', { currentTime: 0 });
  assert.deepEqual([reading.isFalse, reading.placeS], [false, 0]);
});

test('a film that says 0 from its beginning on is found out by its frames', () => {
  withTime((time) => {
    const player = soughtTo(0);
    player.video.seeking = false;
    for (let i = 0; i < 30; i++, time.nowMs += 33) player.video.showFrame(i / 30, time.nowMs);
    assert.equal(player.clock.reading.isFalse, true);
    const errorS = player.clock.positionAt(time.nowMs) - time.nowMs / 1000;
    assert.ok(Math.abs(errorS) < 0.02, `${errorS}`);
  });
});

test('a frame of before the seek, that comes while it is under way, tells nothing', () => {
  withTime((time) => {
    const player = soughtTo(0);
    player.video.showFrame(35.4, time.nowMs);
    player.video.seeking = false;
    assert.deepEqual([player.clock.reading.isFalse, player.clock.positionAt(time.nowMs)], [false, 0]);
  });
});
