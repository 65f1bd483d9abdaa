// The benchmarks' one entrance: node bench/run.mjs [CASE...] [--quick] [--rounds N] ...
// README.md says what each case shows and how to read it.
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import path from 'node:path';
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
import { readArguments, usage } from './harness/arguments.mjs';
import { goalsText, resultChart, resultText } from './harness/report.mjs';
import { runCase } from './harness/rounds.mjs';
import { hasOwnCore } from './harness/servers.mjs';

const cases = [fanout, crowd, idle, join, http, video, strain, mixed, slow, workers];
const machine = { kernel: release(), cores: cpus().length, model: cpus()[0].model, node: process.version };

// Progress is one line that is written over, where somebody watches.
function say(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else process.stderr.write(`${text}\n`);
}

async function main() {
  const { help, results, cases: chosen, options } = readArguments(cases);
  if (help) return void process.stdout.write(usage(cases));
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
