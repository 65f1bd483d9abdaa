// The benchmarks work: a small run of the real thing, and what is made of its figures.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { readArguments } from '../../bench/harness/arguments.mjs';
import { judge } from '../../bench/harness/goals.mjs';
import { goalsText } from '../../bench/harness/report.mjs';
import { median, pairRatios } from '../../bench/harness/statistics.mjs';
import { projectRoot, serverBinary } from '../support/server.mjs';

const run = promisify(execFile);

// A tiny run of one case: its result, and what was printed.
async function bench(name, ...args) {
  const results = await mkdtemp(path.join(tmpdir(), 'videosync-bench-test-'));
  try {
    const { stdout } = await run('node', ['bench/run.mjs', name, '--rounds', '1', '--results', results, ...args], {
      cwd: projectRoot,
      timeout: 60_000,
      env: { ...process.env, VIDEOSYNC_BENCH_BUILD: path.dirname(serverBinary()) },
    });
    const result = JSON.parse(await readFile(path.join(results, `${name}.json`), 'utf8'));
    const chart = await readFile(path.join(results, `${name}.svg`), 'utf8');
    return { stdout, result, chart };
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

test('a fan-out is measured, of ours and of the floors', async () => {
  const subjects = ['ours', 'send loop', 'send ring'];
  const { stdout, result, chart } = await bench('fanout', '--sizes', '20', '--seconds', '0.2', '--subjects', subjects.join());
  assert.deepEqual(result.absent, {});
  for (const subject of subjects) {
    const [figures] = result.measured['20 members'][subject];
    assert.equal(figures.members, 20);
    assert.equal(figures.deliveries, figures.broadcasts * 20);
    assert.ok(figures.broadcasts > 0 && figures.cpuUs > 0 && figures.lastP99Us >= figures.firstP50Us, subject);
    assert.match(stdout, new RegExp(`^ +${subject} +\\d`, 'm'));
    assert.ok(chart.includes(`>${subject}</text>`));
  }
  assert.equal(result.measured['20 members']['send ring'][0].frameBytes, 150);
});

test('small requests and video ranges are measured, of ours and of the floors', async () => {
  const { result: http } = await bench('http', '--seconds', '0.2', '--subjects', 'ours,answer loop');
  const { result: video } = await bench('video', '--seconds', '0.2', '--sizes', '65536', '--subjects', 'ours,file loop');
  for (const result of [http, video]) {
    assert.deepEqual(result.absent, {});
    for (const subjects of Object.values(result.measured)) {
      for (const [figures] of Object.values(subjects)) {
        assert.ok(figures.requests > 0 && figures.cpuUs > 0 && figures.maxUs >= figures.p50Us, JSON.stringify(figures));
      }
    }
  }
  const [ranges] = video.measured['64 KiB, 16 connections'].ours;
  assert.ok(ranges.bytesPerSecond > 0 && ranges.cpuSecondsPerGb > 0);
});

test('broadcasts are measured alone and beside video', async () => {
  const { result } = await bench('mixed', '--seconds', '0.3', '--subjects', 'ours');
  assert.deepEqual(result.absent, {});
  assert.ok(result.measured['beside video'].ours[0].videoBytesPerSecond > 0);
  assert.equal(result.measured.alone.ours[0].deliveries, 3 * 1000);
  const [goal] = result.goals;
  assert.ok(['met', 'missed'].includes(goal.state) && goal.measured.median > 0);
});

const oneCase = (name, ...subjects) => ({ name, plan: () => subjects.map((subject) => ({ variant: '', subject })) });
const someCases = [oneCase('fanout', 'ours', 'ws'), oneCase('http', 'ours', 'nginx')];

for (const [args, message] of [
  [['idle'], 'no such case: idle; there are fanout, http'],
  [['--subjects', 'ours,gorila'], '--subjects: not measured here: "gorila"; there are ours, ws, nginx'],
  [['fanout', '--subjects', 'nginx'], '--subjects: not measured here: "nginx"; there are ours, ws'],
  [['--subjects', 'ours,other build'], '--subjects: "other build" needs --against BUILD'],
  [['--subjects', 'no', '--against', path.dirname(serverBinary())], '--subjects: not measured here: "no"; there are ours, other build, ws, nginx'],
  [['--against', 'docs'], `--against wants the folder of a build with its server in it; ${path.join(projectRoot, 'docs/videosync')} is no program`],
  [['--against', ''], `--against wants the folder of a build with its server in it; ${path.join(projectRoot, 'videosync')} is no program`],
  [['--sizes', '20,many'], '--sizes wants whole numbers above 0, not "many"'],
  [['--sizes', ''], '--sizes wants whole numbers above 0, not ""'],
  [['--rounds', '0'], '--rounds wants whole numbers above 0, not "0"'],
  [['--seconds', 'x'], '--seconds wants a number above 0, not "x"'],
]) {
  test(`${args.join(' ')}: what cannot be done is said before anything is measured`, () => {
    const before = process.cwd();
    process.chdir(projectRoot);
    try {
      assert.throws(() => readArguments(someCases, args), { message });
    } finally {
      process.chdir(before);
    }
  });
}

test('what can be done is what is run', async () => {
  const against = path.dirname(serverBinary());
  const { cases, options } = readArguments(someCases,
    ['http', '--against', against, '--subjects', 'ours,other build', '--sizes', '20,300', '--rounds', '3', '--seconds', '0.5']);
  assert.deepEqual(cases.map(({ name }) => name), ['http']);
  assert.deepEqual(options, { against, quick: false, rounds: 3, seconds: 0.5, sizes: [20, 300], subjects: ['ours', 'other build'] });
  assert.equal(readArguments(someCases, ['--quick']).options.rounds, 2);
  await assert.rejects(bench('fanout', '--subjects', 'nobody'), ({ code, stdout, stderr }) =>
    code === 1 && stdout === '' && /^\nbench: --subjects: not measured here: "nobody"; there are ours, /.test(stderr));
});

test('ratios are formed within rounds', () => {
  assert.deepEqual(pairRatios([2, 30], [1, 10]), [2, 3]);
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test('a goal against several is judged by the one that is nearest to missing it', () => {
  const measured = { ours: [10, 10], slow: [100, 100], quick: [8, 9] };
  const rounds = (_, subject) => measured[subject] ?? [];
  const goal = { name: 'n', figure: 'f', of: { subject: 'ours', variant: 'v' }, to: { subjects: ['slow', 'quick', 'gone'] }, max: 1 };
  const judged = judge(goal, rounds);
  assert.equal(judged.state, 'missed');
  assert.equal(judged.against, 'quick');
  assert.deepEqual(judged.absent, ['gone']);
  assert.match(goalsText([judged]), /missed +n +at most 1 x +1\.18 x \(1\.11-1\.25\) \(quick\); without gone/);
  assert.equal(judge({ ...goal, max: undefined, min: 1.1 }, rounds).against, 'slow');
  assert.equal(judge({ ...goal, of: { subject: 'gone', variant: 'v' } }, rounds).state, 'not measured');
  assert.equal(judge({ ...goal, to: undefined, max: 10 }, rounds).state, 'met');
});
