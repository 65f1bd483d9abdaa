// What the shell runs of ours says what it means: shellcheck has nothing to warn of.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { root } from './tree.mjs';

const run = promisify(execFile);
const folders = ['.ci', 'deploy', 'deploy/container', 'deploy/debian', 'deploy/publish', 'bench/peers', 'tests/support'];

// Scripts have no ending here: the first line tells.
const isScript = (file) => statSync(file).isFile() && /^#!.*\b(?:ba)?sh\b/.test(readFileSync(file, 'utf8').slice(0, 80));
const scripts = folders.flatMap((folder) => readdirSync(path.join(root, folder)).map((name) => path.join(root, folder, name))).filter(isScript);

test('shellcheck warns of nothing', async () => {
  assert.ok(scripts.length > 15, String(scripts));
  const said = await run('shellcheck', ['--severity=warning', '--external-sources', ...scripts]).then(() => '', ({ stdout, stderr }) => stdout + stderr);
  assert.equal(said, '');
});

test('it would', async () => {
  const child = run('shellcheck', ['--severity=warning', '-']);
  child.child.stdin.end('#!/bin/bash\nrm -r $1/*\ncd $2\n');
  await assert.rejects(child, ({ stdout }) => /SC2164/.test(stdout));
});
