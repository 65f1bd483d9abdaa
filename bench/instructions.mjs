// Instructions of our own code, counted by callgrind: for a broadcast and for a request of the whole
// server, and for each step of a command. They do not depend on what else the machine does, so a
// change of a few per cent is seen that no clock would show.
//
// node bench/instructions.mjs [--update]   compares with instructions.json, or writes it. Ends with 1
// where something has become dearer by more than `margin`. Counts of another compiler or standard
// library are not comparable: they are shown, and nothing is judged.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, runLoad, startServer } from './harness/servers.mjs';

const run = promisify(execFile);
const margin = 1.03;
const file = fileURLToPath(new URL('instructions.json', import.meta.url));
const valgrind = [
  '/usr/bin/valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', '--child-silent-after-fork=yes',
];
const plainFork = `LD_PRELOAD=${path.join(build, 'bench/libplain_fork.so')}`; // bench/preload
const collected = (output) => Number(/Collected : (\d+)/.exec(output)[1]);

// What `few` and `many` have in common, starting and ending, drops out of the difference.
async function each(count, few, many) {
  const [less, more] = [await count(few), await count(many)];
  return Math.round((more - less) / (many - few));
}

// The load decides how often; valgrind lacks openat2(2), so there are no pages and no media.
async function countServer(load) {
  const www = await mkdtemp(path.join(tmpdir(), 'videosync-bench-www-'));
  const server = await startServer('ours', { under: [plainFork, ...valgrind], extra: ['--www', www] });
  try {
    await load(server);
  } finally {
    await server.stop();
    await rm(www, { recursive: true });
  }
  return collected(server.output());
}

const broadcasts = (count) => countServer((server) => runLoad('viewer_load', {
  port: server.port, pid: server.pid, target: server.targets.broadcast, ours: true,
  members: 100, broadcasts: count, 'pause-ms': 0,
}));
const requests = (count) => countServer((server) => runLoad('http_load', {
  port: server.port, pid: server.pid, target: server.targets.validate,
  connections: 1, requests: count, seconds: 60, 'warm-up': 0,
}));
const step = (name) => async (count) => {
  const [program, ...options] = [...valgrind, path.join(build, 'bench/message_path'), '--step', name, '--messages', String(count)];
  return collected((await run(program, options)).stderr);
};

async function measure() {
  const counts = {};
  counts['broadcast to 100 members'] = await each(broadcasts, 100, 400);
  counts['small request'] = await each(requests, 500, 2500);
  for (const name of ['unframe', 'decode', 'decide', 'encode', 'make']) {
    counts[`step ${name}`] = await each(step(name), 1000, 3000);
  }
  return counts;
}

function compare(found, known) {
  let isDearer = false;
  for (const [name, count] of Object.entries(found)) {
    const before = known?.[name];
    const ratio = before ? count / before : NaN;
    isDearer ||= ratio > margin;
    const verdict = before ? `${before.toLocaleString('en-US').padStart(10)} known, ${ratio.toFixed(3)} x${ratio > margin ? '  DEARER' : ''}` : '';
    console.log(`${name.padEnd(26)} ${count.toLocaleString('en-US').padStart(10)} instructions${verdict ? `  ${verdict}` : ''}`);
  }
  return isDearer;
}

const compiler = (await run('g++', ['--version'])).stdout.split('\n')[0];
const found = await measure();
const known = await readFile(file, 'utf8').then(JSON.parse, () => null);
if (process.argv.includes('--update')) {
  compare(found, null);
  await writeFile(file, `${JSON.stringify({ compiler, counts: found }, null, 2)}\n`);
} else if (known?.compiler !== compiler) {
  compare(found, null);
  console.log(`Not judged: instructions.json is of ${known?.compiler ?? 'nothing yet'}, this is ${compiler}`);
} else if (compare(found, known.counts)) {
  console.log(`Dearer by more than ${Math.round((margin - 1) * 100)} %. Where that is meant: node bench/instructions.mjs --update`);
  process.exitCode = 1;
}
