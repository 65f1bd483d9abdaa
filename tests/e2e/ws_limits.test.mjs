// Limits of members, sessions and connections: reaching one is told, and others are served on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSession, eventually, join, joinMany, refusal } from '../support/member.mjs';
import { connectRaw } from '../support/raw_websocket.mjs';
import { startServer } from '../support/server.mjs';

async function serve(args, body) {
  const server = await startServer({ args: ['--media', 'tests/support', '--session-rate', '0', ...args] });
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

test('a full session refuses with 503, and takes one again when one has left', () =>
  serve(['--max-members', '3'], async (server) => {
    const { key } = await createSession(server);
    const [ann, ben, cem] = await joinMany(server, key, 3);
    const { status, headers, body } = await refusal(server, { session: key });
    assert.equal(status, 503);
    assert.ok(Number(headers['retry-after']) > 0);
    assert.equal(body.error.code, 'session_full');
    // Who resumes takes its own place, full or not.
    assert.equal((await join(server, key, { resume: ben.resume })).id, ben.id);
    const other = await createSession(server);
    await (await join(server, other.key)).close();
    await cem.close();
    await ann.next('members', ({ count }) => count === 2);
    await join(server, key);
  }));

test('one session too many is 503, until one has ended', () =>
  serve(['--max-sessions', '4'], async (server) => {
    const sessions = [];
    for (let i = 0; i < 4; i += 1) sessions.push(await createSession(server));
    const create = () => fetch(`${server.origin}/api/sessions`, { method: 'POST' });
    const response = await create();
    assert.equal(response.status, 503);
    assert.ok(Number(response.headers.get('retry-after')) > 0);
    assert.equal((await response.json()).error.code, 'too_many_sessions');
    const ann = await join(server, sessions[0].key);
    ann.send('end');
    assert.equal(await ann.closeCode(), 4001);
    await eventually(async () => (await create()).status, (status) => status === 201, 'status');
  }));

for (const [flag, what] of [['--max-connections', 'connections'], ['--max-per-address', 'connections of an address']]) {
  test(`too many ${what} are told 503 and closed`, () =>
    serve([flag, '5'], async (server) => {
      const { key } = await createSession(server);
      await eventually(async () => {
        const raw = await connectRaw(server);
        raw.end();
        return true;
      }, (isThere) => isThere, 'a connection');
      const members = [];
      // fetch() keeps a connection of its own for a while.
      while (members.length < 5) {
        const member = await join(server, key).catch(() => null);
        if (member === null) break;
        members.push(member);
      }
      assert.ok(members.length >= 3, `${members.length} members`);
      const raw = await connectRaw(server);
      raw.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.match(await raw.readHead(), /^HTTP\/1.1 503 /);
      raw.end();
      members[0].send('chat', { text: 'still here' });
      await members.at(-1).next('chat');
      await members[0].close();
      await eventually(() => join(server, key).then(() => true, () => false), (isIn) => isIn, 'room for one');
    }));
}
