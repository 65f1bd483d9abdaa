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

test('the least way there and the least way back need not be of one ping', () => {
  const clock = new ServerClock();
  clock.addSample(sample({ at: 0, offset: 1000, out: 10, back: 90 }));
  clock.addSample(sample({ at: 200, offset: 1000, out: 70, back: 12 }));
  assert.ok(Math.abs(clock.serverTimeMs(300) - 1300) < 1.1, `${clock.serverTimeMs(300)}`);
  assert.ok(clock.errorBoundMs(300) < 11.1, 'closer than the round trips of 82 and 100 ms allow');
});

test('jitter of 80 ms leaves a few milliseconds, and the truth always within the bound', () => {
  let state = 7;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const errors = [];
  for (let run = 0; run < 200; run++) {
    const clock = new ServerClock();
    for (let i = 0; i < 8; i++) {
      clock.addSample(sample({ at: i * 200, offset: 5000, out: 40 + 80 * random(), back: 40 + 80 * random() }));
    }
    const error = Math.abs(clock.serverTimeMs(1600) - 6600);
    assert.ok(error <= clock.errorBoundMs(1600));
    errors.push(error);
  }
  errors.sort((a, b) => a - b);
  assert.ok(errors[100] < 6, `median ${errors[100]} ms`);
  assert.ok(errors[190] < 20, `95th percentile ${errors[190]} ms`);
});

test('what two ways differ by cannot be known, and half of it is in the bound that is shown', () => {
  const clock = new ServerClock();
  for (let i = 0; i < 30; i++) clock.addSample(sample({ at: i * 200, offset: 1000, out: 20, back: 120 }));
  assert.ok(Math.abs(clock.serverTimeMs(6000) - 7000 + 50) < 1, 'half of the difference');
  const boundMs = clock.errorBoundMs(6000);
  assert.ok(boundMs >= 50 && boundMs < 72, `half of the round trip: ${boundMs}`);
});

test('a clock that drifts is followed between pings, and the drift is told', () => {
  const clock = new ServerClock();
  const drift = 40e-6;
  for (let at = 0; at <= 600_000; at += 10_000) {
    clock.addSample(sample({ at, offset: 1000 + at * drift, out: 5 + (at % 30_000) / 10_000, back: 5 }));
  }
  assert.ok(Math.abs(clock.drift.ppm - 40) < 4, `${clock.drift.ppm} ppm`);
  assert.ok(clock.drift.uncertaintyPpm < 10);
  const later = 600_000 + 120_000; // no ping for two minutes
  const error = Math.abs(clock.serverTimeMs(later) - (later + 1000 + later * drift));
  assert.ok(error < 1.5, `${error} ms`);
  assert.ok(error <= clock.errorBoundMs(later));
});

test('a few pings do not make a drift out of jitter', () => {
  const clock = new ServerClock();
  for (let i = 0; i < 8; i++) clock.addSample(sample({ at: i * 200, offset: 0, out: 40 + 10 * i, back: 40 }));
  assert.ok(Math.abs(clock.drift.ppm) < 5, `${clock.drift.ppm} ppm`);
});

test('a reconnection does not move anybody by its first coarse sample', () => {
  const clock = new ServerClock();
  for (let i = 0; i < 8; i++) clock.addSample(sample({ at: i * 200, offset: 1000, out: 5, back: 5 }));
  clock.reconnected(20_000);
  clock.addSample(sample({ at: 20_000, offset: 1000, out: 180, back: 20 })); // a welcome
  assert.ok(Math.abs(clock.serverTimeMs(20_300) - 21_300) < 1);
  clock.addSample(sample({ at: 20_400, offset: 1004, out: 2, back: 2 })); // another node's clock
  assert.ok(Math.abs(clock.serverTimeMs(20_410) - 21_414) < 2.1, `${clock.serverTimeMs(20_410)}`);
});

test('a clock that was set is believed over what was known', () => {
  const clock = new ServerClock();
  for (let i = 0; i < 8; i++) clock.addSample(sample({ at: i * 200, offset: 1000, out: 5, back: 5 }));
  clock.addSample(sample({ at: 10_000, offset: 3000, out: 5, back: 5 }));
  assert.ok(Math.abs(clock.serverTimeMs(10_020) - 13_020) < 1);
});
