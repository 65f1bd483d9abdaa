// SIGTERM: members are told, leave in slices, and the program ends well.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSession, join, joinMany } from '../support/member.mjs';
import { connectRaw, handshake, joinRaw } from '../support/raw_websocket.mjs';
import { startServer } from '../support/server.mjs';

const args = ['--media', 'tests/support', '--session-rate', '0', '--workers', '2'];

test('a drain tells members, closes them in slices with 1001, and exits 0', async () => {
  const server = await startServer({ args: [...args, '--drain', '3s'] });
  try {
    const { key } = await createSession(server);
    const members = await joinMany(server, key, 30);
    // A request that began before and ends after.
    const late = await connectRaw(server);
    const words = handshake(server, { session: key });
    late.write(words.slice(0, 30));
    // Some turns of every worker: by then one of them has read what came late.
    for (let turn = 0; turn < 4; turn += 1) await Promise.all(members.map((member) => member.settled()));

    const start = Date.now();
    process.kill(server.pid, 'SIGTERM');
    for (const member of members) {
      const notice = await member.next('notice');
      assert.equal(notice.code, 'draining');
      assert.ok(notice.retryAfterMs > 0);
    }
    late.write(words.slice(30));
    const head = await late.readHead();
    assert.match(head, /^HTTP\/1.1 503 /);
    assert.match(head, /^retry-after: \d+\r$/im);
    late.end();
    const closedAfter = await Promise.all(members.map(async (member) => {
      assert.equal(await member.closeCode(), 1001);
      return Date.now() - start;
    }));
    closedAfter.sort((a, b) => a - b);
    assert.ok(closedAfter[0] < 600, `first after ${closedAfter[0]} ms`);
    assert.ok(closedAfter[29] - closedAfter[0] > 700, `all at once: ${closedAfter}`);
    assert.ok(closedAfter[29] < 3_000, `last after ${closedAfter[29]} ms`);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  } finally {
    await server.stop('SIGKILL');
  }
});

test('a drain with nobody there ends at once', async () => {
  const server = await startServer({ args });
  const start = Date.now();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.ok(Date.now() - start < 2_000);
});

test('a drain does not wait longer than it may for those who do not go', async () => {
  const server = await startServer({ args: [...args, '--drain', '1s'] });
  try {
    const { key } = await createSession(server);
    const raw = await joinRaw(server, key);
    await raw.nextMessage('welcome');
    raw.pause();
    const start = Date.now();
    process.kill(server.pid, 'SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(Date.now() - start < 4_000);
    raw.end();
  } finally {
    await server.stop('SIGKILL');
  }
});

test('with --drain 0 members still hear 1001', async () => {
  const server = await startServer({ args: [...args, '--drain', '0'] });
  try {
    const { key } = await createSession(server);
    const ann = await join(server, key);
    process.kill(server.pid, 'SIGTERM');
    assert.equal(await ann.closeCode(), 1001);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  } finally {
    await server.stop('SIGKILL');
  }
});

test('a second signal ends it at once', async () => {
  const server = await startServer({ args: [...args, '--drain', '60s'] });
  const { key } = await createSession(server);
  const raw = await joinRaw(server, key);
  await raw.nextMessage('welcome');
  raw.pause();
  process.kill(server.pid, 'SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 200));
  process.kill(server.pid, 'SIGTERM');
  assert.equal((await server.exited).code, 143);
  raw.end();
});
