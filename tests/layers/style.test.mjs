// What docs/ARCHITECTURE.md says of files: none is too long, and a header opens with its contract.
import assert from 'node:assert/strict';
import test from 'node:test';
import { sourceRoots } from './rules.mjs';
import { readTree } from './tree.mjs';

const linesMax = 600;

const linesOf = (text) => text.split('\n');

// Faults of one file, as text that names file and line.
function faultsOf({ path, text }) {
  const faults = [];
  const lines = text.split('\n').length - 1;
  if (lines > linesMax) faults.push(`${path}:${lines}: longer than ${linesMax} lines: split it`);
  if (path.endsWith('.h')) {
    if (!text.startsWith('// ')) faults.push(`${path}:1: a header begins with what it is for`);
    if (!/^#pragma once$/m.test(text)) faults.push(`${path}:1: no #pragma once`);
  }
  // Whoever includes that one compiles the whole formatter once more: seconds for each source.
  if (/include <fmt\/format\.h>/.test(text) && !/fmt::(join|format_int|memory_buffer|format_to_n)\b/.test(text)) {
    faults.push(`${path}: <fmt/core.h> has all that it needs of <fmt/format.h>`);
  }
  // ctest runs a file's tests by the name of its suite: others would not be run at all.
  const [, noun] = /^tests\/unit\/.*\/(\w+)_test\.cpp$/.exec(path) ?? [];
  for (const [, suite] of text.matchAll(/^(?:Test|TestSuite)\((\w+)/gm)) {
    if (noun && suite !== noun) faults.push(`${path}: the suite ${suite} is not named as its file`);
  }
  // A log is written by a thread of its own: what it is to say may come a moment later.
  if (path.startsWith('tests/e2e/')) {
    linesOf(text).forEach((line, index) => {
      if (/assert\.match\(\w*\.?stderr\(\)/.test(line)) faults.push(`${path}:${index + 1}: wait for it: untilLogged()`);
    });
  }
  return faults;
}

test('files are short and headers say what they are for', () => {
  const files = [
    ...readTree([...sourceRoots, 'bench', 'tests'], /\.(h|cpp)$/),
    ...readTree(['www', 'tests', 'bench'], /\.(js|mjs|css|html)$/),
  ];
  const faults = files.flatMap(faultsOf);
  assert.equal(faults.length, 0, `\n${faults.join('\n')}\n`);
});

test('planted faults are found', () => {
  assert.deepEqual(faultsOf({ path: 'server/a.cpp', text: 'int x;\n'.repeat(linesMax) }), []);
  assert.equal(faultsOf({ path: 'server/a.cpp', text: 'int x;\n'.repeat(linesMax + 1) }).length, 1);
  assert.equal(faultsOf({ path: 'tests/e2e/a.mjs', text: 'assert.match(server.stderr(), /a/);\n' }).length, 1);
  assert.equal(faultsOf({ path: 'tests/unit/core/a_test.cpp', text: 'Test(b, is_run) {\n}\n' }).length, 1);
  assert.equal(faultsOf({ path: 'tests/unit/core/a_test.cpp', text: 'Test(a, is_run) {\n}\n' }).length, 0);
  assert.equal(faultsOf({ path: 'server/a.h', text: '#include <vector>\n' }).length, 2);
  assert.equal(faultsOf({ path: 'server/a.cpp', text: '#include <fmt/format.h>\nfmt::format("");\n' }).length, 1);
  assert.equal(faultsOf({ path: 'server/a.cpp', text: '#include <fmt/format.h>\nfmt::join(a, b);\n' }).length, 0);
});
