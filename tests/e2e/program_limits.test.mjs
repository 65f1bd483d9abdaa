// However few descriptors the machine leaves it, the program serves or says what it lacks: it never
// breaks down.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startChild } from '../support/child.mjs';
import { makeFolder } from '../support/files.mjs';
import { serverBinary } from '../support/server.mjs';
import { until } from '../support/until.mjs';

// Fewer than these, and the program cannot be loaded: standard input and output, and a library.
const descriptorsMin = 5;
const descriptorsMax = 40;

// {isServing, code, signal, output} of the program under this limit of open files; one that serves
// is told to end.
async function runWith(descriptors, folder) {
  const args = ['--listen', `unix:${folder.path('socket')}`, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0',
    '--media', folder.path('media'), '--www', folder.path('www'), '--cache', 'none', '--workers', '2', '--drain', '0s'];
  const child = await startChild('prlimit', [`--nofile=${descriptors}:${descriptors}`, serverBinary(), ...args]);
  try {
    const isServing = () => child.output().includes('listening on');
    await until(() => isServing() || child.hasEnded());
    if (isServing()) child.signal('SIGTERM');
    return { isServing: isServing(), ...(await child.exited), output: child.output() };
  } finally {
    await child.kill();
  }
}

// A sanitizer that cannot open what it looks into takes what it cannot see for a fault.
const SKIP = process.env.VIDEOSYNC_SANITIZE ? 'a sanitizer wants descriptors of its own' : false;

test('with too few descriptors it ends with a line that says so, with enough it serves', { skip: SKIP }, async () => {
  const folder = await makeFolder({ 'media/film.mp4': 'film', 'www/index.html': 'page' });
  try {
    const complaints = [];
    let isServing = false;
    for (let descriptors = descriptorsMin; !isServing; ++descriptors) {
      assert.ok(descriptors <= descriptorsMax, complaints.join(''));
      const run = await runWith(descriptors, folder);
      const told = `${descriptors} descriptors: ${run.signal ?? run.code}: ${run.output}`;
      isServing = run.isServing;
      if (isServing) {
        assert.equal(run.code, 0, told);
        continue;
      }
      assert.match(run.output, /^videosync: [^\n]+: Too many open files[^\n]*\n$/, told);
      // Of the folders it is not known whether the operator or the machine is at fault.
      assert.equal(run.code, /--(www|media)/.test(run.output) ? 1 : 2, told);
      complaints.push(run.output);
    }
    // What is lacking later depends on how quick a helper closes the folder: see listening_socket_test.
    for (const lacking of [/sockets to the file helpers/, /sockets for answers/]) {
      assert.match(complaints.join(''), lacking);
    }
  } finally {
    await folder.remove();
  }
});
