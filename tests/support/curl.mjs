// curl, an HTTP client that is not of our making: what it was answered, as it understood it.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { makeFolder } from './files.mjs';

const run = promisify(execFile);
const SECONDS_MAX = 20;

// Runs curl with files of its own, of one test's file. Resolves to {curl(), folder, remove()}.
export async function makeCurl() {
  const folder = await makeFolder();
  let made = 0;
  // Options as one would type them, the address among them; `-o` for another place than one of ours. input: what
  // it reads from stdin. Resolves to {heads, status, fields, body, told, exitCode}: `heads` are all the answers'
  // [{line, status, fields}], interim ones included, `told` is what --write-out '%{json}' says.
  const curl = async (options, { output = folder.path(`body-${(made += 1)}`), input } = {}) => {
    const headFile = folder.path(`head-${made}`);
    const args = ['-q', '-sS', '-m', String(SECONDS_MAX), '-D', headFile, '-o', output, '-w', '%{json}', ...options.map(String)];
    const { stdout, exitCode } = await ended(args, input);
    const heads = parseHeads(await readFile(headFile, 'latin1').catch(() => ''));
    const body = await readFile(output).catch(() => Buffer.alloc(0));
    await rm(headFile, { force: true });
    const { status, fields } = heads.at(-1) ?? {};
    return { heads, status, fields, body, told: JSON.parse(stdout), exitCode };
  };
  return { curl, folder, remove: folder.remove };
}

// As it is, of several addresses at once or one after the other. Resolves to what it printed.
export async function plainCurl(options) {
  const { stdout } = await run('curl', ['-q', '-sS', '-m', String(SECONDS_MAX), ...options.map(String)], { maxBuffer: 1 << 26 });
  return stdout;
}

async function ended(args, input) {
  const child = spawn('curl', args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  // Where it is refused before its body, it does not read on.
  child.stdin?.on('error', () => {}).end(input);
  const [exitCode] = await once(child, 'close');
  return { stdout, exitCode };
}

function parseHeads(text) {
  return text.split('\r\n\r\n').filter(Boolean).map((head) => {
    const [line, ...fields] = head.split('\r\n');
    const pairs = fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]);
    return { line, status: Number(line.split(' ')[1]), fields: Object.fromEntries(pairs) };
  });
}
