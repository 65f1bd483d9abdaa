// What a soak makes of figures and states that are known, and that it runs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { HeldState, digestOf, disagreements } from '../../bench/soak/held_state.mjs';
import { FIGURES, judge, judgeFigures, warmUpMs } from '../../bench/soak/judge.mjs';
import { progressLine, summaryText } from '../../bench/soak/report.mjs';
import { fitSlope, mediansOf, studentOf } from '../../bench/soak/slope.mjs';
import { StoreWatch } from '../../bench/soak/store_watch.mjs';
import { projectRoot, serverBinary } from '../support/server.mjs';

const HOUR_MS = 3_600_000;
const MIB = [{ name: 'rssMib', title: 'memory', growthMax: 4 }];

// Normal and independent, the same at each run.
function makeNoise(seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
}

// y = 5 + slope * x + noise that remembers `memory` of its last value, at x = 0 to count - 1.
function line(count, slope, noise, memory = 0) {
  let last = 0;
  return Array.from({ length: count }, (_, x) => {
    last = memory * last + noise();
    return { x, y: 5 + slope * x + last };
  });
}

// The share of lines whose interval has their slope in it.
function coverage(memory, trials = 1_000) {
  const noise = makeNoise(7);
  const hits = Array.from({ length: trials }, () => fitSlope(line(24, 0.3, noise, memory))).filter(({ low, high }) => low <= 0.3 && 0.3 <= high);
  return hits.length / trials;
}

describe('the slope', () => {
  test('Student\'s quantile is that of the tables', () => {
    for (const [degrees, quantile] of [[4, 2.776], [5, 2.571], [10, 2.228], [22, 2.074], [60, 2.0]]) {
      assert.ok(Math.abs(studentOf(degrees) - quantile) < 0.005, `${degrees}: ${studentOf(degrees)}`);
    }
    assert.ok(Math.abs(studentOf(2) - 4.303) < 0.13, `2: ${studentOf(2)}`);
  });

  test('of a line without noise it is the line\'s, to both sides', () => {
    const { slope, low, high, level } = fitSlope(line(24, 0.25, () => 0));
    for (const value of [slope, low, high]) assert.ok(Math.abs(value - 0.25) < 1e-12, `${value}`);
    assert.equal(level, 5 + 0.25 * 11.5);
  });

  test('is that of a textbook (Anscombe\'s first quartet): 0.500, interval 0.233 to 0.767', () => {
    const ys = [[4, 4.26], [5, 5.68], [6, 7.24], [7, 4.82], [8, 6.95], [9, 8.81], [10, 8.04], [11, 8.33], [12, 10.84], [13, 7.58], [14, 9.96]];
    const { slope, low, high } = fitSlope(ys.map(([x, y]) => ({ x, y })));
    assert.deepEqual([slope, low, high].map((value) => value.toFixed(3)), ['0.500', '0.233', '0.767']);
  });

  // Without what is said there of the correlation: 0.94, 0.84 and 0.67.
  for (const [memory, least] of [[0, 0.94], [0.3, 0.93], [0.6, 0.9]]) {
    test(`its interval has the true one where each point has ${memory} of the one before`, () => {
      const share = coverage(memory);
      assert.ok(share > least && share < 0.99, `${share}`);
    });
  }

  test('of too few points nothing is known', () => {
    const { low, high } = fitSlope([{ x: 0, y: 1 }, { x: 1, y: 1 }, { x: 2, y: 1 }]);
    assert.deepEqual([low, high], [-Infinity, Infinity]);
  });

  test('points are medians of spans: what sticks out for a moment is not seen, nor what lies outside', () => {
    const samples = Array.from({ length: 60 }, (_, x) => ({ x, y: x % 6 === 0 ? 1_000 : 7 }));
    assert.deepEqual(mediansOf(samples, 12, 60, 4), [18, 30, 42, 54].map((x) => ({ x, y: 7 })));
    assert.deepEqual(mediansOf([{ x: 1, y: 3 }, { x: 9, y: 5 }], 0, 10, 5), [{ x: 1, y: 3 }, { x: 9, y: 5 }], 'spans without a sample have no point');
  });
});

// Once a second for an hour: growth over that hour, on noise of half a MiB.
function memoryOf(growthMib, { warmUpMib = 0 } = {}) {
  const noise = makeNoise(3);
  return Array.from({ length: 3_600 }, (_, second) => ({
    atMs: second * 1_000,
    rssMib: 70 + (growthMib * second) / 3_600 + noise() / 2 - warmUpMib * Math.exp(-second / 60),
  }));
}

describe('the judgement', () => {
  test('memory that stays is flat, and so is what took its size in the first minutes', () => {
    for (const samples of [memoryOf(0), memoryOf(0, { warmUpMib: 50 }), memoryOf(-20)]) {
      assert.equal(judgeFigures(samples, HOUR_MS, MIB)[0].isFlat, true);
    }
  });

  test('memory that grows by 6 MiB an hour is not, and its growth is told', () => {
    const [{ isFlat, growth, low, high, level }] = judgeFigures(memoryOf(6), HOUR_MS, MIB);
    assert.equal(isFlat, false);
    const expected = 6 * (1 - warmUpMs(HOUR_MS) / HOUR_MS);
    assert.ok(low <= expected && expected <= high && Math.abs(growth - expected) < 0.3, `${low} ${growth} ${high}`);
    assert.ok(Math.abs(level - 73.5) < 0.2);
  });

  test('what is too noisy to say is not shown to be flat', () => {
    const noise = makeNoise(5);
    const samples = Array.from({ length: 180 }, (_, second) => ({ atMs: second * 1_000, rssMib: 70 + 40 * noise() }));
    assert.equal(judgeFigures(samples, 180_000, MIB)[0].isFlat, false);
  });

  test('what was never sampled is not flat either', () => {
    assert.equal(judgeFigures(memoryOf(0), HOUR_MS, [{ name: 'nothing', title: 'nothing', growthMax: 1 }])[0].isFlat, false);
  });

  test('the first ten minutes of an hour are left out, of a short run its first third', () => {
    assert.deepEqual([warmUpMs(HOUR_MS), warmUpMs(180_000)], [600_000, 60_000]);
  });

  const flat = [{ title: 'memory', isFlat: true, high: 1, growthMax: 4 }];
  test('it is passed where all is flat, nothing was wrong, and everything has happened', () => {
    assert.deepEqual(judge({ figures: flat, faults: [], counts: { joins: 1 }, required: ['joins'] }), { passed: true, faults: [] });
  });

  for (const [what, words, pattern] of [
    ['something grows', { figures: [{ title: 'memory', isFlat: false, high: 9.87, growthMax: 4 }] }, /not shown to be flat: memory may have grown by 9\.9, at most 4/],
    ['a state was lost', { faults: ['3 viewers hold another'] }, /^3 viewers/],
    ['something never happened', { counts: {} }, /nothing was seen of: joins/],
  ]) {
    test(`it is failed where ${what}`, () => {
      const { passed, faults } = judge({ figures: flat, faults: [], counts: { joins: 1 }, required: ['joins'], ...words });
      assert.equal(passed, false);
      assert.match(faults.join(), pattern);
    });
  }

  test('is told with every figure, and the faults', () => {
    const verdict = { passed: false, faults: Array.from({ length: 25 }, (_, i) => `fault ${i}`) };
    const figures = judgeFigures(memoryOf(6), HOUR_MS, MIB);
    const text = summaryText({ figures, counts: { joins: 1_234 }, verdict, totalMs: HOUR_MS, judgedMs: 3_000_000, processor: { own: 1, children: 2 } });
    assert.match(text, /^ {2}memory +73\.\d +[45]\.\d\d +\d\.\d\d to \d\.\d\d +4 +NOT SHOWN$/m);
    assert.match(text, /joins 1,234/);
    assert.match(text, /fault: fault 19\nand 5 more\nFAILED$/);
    const row = progressLine({ atMs: 61_000, present: 5_000, sample: { rssMib: 70.25, descriptors: 5_100, threads: 6, children: 10 }, counts: { joins: 7 }, faults: 0 });
    assert.match(row, /^01:01 {2}5,000 viewers {2}70\.3 MiB {2}5100 fds .* 7 joins .* 0 faults$/);
    assert.equal(row.split('\n').length, 1);
  });
});

const state = (epoch, seq, position = 0) => ({ epoch, seq, playing: false, position, rate: 1, atMs: 5, video: 'film', by: 'm1', cause: 'seek' });

describe('what viewers hold', () => {
  test('newer states are taken, the same once more as well', () => {
    const held = new HeldState();
    assert.deepEqual([held.text, held.digest], ['', '']);
    for (const next of [state(1, 0), state(1, 1), state(1, 1), state(1, 5), state(2, 1)]) assert.equal(held.take(next), null);
    assert.deepEqual([held.text, held.digest], ['2.1', digestOf(state(2, 1))]);
  });

  test('one that goes back is a fault, and is not taken', () => {
    const held = new HeldState();
    held.take(state(2, 3));
    assert.match(held.take(state(2, 2)), /went back from 2\.3 to 2\.2/);
    assert.match(held.take(state(1, 9)), /went back from 2\.3 to 1\.9/);
    assert.equal(held.text, '2.3');
  });

  test('one and the same that says two things is a fault', () => {
    const held = new HeldState();
    held.take(state(2, 3, 10));
    assert.match(held.take(state(2, 3, 11)), /2\.3 says two things/);
  });

  test('all agree, or who does not is told', () => {
    const expected = new Map([['one', 'a'], ['two', 'b']]);
    assert.deepEqual(disagreements(expected, [['one', 'a', 3], ['two', 'b', 2], ['one', 'a', 4]], 9), []);
    assert.match(disagreements(expected, [['one', 'a', 3], ['one', 'z', 1], ['two', 'b', 2]], 6).join(), /^1 viewers of one hold z, it has a$/);
    assert.match(disagreements(expected, [['one', 'a', 3]], 4).join(), /3 viewers tell what they hold, there are to be 4/);
    assert.match(disagreements(expected, [['gone', 'a', 1]], 1).join(), /it has ended/);
  });
});

test('Redis was away from its end until some seconds after it is back', () => {
  const store = new StoreWatch();
  assert.equal(store.wasAwaySince(0), false);
  store.onAway();
  assert.equal(store.wasAwaySince(1_000_000), true);
  store.onBack(10_000);
  assert.deepEqual([store.wasAwaySince(9_000), store.wasAwaySince(15_999), store.wasAwaySince(16_000)], [true, true, false]);
});

// How flat it is nobody can say after seconds; but all processes do their part, and nothing is wrong.
test('a short one of few viewers runs to its end, and no state is lost', async (t) => {
  const results = await mkdtemp(path.join(tmpdir(), 'videosync-soak-test-'));
  t.after(() => rm(results, { recursive: true, force: true }));
  const args = ['bench/soak/main.mjs', '--minutes', '0.15', '--viewers', '100', '--processes', '2', '--results', results];
  const { stdout, code } = await new Promise((resolve) => {
    execFile('node', args, { cwd: projectRoot, env: { ...process.env, VIDEOSYNC_BINARY: serverBinary() } }, (error, out, err) => resolve({ stdout: out + err, code: error?.code ?? 0 }));
  });
  assert.ok(code === 0 || code === 1, stdout);
  const { verdict, samples, counts, figures } = JSON.parse(await readFile(path.join(results, 'samples.json'), 'utf8'));
  assert.deepEqual(verdict.faults.filter((fault) => !/^not shown|^nothing was seen/.test(fault)), [], stdout);
  for (const { name } of FIGURES) assert.ok(samples.some((sample) => sample[name] > 0), name);
  for (const name of ['joins', 'states', 'lost', 'seeks', 'downloads', 'redis restarts', 'quiet points']) assert.ok(counts[name] > 0, `${name}: ${JSON.stringify(counts)}`);
  assert.equal(figures.length, FIGURES.length);
});

for (const [args, message] of [[['--viewers', 'x'], /--viewers wants a whole number above 0/], [['--minutes', '0'], /--minutes wants a number above 0/]]) {
  test(`${args.join(' ')}: said before anything is started`, async () => {
    const { code, err } = await new Promise((resolve) => {
      execFile('node', ['bench/soak/main.mjs', ...args], { cwd: projectRoot }, (error, _, text) => resolve({ code: error?.code, err: text }));
    });
    assert.equal(code, 2);
    assert.match(err, message);
  });
}
