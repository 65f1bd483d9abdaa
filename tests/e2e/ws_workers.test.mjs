// One session over four threads: one order for all, and every worker's part in it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSession, eventually, join, refusal } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

const MEMBERS = 40;
const GRACE_MS = 500;
let server;

before(async () => {
  server = await startServer({
    args: ['--media', 'tests/support', '--session-rate', '0', '--message-rate', '0', '--chat-rate', '0', '--workers', '4',
      '--host-grace', `${GRACE_MS}ms`],
  });
});

after(() => server?.stop());

const crowdOf = (key, count = MEMBERS) => Promise.all(Array.from({ length: count }, () => join(server, key)));

test('500 commands of racing controllers come to everyone in one order, without gaps', async () => {
  const { key } = await createSession(server, { control: 'everyone' });
  const crowd = await crowdOf(key);
  const sent = [];
  for (let i = 0; i < 500; i += 1) {
    const by = crowd[(i * 7) % MEMBERS];
    const type = ['seek', 'play', 'pause', 'rate'][i % 4];
    const fields = { seek: { position: i }, play: {}, pause: {}, rate: { rate: 1 + (i % 3) / 2 } }[type];
    by.send(type, fields);
    sent.push(`${by.id} ${type}`);
    // In waves: what a reader cannot take in time is replaced by the newest.
    if (i % 50 === 49) for (const member of crowd) await member.next('state', ({ seq }) => seq === i + 1);
  }
  const order = crowd[0].of('state');
  for (const member of crowd) {
    const states = member.of('state').map(({ receivedMs, ...state }) => state);
    assert.deepEqual(states.map(({ seq }) => seq), Array.from({ length: 500 }, (_, i) => i + 1), `${member.id}`);
    assert.deepEqual(states, order.map(({ receivedMs, ...state }) => state));
  }
  assert.deepEqual(order.map(({ by, cause }) => `${by} ${cause}`).sort(), sent.sort());
  for (const who of crowd) {
    const own = order.filter(({ by }) => by === who.id).map(({ cause }) => cause);
    const said = sent.length && own.length;
    assert.ok(said > 0, `${who.id} was heard`);
  }
});

test('chat comes to everyone in one order', async () => {
  const { key } = await createSession(server);
  const crowd = await crowdOf(key, 16);
  for (let i = 0; i < 20; i += 1) {
    for (const [j, member] of crowd.entries()) member.send('chat', { text: `${j} ${i}` });
    await new Promise(setImmediate);
  }
  await eventually(() => Math.min(...crowd.map((member) => member.of('chat').length)), (n) => n === 320, 'chats');
  const order = crowd[0].of('chat').map(({ text }) => text);
  for (const member of crowd) assert.deepEqual(member.of('chat').map(({ text }) => text), order);
  for (let j = 0; j < crowd.length; j += 1) {
    const own = order.filter((text) => text.startsWith(`${j} `));
    assert.deepEqual(own, Array.from({ length: 20 }, (_, i) => `${j} ${i}`));
  }
});

test('the host\'s seat goes down the line across workers', async () => {
  const { key } = await createSession(server);
  const crowd = [];
  for (let i = 0; i < 8; i += 1) crowd.push(await join(server, key));
  for (let i = 0; i < 3; i += 1) {
    await crowd[i].drop();
    for (const member of crowd.slice(i + 1)) {
      const told = await member.next('host', ({ reason }) => reason === 'left');
      assert.equal(told.id, crowd[i + 1].id);
    }
  }
});

test('kick, resume and end reach members on every worker', async () => {
  const { key } = await createSession(server);
  const ann = await join(server, key);
  const crowd = await crowdOf(key, 24);
  for (const member of crowd.slice(0, 8)) ann.send('kick', { id: member.id });
  for (const member of crowd.slice(0, 8)) assert.equal(await member.closeCode(), 4004);
  for (const member of crowd.slice(8, 16)) {
    const again = await join(server, key, { resume: member.resume });
    assert.equal(again.id, member.id);
    assert.equal(await member.closeCode(), 4002);
    crowd.push(again);
  }
  assert.equal((await join(server, key)).welcome.members.count, 18);
  ann.send('end');
  for (const member of [ann, ...crowd.slice(16)]) assert.equal(await member.closeCode(), 4001);
});

test('sessions of every home are made, seen, joined and ended from any worker', async () => {
  const get = async (path) => (await fetch(`${server.origin}${path}`, { headers: { Connection: 'close' } })).json();
  const sessions = await Promise.all(Array.from({ length: 32 }, () => createSession(server)));
  assert.equal(new Set(sessions.map(({ key }) => key)).size, 32);
  await Promise.all(sessions.map(async ({ key, hostToken }) => {
    assert.deepEqual(await get(`/api/sessions/${key}/validate`), { valid: true, key });
    const member = await join(server, key);
    const info = await get(`/api/sessions/${key}`);
    assert.deepEqual([info.key, info.members], [key, 1]);
    const response = await fetch(`${server.origin}/api/sessions/${key}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${hostToken}` },
    });
    assert.equal(response.status, 204);
    assert.equal(await member.closeCode(), 4001);
    assert.deepEqual(await get(`/api/sessions/${key}/validate`), { valid: false });
    assert.equal((await refusal(server, { session: key })).status, 404);
  }));
});

test('joins, commands and leaves at random leave the count right', async () => {
  const { key } = await createSession(server, { control: 'everyone' });
  const stay = await join(server, key);
  await Promise.all(Array.from({ length: 60 }, async (_, i) => {
    const member = await join(server, key);
    member.send('seek', { position: i });
    if (i % 3 === 0) member.send('chat', { text: 'bye' });
    await (i % 2 ? member.close() : member.drop());
  }));
  const info = async () => (await (await fetch(`${server.origin}/api/sessions/${key}`)).json()).members;
  await eventually(info, (count) => count === 1, 'members');
  stay.send('pause');
  await stay.next('state', ({ cause }) => cause === 'pause');
  const seqs = stay.of('state').map(({ seq }) => seq);
  assert.deepEqual(seqs, Array.from(seqs, (_, i) => seqs[0] + i));
});
