// What `node bench/run.mjs` is asked for, checked as a whole before anything is measured: what it
// cannot do ends it with a message, not with a table that lacks something.
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { otherBuild, planOf } from './rounds.mjs';
import { subjects } from './servers.mjs';

const defaultResults = fileURLToPath(new URL('../../build/bench-results', import.meta.url));
const names = (list) => list.join(', ');

export const usage = (cases) => `Usage: node bench/run.mjs [CASE...] [options]
Cases: ${names(cases.map(({ name }) => name))}; none: all of them.
  --against BUILD    ours beside the server of this build's folder, in turn
  --quick            fewer sizes, shorter runs, 2 rounds
  --rounds N         interleaved rounds (5)
  --seconds S        of each run
  --sizes A,B        members, connections or bytes, where the case has sizes
  --results DIR      where figures and charts go (build/bench-results)
  --subjects A,B     only these: ${names(Object.keys(subjects))}
`;

const flags = {
  ...Object.fromEntries(['against', 'rounds', 'seconds', 'sizes', 'subjects', 'results'].map((name) => [name, { type: 'string' }])),
  ...Object.fromEntries(['quick', 'help'].map((name) => [name, { type: 'boolean' }])),
};

function wholeNumber(flag, text) {
  if (!/^0*[1-9]\d*$/.test(text)) throw new Error(`--${flag} wants whole numbers above 0, not "${text}"`);
  return Number(text);
}

function seconds(text) {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new Error(`--seconds wants a number above 0, not "${text}"`);
  return value;
}

function chooseCases(cases, wanted) {
  const unknown = wanted.filter((name) => !cases.some((one) => one.name === name));
  if (unknown.length) throw new Error(`no such case: ${names(unknown)}; there are ${names(cases.map(({ name }) => name))}`);
  return cases.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
}

// The folder of a build whose server can be run.
function buildFolder(text) {
  const folder = path.resolve(text);
  const server = path.join(folder, 'videosync');
  try {
    accessSync(server, constants.X_OK);
    if (statSync(server).isFile()) return folder;
  } catch {
    // What it is instead does not matter.
  }
  throw new Error(`--against wants the folder of a build with its server in it; ${server} is no program`);
}

function chooseSubjects(text, chosen, options) {
  const wanted = text.split(',');
  const possible = [...new Set(chosen.flatMap((one) => planOf(one, options)).map(({ subject }) => subject))];
  if (wanted.includes(otherBuild) && !options.against) throw new Error(`--subjects: "${otherBuild}" needs --against BUILD`);
  const unknown = wanted.filter((name) => !possible.includes(name));
  if (unknown.length) {
    throw new Error(`--subjects: not measured here: ${names(unknown.map((name) => `"${name}"`))}; there are ${names(possible)}`);
  }
  return wanted;
}

// {help, results, cases, options}: those of `cases` that are to run, and what runCase takes.
export function readArguments(cases, args = process.argv.slice(2)) {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: flags });
  const chosen = chooseCases(cases, positionals);
  const options = {
    against: values.against === undefined ? undefined : buildFolder(values.against),
    quick: values.quick ?? false,
    rounds: values.rounds === undefined ? (values.quick ? 2 : 5) : wholeNumber('rounds', values.rounds),
    seconds: values.seconds === undefined ? undefined : seconds(values.seconds),
    sizes: values.sizes?.split(',').map((size) => wholeNumber('sizes', size)),
  };
  if (values.subjects !== undefined) options.subjects = chooseSubjects(values.subjects, chosen, options);
  return { help: values.help ?? false, results: path.resolve(values.results ?? defaultResults), cases: chosen, options };
}
