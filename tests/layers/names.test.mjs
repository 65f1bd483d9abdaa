// What comments and documents call a file is its name.
import assert from 'node:assert/strict';
import test from 'node:test';
import { findStaleNames } from './names.mjs';
import { sourceRoots } from './rules.mjs';
import { readTree } from './tree.mjs';

test('every file that is named is there', () => {
  const files = readTree([...sourceRoots, 'www', 'bench', 'tests', 'deploy', 'docs'], /\.(h|cpp|js|mjs|md)$/);
  assert.ok(files.length > 0, 'no files found');
  const faults = findStaleNames(files, files.map(({ path }) => path));
  assert.equal(faults.length, 0, `\n${faults.join('\n')}\n`);
});

const known = ['core/base/box.h', 'core/base/box.cpp', 'www/sync/clock.mjs'];
const faultsOf = (text, path = 'server/a.cpp') => findStaleNames([{ path, text }], known);

test('a file that is gone is found, in a comment as in a document', () => {
  assert.deepEqual(faultsOf('#include "x.h"\n// See core/base/box.h and\n// crate.cpp.\n'), ['server/a.cpp:3: there is no crate.cpp']);
  assert.deepEqual(faultsOf('/* core/box.h */ int n;\n'), ['server/a.cpp:1: there is no core/box.h']);
  assert.deepEqual(faultsOf('The `ticks.mjs`\n', 'docs/A.md'), ['docs/A.md:1: there is no ticks.mjs']);
});

test('names in code, endings of paths, patterns and the system\'s headers pass', () => {
  assert.deepEqual(faultsOf('open("gone.cpp");\n// box.cpp, base/box.h, sync/clock.mjs, *_test.cpp, linux/mman.h\n'), []);
});
