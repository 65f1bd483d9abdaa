// What the measurement of step makes of signals and readings that are known.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { judge } from '../../bench/sync/judge.mjs';
import { skewFault, stepFault } from '../../bench/sync/limits.mjs';
import { profiles } from '../../bench/sync/profiles.mjs';
import { report, verdict } from '../../bench/sync/report.mjs';
import { beep, beepExpression, beepTime, findBeeps, KINDS } from '../../bench/sync/sound/beeps.mjs';
import { apartMs, beepNear, heardOf, recordingClock } from '../../bench/sync/sound/hearing.mjs';
import { Room } from '../../bench/sync/sound/room.mjs';
import { clearMs, clearOf, stallsOf } from '../../bench/sync/stalls.mjs';
import { pidsOf } from '../support/engines/processes.mjs';
import { makeMedia } from '../support/media.mjs';

const RATE_HZ = 48_000;
const TRUTH = { clockBoundMs: 0.1, positionAt: (atMs) => (atMs < 1_000 ? null : (atMs - 1_000) / 1000) }; // begins at 1000

// A recording of `seconds` with beeps: [{atMs, kind, loudness}].
function recordingOf(seconds, beeps) {
  const samples = new Float32Array(seconds * RATE_HZ);
  for (const { atMs, kind, loudness = 1 } of beeps) {
    beep(kind, RATE_HZ).forEach((value, i) => (samples[Math.round((atMs * RATE_HZ) / 1000) + i] += value * loudness));
  }
  return samples;
}

// Noise that is the same at each run.
function addNoise(samples, loudness) {
  let state = 1;
  for (let i = 0; i < samples.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    samples[i] += loudness * (state / 2 ** 31 - 1);
  }
  return samples;
}

test('each kind of beep is found and told from the others, to a sample, also when faint and in noise', () => {
  const sent = Array.from({ length: KINDS }, (_, kind) => ({ atMs: 100.25 + 500 * kind, kind, loudness: 0.3 }));
  const { beeps, garbled } = findBeeps(addNoise(recordingOf(9, sent), 0.01), RATE_HZ);
  assert.equal(garbled, 0);
  assert.deepEqual(beeps.map(({ kind }) => kind), sent.map(({ kind }) => kind));
  beeps.forEach(({ at }, i) => assert.ok(Math.abs(at - sent[i].atMs * 48) <= 1, `${at} is not ${sent[i].atMs * 48}`));
});

test('a beep with one chirp or two of another is garbled, and no other beep', () => {
  const chirp = 480;
  for (const others of [[0], [3], [6], [0, 1], [2, 5], [5, 6]]) {
    const mixed = recordingOf(1, [{ atMs: 100, kind: 0 }]); // all upwards
    for (const i of others) mixed.set(beep(0, RATE_HZ).subarray(0, chirp).reverse(), 4_800 + i * chirp);
    assert.deepEqual(findBeeps(mixed, RATE_HZ), { beeps: [], garbled: 1 }, `${others}`);
  }
});

test('a torn beep and other sounds count as garbled; silence and hum as nothing', () => {
  const torn = recordingOf(2, [{ atMs: 300, kind: 5 }]);
  torn.copyWithin(300 * 48 + 1_200, 300 * 48 + 2_160, 300 * 48 + 2_880).fill(0, 300 * 48 + 1_400, 300 * 48 + 2_880);
  for (let i = 0; i < 2_000; i++) torn[60_000 + i] = 0.4 * Math.sin(i / 10);
  assert.deepEqual(findBeeps(torn, RATE_HZ), { beeps: [], garbled: 2 });
  assert.deepEqual(findBeeps(new Float32Array(RATE_HZ), RATE_HZ), { beeps: [], garbled: 0 });
  assert.deepEqual(findBeeps(addNoise(new Float32Array(RATE_HZ), 0.005), RATE_HZ), { beeps: [], garbled: 0 });
});

test('the film has its beeps where they are said to be, also when it has been coded', async () => {
  const { beeps, garbled } = findBeeps(await soundOfFilm(), RATE_HZ);
  assert.equal(garbled, 0);
  assert.equal(beeps.length, 24);
  beeps.forEach(({ at, kind }, number) => {
    assert.equal(kind, number % KINDS);
    assert.ok(Math.abs(at / 48 - beepTime(number) * 1000) < 0.5, `beep ${number} at ${at / 48} ms`);
  });
});

test('at each rate that a correction has beeps are found, and none is taken for another', async () => {
  for (const rate of [0.95, 0.99, 1.01, 1.05]) {
    const { beeps } = findBeeps(await soundOfFilm(`atempo=${rate}`), RATE_HZ);
    assert.ok(beeps.length >= 6, `${beeps.length} of 24 at rate ${rate}`); // what has been cut and pieced together is garbled
    for (const { at, kind } of beeps) {
      const number = beepNear(kind, (at / RATE_HZ) * rate);
      const offMs = at / 48 - (beepTime(number) * 1000) / rate;
      assert.ok(Math.abs(offMs) < 30, `beep ${number} is off by ${offMs} ms`); // as far as atempo shifts them
    }
  }
});

// Of the bench's film, shorter, as its decoder has it, behind a filter of ffmpeg.
async function soundOfFilm(filter = 'anull') {
  const media = await makeMedia([{ name: 'beeps', seconds: 12, sound: beepExpression() }]);
  try {
    const file = path.join(media.directory, 'beeps.mp4');
    const words = ['-v', 'error', '-i', file, '-af', filter, '-f', 'f32le', '-ac', '1', '-ar', `${RATE_HZ}`, '-'];
    const { stdout } = await promisify(execFile)('ffmpeg', words, { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 });
    return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
  } finally {
    await media.remove();
  }
}

test('a recording\'s clock is neither taken in by late arrivals nor by the second half of a block', () => {
  const arrivals = [];
  for (let block = 0; block < 1_000; block++) {
    const late = block % 3 === 0 ? 9 : 0.1;
    arrivals.push({ sample: block * 960, atMs: 5_000 + block * 20 + late });
    if (block % 50 === 7) arrivals.push({ sample: block * 960 + 480, atMs: 5_000 + block * 20 + 4 });
  }
  const clock = recordingClock(arrivals, RATE_HZ);
  assert.ok(Math.abs(clock.atMs(48_000) - 6_000.1) < 0.2, `${clock.atMs(48_000)}`);
  assert.ok(clock.boundMs < 0.2, `${clock.boundMs}`);
  assert.throws(() => recordingClock([], RATE_HZ), /nothing was recorded/);
});

test('a beep says where in the film it is, to 4 s', () => {
  for (const number of [0, 1, 15, 16, 37, 200]) {
    for (const apart of [-3.9, 0, 3.9]) assert.equal(beepNear(number % KINDS, beepTime(number) + apart), number);
  }
  assert.notEqual(beepNear(3, beepTime(3) + 4.1), 3);
});

test('what was heard has the time of its beep; two viewers are as far apart as their beeps are', () => {
  const clock = { atMs: (sample) => sample / 48 };
  const heardAt = (lateMs) => heardOf([3, 4, 5].map((kind) => ({ at: (1_000 + beepTime(kind) * 1000 + lateMs) * 48, kind })), clock, TRUTH);
  const [one, other] = [heardAt(-12), heardAt(30)];
  assert.deepEqual(one.map(({ number }) => number), [3, 4, 5]);
  assert.deepEqual(one.map(({ mediaTime }) => mediaTime), [3, 4, 5].map(beepTime));
  apartMs(one, other).forEach((reading) => assert.ok(Math.abs(reading.apartMs + 42) < 0.01));
  assert.deepEqual(heardOf([{ at: 0, kind: 0 }], clock, TRUTH), [], 'before the showing began');
  assert.deepEqual(apartMs(one, []), []);
});

test('a late tick is a stall, and a stall touches what comes until it can be made up for', () => {
  const ticks = [0, 20, 41, 60, 160, 180];
  assert.deepEqual(stallsOf(ticks), [[60, 160]]);
  const readings = [50, 60, 160, 3_600, 3_700].map((atMs) => ({ atMs }));
  assert.deepEqual(clearOf(readings, [[60, 160]]).map(({ atMs }) => atMs), [50, 3_700], '1.5 s to notice, 20 times 100 ms to make up');
  assert.deepEqual(clearOf(readings, []), readings);
});

test('stalls add up, one that two have seen counts once, and none touches more than 21.5 s', () => {
  const endOf = (stalls) => 100_000 - clearMs(0, 100_000, stalls);
  assert.equal(endOf([[0, 100]]), 3_600);
  assert.equal(endOf([[0, 100], [200, 300]]), 5_600);
  assert.equal(endOf([[200, 300], [0, 100]]), 5_600, 'in any order');
  assert.equal(endOf([[0, 100], [0, 100]]), 3_600);
  assert.equal(endOf([[0, 100], [50, 150]]), 4_600);
  assert.equal(endOf([[0, 5_000]]), 26_500);
  assert.equal(endOf([[0, 100], [50_000, 50_100]]), 7_200);
  assert.equal(clearMs(2_000, 3_000, [[0, 100]]), 0);
});

const STRAIN = {
  clearShare: 0.2, isCalm: false, stalls: { pages: 4, bench: 1, worstMs: 312 }, load: [3, 9], busy: 1, stolen: 0, waiting: null,
};
const LIMIT = { readings: 100, p50: 45, p95: 150 };

test('a limit is broken by clear readings, kept by any, and not judged without enough', () => {
  const good = { count: 100, p50: 5, p95: 17 };
  const bad = { count: 400, p50: 60, p95: 170 };
  assert.equal(skewFault('sound', { all: bad, clear: good }, LIMIT, STRAIN), null);
  assert.equal(skewFault('sound', { all: good, clear: { ...good, count: 0 } }, LIMIT, STRAIN), null);
  assert.match(skewFault('sound', { all: bad, clear: bad }, LIMIT, STRAIN), /^sound: 60\.0 \/ 170\.0 ms in 400 readings without a stall, beyond 45 \/ 150$/);
  assert.match(skewFault('sound', { all: bad, clear: { ...good, p95: 151 } }, LIMIT, STRAIN), /beyond/);
  assert.match(skewFault('sound', { all: bad, clear: { ...good, count: 99 } }, LIMIT, STRAIN), /only 99 without a stall.*too busy.*load 3\.0 to 9\.0/);
  assert.match(skewFault('sound', { all: { ...good, count: 99 }, clear: { ...good, count: 99 } }, LIMIT, STRAIN), /too busy/);
});

test('a step may take as much longer as stalls lasted, and is not judged without enough clear time', () => {
  const step = { name: 'seek', viewer: 'A', ms: 5_000, clearMs: 5_000 };
  assert.equal(stepFault(step, 6_000, STRAIN), null);
  assert.equal(stepFault({ ...step, ms: 9_000 }, 6_000, STRAIN), null);
  assert.match(stepFault({ ...step, ms: 9_000, clearMs: 6_100 }, 6_000, STRAIN), /A after seek: in step after 9000 ms, 6100 of them/);
  assert.match(stepFault({ ...step, ms: Infinity, clearMs: 8_000 }, 6_000, STRAIN), /never in step, 8000/);
  assert.match(stepFault({ ...step, ms: Infinity, clearMs: 300 }, 6_000, STRAIN), /only 300 ms .*too busy/);
});

// A showing that began at 1000, of two viewers who are ahead by so many milliseconds, both by picture and by ear.
function showingOf(aheads, { stalls = [] } = {}) {
  const readingsOf = (aheadMs) => Array.from({ length: 200 }, (_, i) => {
    const atMs = 1_000 + i * 100;
    return { atMs, mediaTime: (i * 100 + aheadMs) / 1000, number: i };
  });
  const viewers = aheads.map((aheadMs, index) => {
    const readings = readingsOf(aheadMs);
    const name = 'AB'[index];
    return { name, engine: 'chromium', frames: readings, sound: readings, heard: readings, seeks: [], rates: [], waits: [], stalls, clockBoundMs: 1 };
  });
  return {
    viewers,
    truth: TRUTH,
    machine: { stalls: [], summary: () => ({ load: [1, 2], busy: 0.5, stolen: 0, waiting: 0.1 }) },
    recording: { boundMs: 0.2, garbled: 0 },
    events: viewers.map(({ name }) => ({ name: 'play', viewer: name, atMs: 1_000, untilMs: 21_000 })),
    settledIntervals: () => [[6_000, 21_000]],
    stallsOf: (viewer) => viewer.stalls,
  };
}

test('viewers are judged by picture and by ear, against the showing and against each other', () => {
  const judged = judge(showingOf([4, -6]), profiles.clean);
  for (const kind of ['skew', 'sound', 'heard']) {
    assert.equal(judged[kind].count, 300);
    assert.ok(Math.abs(judged[kind].max - 6) < 0.001);
  }
  assert.ok(Math.abs(judged.pairs.p50 - 10) < 0.001);
  assert.equal(judged.heardPairs.max, 0, 'each number came at the same time');
  assert.deepEqual(judged.viewers.map(({ name, heard }) => [name, Math.round(heard.p50)]), [['A', 4], ['B', 6]]);
  assert.deepEqual(judged.steps[1], { name: 'play', viewer: 'B', ms: 0, clearMs: 0, sound: { ms: 0, clearMs: 0 } });
  assert.equal(judged.strain.isCalm, true);
  assert.equal(judged.strain.clearShare, 1);
});

test('where pages stood still, their goals are not judged, and the report says why', () => {
  const results = [4, 60].map((aheadMs) => ({ name: 'clean', goal: profiles.clean.goal, judged: judge(showingOf([0, aheadMs]), profiles.clean) }));
  assert.match(report([results[0]]), /goal 5 \/ 17 met.*\n.*\n.*by ear.*goal 5 \/ 17 met/);
  assert.match(report([results[1]]), /goal 5 \/ 17 missed/);
  const judged = judge(showingOf([0, 60], { stalls: [[7_000, 7_200], [15_000, 15_100]] }), profiles.clean);
  assert.equal(judged.strain.isCalm, false);
  assert.equal(judged.clear.sound.count, 300 - 2 * (57 + 36));
  const text = report([{ name: 'clean', goal: profiles.clean.goal, judged }]);
  assert.match(text, /not judged: loaded/);
  assert.match(text, /LOADED; 38 % of the readings without a stall; pages stood still 4 times, the bench 0, 200\.0 ms at worst; load 1\.0 to 2\.0/);
  assert.doesNotMatch(text, /met|missed/);
  assert.equal(verdict({ p50: 5, p95: 18 }, profiles.clean.goal, { isCalm: true }), 'goal 5 / 17 missed');
});

test('a room records its seats sample beside sample, and leaves nothing behind', async () => {
  const room = await Room.open();
  const folder = await mkdtemp(path.join(tmpdir(), 'videosync-beeps-'));
  try {
    const apart = 337; // samples
    const sides = [recordingOf(2, [{ atMs: 500, kind: 9 }]), recordingOf(2, [{ atMs: 500 + apart / 48, kind: 9 }])];
    const both = Buffer.alloc(sides[0].length * 8);
    sides.forEach((side, seat) => side.forEach((value, i) => both.writeFloatLE(value, i * 8 + seat * 4)));
    const file = path.join(folder, 'both.raw');
    await writeFile(file, both);
    const stop = await room.record();
    const words = ['--playback', '--raw', '--no-remix', '--device=room', '--format=float32le', `--rate=${RATE_HZ}`, '--channels=2', '--channel-map=front-left,front-right', file];
    await promisify(execFile)('pacat', words, { env: { ...process.env, ...room.envOf(0) } });
    const { arrivals, channelOf } = await stop();
    const [left, right, rear] = [0, 1, 2].map((seat) => findBeeps(channelOf(seat), RATE_HZ).beeps);
    assert.deepEqual([left, right].map((beeps) => beeps.map(({ kind }) => kind)), [[9], [9]]);
    assert.ok(Math.abs(right[0].at - left[0].at - apart) <= 1, `${right[0].at - left[0].at} samples apart`);
    assert.equal(rear.length, 0);
    assert.ok(arrivals.length > 10);
  } finally {
    await room.close();
    await rm(folder, { recursive: true });
  }
  assert.deepEqual(pidsOf(room.mark), []);
});
