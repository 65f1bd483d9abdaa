// What the program prints of its settings for other readers: manual page, file of settings, completions.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { makeFolder } from '../support/files.mjs';
import { serverBinary } from '../support/server.mjs';

const run = promisify(execFile);
const generate = async (kind) => (await run(serverBinary(), ['--generate', kind])).stdout;

let folder;
let options; // every long option of --help
before(async () => {
  folder = await makeFolder();
  const { stdout } = await run(serverBinary(), ['--help']);
  options = [...stdout.matchAll(/^ {2}(?:-\w,)?--([a-z-]+)/gm)].map(([, name]) => name);
  assert.ok(options.length > 50 && options.includes('generate') && options.includes('help'), String(options));
});
after(() => folder?.remove());

// Each once, and nothing else.
function assertNamesAll(names, but = []) {
  assert.deepEqual([...names].sort(), options.filter((name) => !but.includes(name)).sort());
}

test('the manual page has every option, and nothing that groff complains of', async () => {
  const page = await generate('man');
  assertNamesAll([...page.matchAll(/^\.B \\-\\-([a-z\\-]+)/gm)].map(([, name]) => name.replaceAll('\\-', '-')));
  await writeFile(folder.path('videosync.8'), page);
  const { stdout, stderr } = await run('groff', ['-man', '-Tutf8', '-ww', '-rLL=100n', folder.path('videosync.8')], { maxBuffer: 1 << 24 });
  assert.equal(stderr, '');
  const text = stdout.replaceAll(/\x1b\[[\d;]*m|.\x08/g, '');
  for (const part of ['NAME', 'SYNOPSIS', 'LISTENERS', 'SESSIONS AND MEMBERS', 'EXIT STATUS', '--drain TIME', 'VIDEOSYNC_NAME']) assert.ok(text.includes(part), part);
});

test('the file of settings has every setting, and with its # taken away says what holds without it', async () => {
  const text = await generate('conf');
  assertNamesAll([...text.matchAll(/^#([a-z-]+) = /gm)].map(([, name]) => name), ['config', 'check-config', 'generate', 'version', 'help']);
  const lines = text.split('\n');
  assert.ok(lines.every((line) => line === '' || line.startsWith('#')), 'all of it is commented out');
  assert.ok(Math.max(...lines.map((line) => line.length)) <= 110);

  const plain = (await run(serverBinary(), ['--check-config'])).stdout;
  const known = new Set([...plain.matchAll(/^([a-z-]+) = /gm)].map(([, name]) => name));
  const machine = ['workers', 'transcodes', 'max-connections'];
  const set = lines.filter((line) => known.has(/^#([a-z-]+) = /.exec(line)?.[1]) && !machine.some((name) => line.startsWith(`#${name} =`)));
  assert.ok(set.length > 30);
  await writeFile(folder.path('all.conf'), set.map((line) => line.slice(1)).join('\n'));
  assert.equal((await run(serverBinary(), ['--check-config', '--config', folder.path('all.conf')])).stdout, plain);
});

// What bash offers behind these words.
async function complete(...words) {
  const script = `source "$1"; shift; COMP_WORDS=(videosync "$@"); COMP_CWORD=$#; _videosync; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['-c', script, 'bash', folder.path('completion'), ...words], { cwd: folder.directory });
  return stdout.split('\n').filter(Boolean);
}

test('bash completes options, their words, files and folders', async () => {
  await writeFile(folder.path('completion'), await generate('bash'));
  assertNamesAll((await complete('--')).map((word) => word.slice(2)));
  assert.deepEqual(await complete('--work'), ['--workers']);
  assert.deepEqual(await complete('--generate', ''), ['man', 'conf', 'bash', 'zsh', 'fish']);
  assert.deepEqual(await complete('--config', 'comp'), ['completion']);
  assert.deepEqual(await complete('--media', 'comp'), [], 'a file is no folder');
  assert.deepEqual(await complete('--drain', ''), [], 'nothing but the operator knows');
});

test('zsh and fish are told every option', async () => {
  assertNamesAll([...(await generate('zsh')).matchAll(/^ {2}'\*--([a-z-]+)\[[^[\]']+\](?::[A-Z]+:.*)?'(?: \\)?$/gm)].map(([, name]) => name));
  assertNamesAll([...(await generate('fish')).matchAll(/^complete -c videosync -l ([a-z-]+)(?: -r -F| -x)?(?: -a '[a-z ]+')? -d '(?:[^'\\]|\\')+'$/gm)].map(([, name]) => name));
});

test('another word is refused, with those that would do', async () => {
  await assert.rejects(generate('html'), ({ code, stderr }) => code === 1 && /--generate: 'html' is none of man, conf, bash, zsh or fish/.test(stderr));
});
