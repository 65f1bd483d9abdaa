// GET /debug/sessions of the internal listener: what an operator sees of sessions, and what not.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import test, { after, before } from 'node:test';
import { makeFolder } from '../support/files.mjs';
import { openRoom } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

let media;
let server;
before(async () => {
  media = await makeFolder({ 'film.mp4': 'film' });
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--workers', '2'] });
});
after(async () => {
  await server?.stop();
  await media?.remove();
});

const look = async (query = '', origin = server.adminOrigin) => {
  const response = await fetch(`${origin}/debug/sessions${query}`);
  return { status: response.status, body: await response.json(), cache: response.headers.get('cache-control') };
};

test('the largest come first, whichever worker has them; keys are shortened', async () => {
  const sizes = [1, 3, 2, 4];
  const rooms = [];
  for (const size of sizes) rooms.push((await openRoom(server, size)).at(-1));
  const { status, body, cache } = await look();
  assert.equal(status, 200);
  assert.equal(cache, 'no-store');
  assert.equal(body.sessions, 4);
  assert.equal(body.members, 10);
  assert.deepEqual(body.list.map(({ membersHere }) => membersHere), [4, 3, 2, 1]);
  assert.deepEqual(body.list.map(({ key }) => key), [3, 1, 2, 0].map((i) => rooms[i].key.slice(0, 8)));
  const text = JSON.stringify(body);
  for (const { key, hostToken } of rooms) assert.ok(!text.includes(key) && !text.includes(hostToken));
});

test('a session is told with its state', async () => {
  const [host] = await openRoom(server, 5);
  host.send('seek', { position: 12.5 });
  const state = await host.next('state', ({ position }) => position === 12.5);
  host.send('enqueue', { video: 'film' });
  await host.next('queue');
  const [first] = (await look('?limit=1')).body.list;
  assert.deepEqual(first, {
    ...first, role: 'home', members: 5, membersHere: 5, nodes: [], queued: 1,
    state: { epoch: state.epoch, seq: state.seq, video: 'film', playing: false, position: 12.5, rate: 1, atMs: first.state.atMs },
  });
  assert.ok([0, 1].includes(first.worker));
});

test('as many as are asked for, up to a thousand', async () => {
  const { sessions } = (await look()).body;
  assert.equal((await look('?limit=2')).body.list.length, 2);
  const none = (await look('?limit=0')).body;
  assert.deepEqual([none.list.length, none.sessions], [0, sessions]);
  for (const limit of ['-1', '1001', 'all', '']) assert.equal((await look(`?limit=${limit}`)).status, 400, limit);
});

test('it is not on the public listener, and from elsewhere it is refused', async (t) => {
  assert.equal((await fetch(`${server.origin}/debug/sessions`)).status, 404);
  const [address] = Object.values(networkInterfaces()).flat().filter(({ internal, family }) => !internal && family === 'IPv4');
  if (!address) return t.skip('this machine has no address but those of loopback');
  const open = await startServer({ args: ['--media', media.directory], admin: '0.0.0.0:0' });
  try {
    const { port } = new URL(open.adminOrigin);
    const { status, body } = await look('', `http://${address.address}:${port}`);
    assert.deepEqual([status, body.error.code], [403, 'forbidden']);
    assert.equal((await look('', `http://127.0.0.1:${port}`)).status, 200);
    assert.equal((await fetch(`http://${address.address}:${port}/healthz`)).status, 200);
  } finally {
    await open.stop();
  }
});
