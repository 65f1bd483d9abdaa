// Runs every committed input of every fuzzer through a build that counts lines, and writes into docs/FUZZING.md how many
// lines of the files that a fuzzer says it reads ("// Reads: ..." at its top) are reached.
//
// Usage: node deploy/fuzz-coverage.mjs BUILD     BUILD: of the preset "coverage", with fuzz_corpora in it
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const build = resolve(process.argv[2] ?? 'build/coverage');
const page = join(root, 'docs/FUZZING.md');
const [begin, end] = ['<!-- coverage: make fuzz-coverage -->\n', '<!-- end of coverage -->\n'];

function run(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30, cwd: build });
  if (error || status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? stderr}`);
  return stdout;
}

function filesBelow(folder, ending) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, ending);
    return entry.name.endsWith(ending) ? [path] : [];
  });
}

// The files named behind "// Reads:", over as many lines of the comment as end with a comma.
function readsOf(text) {
  const found = /^\/\/ Reads: ((?:.*,\n\/\/ )*.*)$/m.exec(text);
  if (!found) throw new Error('it does not say what it reads');
  return found[1].replaceAll(/\n\/\/ /g, ' ').split(/, */);
}

const fuzzers = readdirSync(join(root, 'tests/fuzz'))
  .filter((name) => name.endsWith('_fuzz.cpp'))
  .map((file) => {
    const name = file.replace(/\.cpp$/, '');
    const corpus = join(root, 'tests/fuzz/corpus', name);
    const sizes = readdirSync(corpus).map((input) => statSync(join(corpus, input)).size);
    return { name, corpus, sizes, reads: readsOf(readFileSync(join(root, 'tests/fuzz', file), 'utf8')) };
  });

for (const counts of filesBelow(build, '.gcda')) rmSync(counts);
for (const { name, corpus } of fuzzers) run(join(build, 'fuzz_corpora'), [name, corpus]);

// By file: line -> how often. A header's lines are counted in every source that includes it.
const counted = new Map();
for (const counts of filesBelow(build, '.gcda')) {
  for (const text of run('gcov', ['--json-format', '--stdout', counts]).split('\n').filter(Boolean)) {
    const { files, current_working_directory: from } = JSON.parse(text);
    for (const { file, lines } of files) {
      const path = relative(root, resolve(from, file));
      if (path.startsWith('..')) continue;
      const here = counted.get(path) ?? counted.set(path, new Map()).get(path);
      for (const { line_number: at, count } of lines) here.set(at, (here.get(at) ?? 0) + count);
    }
  }
}

const kilobytes = (sizes) => Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / 1000);
const rows = fuzzers.map(({ name, sizes, reads }) => {
  const told = reads.map((path) => {
    const lines = counted.get(path);
    if (!lines) throw new Error(`${name} says that it reads ${path}, of which nothing was counted`);
    const reached = [...lines.values()].filter((count) => count > 0).length;
    return `${path} ${reached}/${lines.size}`;
  });
  return `| ${name.replace(/_fuzz$/, '')} | ${sizes.length}, ${kilobytes(sizes)} KB | ${told.join('<br>')} |\n`;
});
const table = `| fuzzer | inputs | lines reached of those that there are |\n|---|---|---|\n${rows.join('')}`;

const text = readFileSync(page, 'utf8');
const [before, after] = [text.indexOf(begin), text.indexOf(end)];
if (before < 0 || after < 0) throw new Error(`${page} has no place for the table`);
writeFileSync(page, text.slice(0, before + begin.length) + table + text.slice(after));
process.stdout.write(table);
