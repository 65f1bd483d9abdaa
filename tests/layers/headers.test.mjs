// Each header of ours compiles alone, so that including it never depends on what came before.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import test from 'node:test';
import { sourceRoots } from './rules.mjs';
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

test('headers compile alone', async () => {
  const headers = readTree(sourceRoots, /\.h$/).map((file) => file.path);
  assert.ok(headers.length > 0, 'no headers found');
  const complaints = [];
  const waiting = [...headers];
  const worker = async () => {
    for (let header = waiting.shift(); header; header = waiting.shift()) {
      const complaint = await complaintAbout(`#include "${header}"\n`);
      if (complaint) complaints.push(`${header}:\n${complaint}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism?.() ?? cpus().length }, worker));
  assert.equal(complaints.length, 0, `\n${complaints.join('\n')}`);
});

test('a header that needs another is found', async () => {
  assert.match(await complaintAbout('inline std::string name() { return {}; }\n'), /std/);
});
