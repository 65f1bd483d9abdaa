import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerClock, pingDelayMs } from '../../www/sync/clock.js';

// A ping sent at local time `at`, over a network of the given one-way delays.
function sample({ at, offset, out, back, work = 0 }) {
  const t2 = at + out + offset;
  return { t1: at, t2, t3: t2 + work, t4: at + out + work + back };
}

test('nothing is known before the first sample', () => {
  const clock = new ServerClock();
  assert.equal(clock.known, false);
  assert.ok(Number.isNaN(clock.serverTimeMs(5)));
  assert.equal(clock.errorBoundMs(5), Infinity);
});

test('a symmetric round trip gives the exact offset, whatever the server took to answer', () => {
  const clock = new ServerClock();
  clock.addSample(sample({ at: 100, offset: 1.7e12, out: 20, back: 20, work: 500 }));
  assert.ok(Math.abs(clock.serverTimeMs(1000) - (1.7e12 + 1000)) < 0.01);
  assert.equal(clock.rttMs, 40);
});

test('the truth lies within the error bound, however lopsided the way', () => {
  const clock = new ServerClock();
  clock.addSample(sample({ at: 0, offset: 1000, out: 90, back: 10 }));
  const error = Math.abs(clock.serverTimeMs(100) - 1100);
  assert.equal(error, 40);
  assert.ok(error <= clock.errorBoundMs(100));
});

test('the sample with the least round trip is believed', () => {
  const clock = new ServerClock();
  clock.addSample(sample({ at: 0, offset: 1000, out: 80, back: 10 }));
  clock.addSample(sample({ at: 200, offset: 1000, out: 3, back: 3 }));
  clock.addSample(sample({ at: 400, offset: 1000, out: 200, back: 5 }));
  assert.ok(Math.abs(clock.serverTimeMs(500) - 1500) < 0.01);
});

test('a good but old sample gives way once the clocks may have drifted further', () => {
  const clock = new ServerClock();
  clock.addSample(sample({ at: 0, offset: 1000, out: 1, back: 1 }));
  clock.addSample(sample({ at: 120_000, offset: 1004, out: 3, back: 3 }));
  assert.ok(Math.abs(clock.serverTimeMs(120_010) - 121_014) < 0.01);
});

test('only the last sixteen samples count', () => {
  const clock = new ServerClock();
  clock.addSample(sample({ at: 0, offset: 5000, out: 0, back: 0 }));
  for (let i = 1; i <= 16; i++) clock.addSample(sample({ at: i, offset: 1000, out: 10, back: 10 }));
  assert.ok(Math.abs(clock.serverTimeMs(100) - 1100) < 0.01);
});

test('times that cannot be are refused', () => {
  const clock = new ServerClock();
  assert.equal(clock.addSample({ t1: 10, t2: 0, t3: 0, t4: 5 }), false);
  assert.equal(clock.addSample({ t1: 0, t2: 9, t3: 3, t4: 5 }), false);
  assert.equal(clock.addSample({ t1: 0, t2: undefined, t3: 3, t4: 5 }), false);
  assert.equal(clock.known, false);
});

test('after sleep everything is measured anew', () => {
  const clock = new ServerClock();
  clock.addSample(sample({ at: 0, offset: 1000, out: 1, back: 1 }));
  assert.equal(clock.noticeSleep(50_000, 10), false);
  assert.equal(clock.noticeSleep(50_100, 110), false);
  assert.equal(clock.noticeSleep(90_000, 120), true, 'the local clock stood still for 40 s');
  assert.equal(clock.known, false);
  assert.equal(clock.noticeSleep(90_010, 130), false);
});

test('eight quick pings in 1.6 s, then one every ten seconds', () => {
  const delays = Array.from({ length: 10 }, (_, sent) => pingDelayMs(sent));
  assert.equal(delays.slice(0, 8).reduce((sum, delay) => sum + delay), 1600);
  assert.deepEqual(delays.slice(8), [10_000, 10_000]);
});
