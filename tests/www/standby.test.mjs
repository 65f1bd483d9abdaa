// The picture behind the gate: it waits where the showing is, and fetches no more than it must.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Standby } from '../../www/player/playback/standby.js';
import { FakeTime } from './support/fake_network.mjs';

const rangesOf = (...ranges) => ({ length: ranges.length, start: (i) => ranges[i][0], end: (i) => ranges[i][1] });

class FakeVideo extends EventTarget {
  readyState = 0;
  seeking = false;
  duration = 100;
  buffered = rangesOf();
  sought = [];
  #currentS = 0;
  get currentTime() {
    return this.#currentS;
  }
  set currentTime(position) {
    this.sought.push(Math.round(position * 10) / 10);
    this.#currentS = position;
  }
  know() {
    this.readyState = 1;
    this.dispatchEvent(new Event('loadedmetadata'));
  }
}

// The showing is at 20 s at the beginning, and runs.
function stand(page = { visibilityState: 'visible' }, { libraryS } = {}) {
  const time = new FakeTime();
  const video = new FakeVideo();
  const startMs = time.nowMs;
  const standby = new Standby(video, () => 20 + (time.nowMs - startMs) / 1000, { libraryS, page, timers: time.timers, now: time.now });
  return { time, video, standby };
}

test('as soon as the film is known it stands where the showing is', () => {
  const { time, video } = stand();
  time.pass(300);
  assert.deepEqual(video.sought, []);
  video.know();
  assert.deepEqual(video.sought, [20.3]);
});

test('it stays while what is shown next is there, and moves on when that is over', () => {
  const { time, video } = stand();
  video.know();
  video.buffered = rangesOf([18, 25]);
  time.pass(3_900);
  assert.deepEqual(video.sought, [20]);
  time.pass(600);
  assert.deepEqual(video.sought, [20, 24.5]);
});

test('while it is on its way, and in a page that nobody looks at, it is left alone', () => {
  const page = { visibilityState: 'hidden' };
  const { time, video } = stand(page);
  video.know();
  time.pass(5_000);
  assert.deepEqual(video.sought, []);
  page.visibilityState = 'visible';
  video.seeking = true;
  time.pass(5_000);
  assert.deepEqual(video.sought, []);
  video.seeking = false;
  time.pass(500);
  assert.deepEqual(video.sought, [30.5]);
});

test('whoever reads for more than a minute does not fetch the film', () => {
  const { time, video } = stand();
  video.know();
  time.pass(59_000);
  const { length } = video.sought;
  assert.ok(length > 5, `${length}`);
  time.pass(60_000);
  assert.ok(video.sought.length <= length + 1);
  assert.equal(time.pending, 0);
});

test('a film that the library knows to be longer than the element says goes on there', () => {
  const { video } = stand(undefined, { libraryS: 100 });
  video.duration = 15;
  video.know();
  assert.deepEqual(video.sought, [20]);
});

test('at the end of the film it stands there; once stopped it does nothing more', () => {
  const { time, video, standby } = stand();
  video.duration = 15;
  video.know();
  time.pass(2_000);
  assert.deepEqual(video.sought, [15]);
  standby.stop();
  video.duration = 100;
  video.know();
  time.pass(2_000);
  assert.deepEqual(video.sought, [15]);
  assert.equal(time.pending, 0);
});
