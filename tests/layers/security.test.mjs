// docs/SECURITY-MODEL.md: every limit that it claims is reached by a test that is there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NAME = /tests\/[\w/]+(?:\.test\.mjs|_test\.cpp|_fuzz\.cpp)/;

// Faults of the page's text, as lines: what it names and nobody has, and limits that name nothing.
export function faultsOf(text, isThere) {
  const named = [...new Set(text.match(new RegExp(NAME, 'g')) ?? [])];
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| cannot'));
  return [
    ...named.filter((name) => !isThere(name)).map((name) => `${name} is not there`),
    ...rows.filter((row) => !NAME.test(row.slice(row.lastIndexOf('|', row.length - 2)))).map((row) => `no test: ${row}`),
  ];
}

test('each limit on the page about security names a test, which is there', () => {
  const text = readFileSync(path.join(root, 'docs/SECURITY-MODEL.md'), 'utf8');
  assert.ok((text.match(/^\| cannot/gm) ?? []).length >= 6, 'the page has a table for each attacker');
  assert.deepEqual(faultsOf(text, (name) => existsSync(path.join(root, name))), []);
});

test('the test of it notices what is missing', () => {
  const page = '| cannot | test |\n|---|---|\n| do this | tests/e2e/a.test.mjs |\n| do that | none |\n';
  assert.deepEqual(faultsOf(page, () => true), ['no test: | do that | none |']);
  assert.deepEqual(faultsOf('| x | tests/unit/a/b_test.cpp |', () => false), ['tests/unit/a/b_test.cpp is not there']);
});
