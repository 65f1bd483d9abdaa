// A stderr that nobody reads: the server goes on, ends when it is told to, and what waited comes.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeFolder } from '../support/files.mjs';
import { ask, requestText } from '../support/http_connection.mjs';
import { createSession, join } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { projectRoot, serverBinary, startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';

let folder;
before(async () => {
  folder = await makeFolder();
});
after(() => folder?.remove());

// A pipe that is full from the start. `writer`: the descriptor for whoever writes to it.
class FullPipe {
  #own;

  constructor(name) {
    const path = folder.path(name);
    execFileSync('mkfifo', [path]);
    this.#own = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.writer = openSync(path, 'w');
    this.filled = 0;
    const page = Buffer.alloc(4096, '.');
    try {
      for (;;) this.filled += writeSync(this.#own, page);
    } catch (error) {
      assert.equal(error.code, 'EAGAIN');
    }
  }

  // What is there now.
  read() {
    const piece = Buffer.alloc(65_536);
    let text = '';
    try {
      for (;;) text += piece.toString('latin1', 0, readSync(this.#own, piece));
    } catch (error) {
      assert.equal(error.code, 'EAGAIN');
    }
    return text;
  }

  close() {
    closeSync(this.#own);
    closeSync(this.writer);
  }
}

// A connection on which the film has begun to come, and is not read.
async function beginToWatch({ origin }) {
  const { hostname, port } = new URL(origin);
  const socket = connect(port, hostname).on('error', () => {}); // cut off while it comes
  socket.write(requestText('GET', '/api/video'));
  await once(socket, 'readable');
  return socket;
}

test('a server whose stderr is full goes on serving, and what it had to say comes later, in order', { timeout: 30_000 }, async () => {
  const media = await makeFolder({ 'film.mp4': '' });
  await truncate(media.path('film.mp4'), 64_000_000); // more than waits on the way to who does not read
  const pipe = new FullPipe('serving');
  let server;
  try {
    server = await startServer({ args: ['--media', media.directory, '--workers', '1'], stderr: pipe.writer });
    const member = await join(server, (await createSession(server)).key);
    // Each of these makes the one worker say that the file is shorter than it was.
    const watching = await Promise.all(Array.from({ length: 20 }, () => beginToWatch(server)));
    await truncate(media.path('film.mp4'), 1_000);
    await Promise.all(watching.map((socket) => once(socket.resume(), 'close')));
    assert.equal((await ask(server.origin, 'GET', '/api/videos')).status, 200);
    await member.settled();
    member.close();
    assert.equal(await readMetric(server, 'log_lines_dropped_total'), 0);

    let text = '';
    const isShorter = / warn connection: a media file is shorter/g;
    await until(() => {
      text += pipe.read();
      return text.match(isShorter)?.length === 20;
    }, () => `twenty warnings: ${text.slice(pipe.filled)}`);
    assert.match(text.slice(pipe.filled), /^(\d{4}-\d\d-\d\dT[^\n]*\n)+$/);
  } finally {
    await server?.stop();
    pipe.close();
    await media.remove();
  }
});

test('one whose stdout is the same full pipe starts nevertheless', { timeout: 30_000 }, async () => {
  const pipe = new FullPipe('starting');
  const socket = { path: folder.path('starting.sock') };
  const args = ['--listen', `unix:${socket.path}`, '--admin', 'none', '--media', folder.directory, '--cache', 'none'];
  const child = spawn(serverBinary(), args, { cwd: projectRoot, stdio: ['ignore', pipe.writer, pipe.writer] });
  const exited = once(child, 'exit');
  try {
    const isServed = () => ask(socket, 'GET', '/api/videos').then(({ status }) => status === 200, () => false);
    await until(isServed, 'it serves');
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  } finally {
    child.kill('SIGKILL');
    pipe.close();
  }
});

test('SIGTERM ends a server whose stderr is full, a second one at once', { timeout: 30_000 }, async () => {
  const pipe = new FullPipe('ending');
  try {
    const args = ['--media', folder.directory];
    const clean = await startServer({ args, stderr: pipe.writer });
    assert.deepEqual(await clean.stop(), { code: 0, signal: null });

    const forced = await startServer({ args: [...args, '--drain', '60s'], stderr: pipe.writer });
    const member = await join(forced, (await createSession(forced)).key);
    process.kill(forced.pid, 'SIGTERM');
    await member.next('notice');
    process.kill(forced.pid, 'SIGTERM');
    assert.deepEqual(await forced.exited, { code: 143, signal: null });
    member.close();
  } finally {
    pipe.close();
  }
});
