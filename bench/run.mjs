// The benchmarks' one entrance: node bench/run.mjs [CASE...] [--quick] [--rounds N] ...
// README.md says what each case shows and how to read it.
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import crowd from './cases/crowd.mjs';
import fanout from './cases/fanout.mjs';
import http from './cases/http.mjs';
import idle from './cases/idle.mjs';
import join from './cases/join.mjs';
import mixed from './cases/mixed.mjs';
import slow from './cases/slow.mjs';
import strain from './cases/strain.mjs';
import video from './cases/video.mjs';
import workers from './cases/workers.mjs';
import { goalsText, resultChart, resultText } from './harness/report.mjs';
import { runCase } from './harness/rounds.mjs';
import { hasOwnCore, subjects } from './harness/servers.mjs';

const cases = [fanout, crowd, idle, join, http, video, strain, mixed, slow, workers];
const defaultResults = fileURLToPath(new URL('../build/bench-results', import.meta.url));

const usage = `Usage: node bench/run.mjs [CASE...] [options]
Cases: ${cases.map(({ name }) => name).join(', ')}; none: all of them.
  --against BUILD    ours beside the server of this build's folder, in turn
  --quick            fewer sizes, shorter runs, 2 rounds
  --rounds N         interleaved rounds (5)
  --seconds S        of each run
  --sizes A,B        members, connections or bytes, where the case has sizes
  --results DIR      where figures and charts go (build/bench-results)
  --subjects A,B     only these: ${Object.keys(subjects).join(', ')}
`;

function readArguments() {
  const text = { type: 'string' };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, help: { type: 'boolean' }, against: text, rounds: text, seconds: text, sizes: text, subjects: text, results: text },
  });
  const unknown = positionals.filter((name) => !cases.some((one) => one.name === name));
  if (unknown.length) throw new Error(`no such case: ${unknown.join(', ')}`);
  const number = (value) => (value === undefined ? undefined : Number(value));
  return {
    help: values.help,
    results: path.resolve(values.results ?? defaultResults),
    cases: cases.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    options: {
      against: values.against && path.resolve(values.against),
      quick: values.quick ?? false,
      rounds: number(values.rounds) ?? (values.quick ? 2 : 5),
      seconds: number(values.seconds),
      sizes: values.sizes?.split(',').map(Number),
      subjects: values.subjects?.split(','),
    },
  };
}

const machine = { kernel: release(), cores: cpus().length, model: cpus()[0].model, node: process.version };

// Progress is one line that is written over, where somebody watches.
function say(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else process.stderr.write(`${text}\n`);
}

async function main() {
  const { help, results, cases: chosen, options } = readArguments();
  if (help) return void process.stdout.write(usage);
  await mkdir(results, { recursive: true });
  if (!hasOwnCore) console.log('One core: the server and the load share it. Compare ratios only.');
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => ending.abort());
  const goals = [];
  for (const definition of chosen) {
    const result = await runCase(definition, { ...options, signal: ending.signal }, say);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(resultText(result));
    goals.push(...result.goals);
    const file = path.join(results, definition.name);
    await writeFile(`${file}.json`, `${JSON.stringify({ ...result, machine, options }, null, 1)}\n`);
    await writeFile(`${file}.svg`, resultChart(result));
  }
  console.log(`\n${goalsText(goals)}\nFigures and charts: ${path.relative(process.cwd(), results)}/`);
}

await main().catch((error) => {
  console.error(`\nbench: ${error.message}`);
  process.exitCode = 1;
});
