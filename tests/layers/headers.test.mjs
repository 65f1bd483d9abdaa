// Each header of ours compiles alone, so that including it never depends on what came before.
//
// The build has shown that already of every header that some source includes before anything else, as
// a source does its own header: the others are compiled here. All of them took two cores a minute.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { includesOf, sourceRoots } from './rules.mjs';
import { withoutComments } from './sources.mjs';
import { readTree, root } from './tree.mjs';

const compiler = process.env.VIDEOSYNC_CXX ?? 'c++';

// The compiler's complaint about a translation unit, or '' if it has none.
function complaintAbout(source) {
  return new Promise((resolve, reject) => {
    const flags = ['-std=c++23', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-I', root, '-x', 'c++', '-'];
    const child = spawn(compiler, flags, { stdio: ['pipe', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk) => (complaint += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0 ? '' : complaint || `exit code ${code}`));
    child.stdin.end(source);
  });
}

// What a source includes before it has said anything else; undefined where it says something.
function firstIncludeOf(text) {
  const [first] = withoutComments(text).split('\n').filter((line) => line.trim() !== '');
  return includesOf(first ?? '').find(({ quoted }) => quoted)?.name;
}

// What the build compiles of itself wherever tests run: these patterns are CMake's.
const compiled = () => [...readTree(sourceRoots, /\.cpp$/), ...readTree(['tests/unit'], /_test\.cpp$/)];

test('headers compile alone', async () => {
  const headers = readTree(sourceRoots, /\.h$/).map((file) => file.path);
  const shown = new Set(compiled().map(({ text }) => firstIncludeOf(text)));
  const waiting = headers.filter((header) => !shown.has(header));
  assert.ok(waiting.length < headers.length, `${headers.length} headers, and nobody includes one first`);
  const complaints = [];
  for (const header of waiting) {
    const complaint = await complaintAbout(`#include "${header}"\n`);
    if (complaint) complaints.push(`${header}:\n${complaint}`);
  }
  assert.equal(complaints.length, 0, `\n${complaints.join('\n')}`);
});

test('a header that needs another is found', async () => {
  assert.match(await complaintAbout('inline std::string name() { return {}; }\n'), /std/);
});

test('what comes first in a source is told from what comes after something', () => {
  assert.equal(firstIncludeOf('// Says.\n\n#include "core/base/a.h"\n#include <string>\n'), 'core/base/a.h');
  assert.equal(firstIncludeOf('#include <string>\n#include "core/base/a.h"\n'), undefined);
  assert.equal(firstIncludeOf('#define A 1\n#include "core/base/a.h"\n'), undefined);
  assert.equal(firstIncludeOf('/* Says\n#include "b.h" */\n#include "core/base/a.h"\n'), 'core/base/a.h');
  assert.equal(firstIncludeOf(''), undefined);
});
