// A page of metrics is made by a worker: it must cost next to nothing, however much there is to count.
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { createSession, join } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

const PAGES = 40;
const TICK_MS = 10; // of the times in /proc: 100 a second, whatever the kernel's own clock

// Handing them over takes twice their number for a moment.
function manyDescriptors() {
  const [, hard] = /^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return Math.min(8_000, Math.floor(Number(hard) / 2) - 500);
}

// The CPU time that a process has used, in user and kernel mode.
function cpuMsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

// The CPU time of PAGES pages, each with a ping behind it, of a server with these descriptors besides.
async function costOfPages(inherited) {
  const server = await startServer({ args: ['--media', 'tests/support', '--workers', '1'], inherited });
  try {
    const member = await join(server, (await createSession(server)).key);
    const beforeMs = cpuMsOf(server.pid);
    for (let i = 0; i < PAGES; ++i) {
      const page = fetch(`${server.adminOrigin}/metrics`).then((response) => response.text());
      await member.settled();
      const [, counted] = /^process_open_fds (\d+)$/m.exec(await page) ?? [];
      if (counted !== undefined) assert.ok(Number(counted) > inherited.length, `${counted} are open`);
    }
    const pagesMs = cpuMsOf(server.pid) - beforeMs;
    await member.close();
    return { pagesMs, listingMs: costOfLists(server.pid) };
  } finally {
    await server.stop();
  }
}

// The CPU time that it takes to list a process's descriptors as often.
function costOfLists(pid) {
  const before = process.cpuUsage();
  for (let i = 0; i < PAGES; ++i) readdirSync(`/proc/${pid}/fd`);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

test('a page of metrics does not cost more where many descriptors are open', { timeout: 60_000 }, async () => {
  const nothing = openSync('/dev/null');
  try {
    const few = await costOfPages([]);
    const many = await costOfPages(Array(manyDescriptors()).fill(nothing));
    const addedMs = many.pagesMs - few.pagesMs;
    assert.ok(addedMs < many.listingMs / 2, `${PAGES} pages took ${addedMs} ms more, as many lists ${many.listingMs} ms`);
  } finally {
    closeSync(nothing);
  }
});
