// Folders that stop answering, for tests of what the server does then.
//
// Two kinds. A real file system (FUSE, tests/support/hanging_folder.cpp): calls hang in the kernel, as
// they do on a lost network, and who made them cannot be killed. Where none can be mounted, its
// `why` says so, and the other kind still tells most: a library that is loaded into the server and
// makes its calls wait (tests/support/hanging_calls.c).
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeFolder } from './files.mjs';
import { pauseProcess } from './process.mjs';
import { projectRoot } from './server.mjs';
import { until } from './until.mjs';

const run = promisify(execFile);

// {name, why, mount(files)}: why is null where it can be had. mount() resolves to {directory: for
// --media, env: for the server, hang(operation, part), free(), waits(): what hangs by now, as
// "open /film/master.m3u8", remove()}.
export async function hangingStorages() {
  return [await fuse(), await preloaded()];
}

async function fuse() {
  const kind = { name: 'FUSE', why: null, mount: mountFuse };
  const program = process.env.VIDEOSYNC_HANGING_FOLDER;
  if (!program) return { ...kind, why: 'hanging_folder was not built (libfuse3-dev is missing)' };
  if (!existsSync('/dev/fuse')) return { ...kind, why: 'there is no /dev/fuse' };
  try {
    await (await mountFuse({})).remove();
    return kind;
  } catch (error) {
    return { ...kind, why: `nothing can be mounted: ${error.message.trim()}` };
  }
}

async function mountFuse(files) {
  const behind = await makeFolder(files);
  const directory = await mkdtemp(path.join(tmpdir(), 'videosync-hanging-'));
  const child = spawn(process.env.VIDEOSYNC_HANGING_FOLDER, [behind.directory, directory], { stdio: 'pipe' });
  const lines = [];
  let errors = '';
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    lines.push(...parts);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  child.stdin.on('error', () => {});
  const exited = new Promise((resolve) => child.once('close', resolve));
  const removed = () => rm(directory, { recursive: true, force: true }).then(() => behind.remove());
  const told = (line, count) =>
    until(() => lines.filter((one) => one === line).length >= count || child.exitCode !== null, line);
  try {
    await told('mounted', 1);
    if (child.exitCode !== null) throw new Error(errors);
  } catch (error) {
    child.kill('SIGKILL');
    await removed();
    throw error;
  }
  let orders = 0;
  // It may have ended: nobody uses the file system after detach() any more.
  const order = (text) => {
    child.stdin.write(`${text}\n`);
    return told('done', (orders += 1));
  };
  return {
    directory,
    env: {},
    hang: (operation, part = '') => order(`hang ${operation} ${part}`),
    free: () => order('free'),
    waits: async () => lines.filter((line) => line.includes(' ')),
    // No call is answered from then on, until goOn().
    pause: () => pauseProcess(child.pid),
    goOn: () => child.kill('SIGCONT'),
    // The folder is an ordinary one again; who waits goes on waiting.
    detach: () => run('umount', ['-l', directory]),
    remove: async () => {
      child.kill('SIGCONT');
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(timer);
      await removed();
    },
  };
}

async function preloaded() {
  const kind = { name: 'preloaded calls', why: null, mount: null };
  if (process.env.VIDEOSYNC_SANITIZE) return { ...kind, why: 'a sanitizer must be loaded first itself' };
  const folder = await mkdtemp(path.join(tmpdir(), 'videosync-preload-'));
  process.on('exit', () => execFile('rm', ['-rf', folder]));
  const library = path.join(folder, 'hanging_calls.so');
  const source = path.join(projectRoot, 'tests/support/hanging_calls.c');
  await run(process.env.VIDEOSYNC_CC ?? 'cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  return { ...kind, mount: (files) => mountPreloaded(library, files) };
}

async function mountPreloaded(library, files) {
  const media = await makeFolder(files);
  const control = await makeFolder();
  const orders = control.path('orders');
  const waits = control.path('waits');
  await mkdir(control.directory, { recursive: true });
  await writeFile(orders, '');
  await writeFile(waits, '');
  return {
    directory: media.directory,
    // What is preloaded writes down what waits, which a confined helper may not.
    env: { VIDEOSYNC_CONFINE: 'off', LD_PRELOAD: library, HANGING_FOLDER: media.directory, HANGING_ORDERS: orders, HANGING_WAITS: waits },
    hang: (operation, part = '') => appendFile(orders, `${operation} ${part}\n`),
    free: () => writeFile(orders, ''),
    waits: async () => (await readFile(waits, 'utf8')).split('\n').filter(Boolean),
    remove: async () => {
      await media.remove();
      await control.remove();
    },
  };
}
