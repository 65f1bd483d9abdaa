// Who is host: the first, the one it is given to, the one who claims it, the next in line.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSession, eventually, join, openRoom, refusal, sleep } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

const GRACE_MS = 400;
const RESUME_MS = 1_000;
let server;

before(async () => {
  server = await startServer({
    args: ['--media', 'tests/support', '--session-rate', '0', '--workers', '2', '--host-grace', `${GRACE_MS}ms`,
      '--resume-time', `${RESUME_MS}ms`, '--session-ttl', '2s'],
  });
});

after(() => server?.stop());

const room = (count, settings) => openRoom(server, count, settings);

const info = async (key) => (await fetch(`${server.origin}/api/sessions/${key}`)).json();
const remove = (key, token) => fetch(`${server.origin}/api/sessions/${key}`, {
  method: 'DELETE',
  headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
});

test('the first member is host, and told so', async () => {
  const [ann, ben] = await room(2);
  assert.equal(ann.welcome.you.role, 'host');
  assert.equal(ann.welcome.host, ann.id);
  const told = await ann.next('host');
  assert.deepEqual([told.id, told.reason], [ann.id, 'joined']);
  assert.equal(ben.welcome.you.role, 'participant');
  assert.equal(ben.welcome.host, ann.id);
});

test('of many that come at once exactly one is host', async () => {
  const { key } = await createSession(server);
  const members = await Promise.all(Array.from({ length: 20 }, () => join(server, key)));
  assert.equal(new Set(members.map(({ id }) => id)).size, 20);
  assert.equal(new Set(members.map(({ resume }) => resume)).size, 20);
  const hosts = members.filter(({ welcome }) => welcome.you.role === 'host');
  assert.equal(hosts.length, 1);
  for (const { welcome } of members) assert.equal(welcome.host, hosts[0].id);
});

test('the host gives', async () => {
  const [ann, ben, cem] = await room(3);
  await cem.next('members', ({ joined }) => joined.some(({ id }) => id === cem.id));
  ann.send('give', { to: ben.id });
  const told = await Promise.all([ann, ben, cem].map((who) => who.next('host', ({ reason }) => reason === 'given')));
  for (const { id, epoch } of told) assert.deepEqual([id, epoch], [ben.id, told[0].epoch]);
  assert.ok(told[0].epoch > ann.welcome.state.epoch);
  const changed = await cem.next('members', (message) => message.changed.length > 0);
  assert.deepEqual(changed.changed.map(({ id, role }) => [id, role]).sort(),
    [[ann.id, 'participant'], [ben.id, 'host']].sort());
  ann.send('play');
  assert.equal((await ann.next('error')).code, 'not_host');
  ben.send('play');
  const state = await cem.next('state');
  assert.deepEqual([state.epoch, state.seq], [told[0].epoch, 1]);
});

test('who holds the host token claims, by message or as it connects', async () => {
  const [ann, ben, session] = await room(2);
  ben.send('claim', { hostToken: session.hostToken });
  assert.equal((await ann.next('host', ({ reason }) => reason === 'claimed')).id, ben.id);
  const cem = await join(server, session.key, { host: session.hostToken });
  assert.equal(cem.welcome.you.role, 'host');
  assert.equal(cem.welcome.host, cem.id);
  assert.equal((await ben.next('host', ({ id }) => id === cem.id)).reason, 'claimed');
  cem.send('claim', { hostToken: session.hostToken });
  cem.send('give', { to: cem.id });
  cem.send('pause');
  await cem.next('state');
  assert.equal(cem.of('error').length, 0);
});

test('for the grace nobody is promoted and playback goes on; then the longest connected is', async () => {
  const [ann, ben, cem] = await room(3);
  ann.send('play');
  await ben.next('state');
  ben.clear();
  const left = Date.now();
  await ann.drop();
  const told = await ben.next('host');
  assert.ok(told.receivedMs - left >= GRACE_MS - 20, `after ${told.receivedMs - left} ms`);
  assert.ok(told.receivedMs - left < GRACE_MS + 2_000);
  assert.deepEqual([told.id, told.reason], [ben.id, 'left']);
  assert.equal((await cem.next('host', ({ reason }) => reason === 'left')).id, ben.id);
  assert.equal(ben.of('state').length, 0);
  ben.send('pause');
  assert.ok((await cem.next('state', ({ cause }) => cause === 'pause')).position >= 0);
});

test('a host that resumes in time has changed nothing', async () => {
  const [ann, ben, session] = await room(2);
  await ben.next('members');
  await sleep(300);
  ben.clear();
  await ann.drop();
  const again = await join(server, session.key, { resume: ann.resume, name: 'ignored' });
  assert.equal(again.id, ann.id);
  assert.equal(again.resume, ann.resume);
  assert.equal(again.welcome.you.name, 'p0');
  assert.equal(again.welcome.you.role, 'host');
  assert.equal(again.welcome.state.epoch, ann.welcome.state.epoch);
  await sleep(GRACE_MS + 300);
  await ben.settled();
  assert.equal(ben.of('host').length, 0);
  again.send('play');
  await ben.next('state');
});

test('a participant that resumes keeps its place in line', async () => {
  const [ann, ben, cem, session] = await room(3);
  await ben.drop();
  const again = await join(server, session.key, { resume: ben.resume });
  assert.equal(again.id, ben.id);
  await ann.close();
  assert.equal((await cem.next('host', ({ reason }) => reason === 'left')).id, ben.id);
});

test('after the time to resume a member is a new one', async () => {
  const [ann, ben, session] = await room(2);
  await ben.close();
  await sleep(RESUME_MS + 300);
  const again = await join(server, session.key, { resume: ben.resume });
  assert.notEqual(again.id, ben.id);
  await ann.close();
});

test('a resume while still connected takes over: 4002 for the old connection', async () => {
  const [ann, ben, session] = await room(2);
  ben.clear();
  const again = await join(server, session.key, { resume: ann.resume });
  assert.equal(await ann.closeCode(), 4002);
  assert.equal(again.id, ann.id);
  assert.equal(again.welcome.members.count, 2);
  again.send('play');
  await ben.next('state');
  await sleep(GRACE_MS + 200);
  await ben.settled();
  assert.equal(ben.of('host').length, 0);
  assert.equal((await info(session.key)).members, 2);
});

test('ten resumes in a row leave one connection', async () => {
  const [ann, session] = await room(1);
  const connections = await Promise.all(
    Array.from({ length: 10 }, () => join(server, session.key, { resume: ann.resume })));
  assert.ok(connections.every(({ id }) => id === ann.id));
  assert.equal(await ann.closeCode(), 4002);
  await eventually(() => connections.filter(({ socket }) => socket.readyState === 1).length, (n) => n === 1, 'open ones');
  assert.equal((await info(session.key)).members, 1);
});

test('with nobody left the session waits, and the next one is host', async () => {
  const [ann, session] = await room(1);
  ann.send('seek', { position: 12.5 });
  await ann.next('state');
  await ann.close();
  await sleep(GRACE_MS + 200);
  const ben = await join(server, session.key);
  assert.equal(ben.welcome.you.role, 'host');
  assert.equal(ben.welcome.state.position, 12.5);
  assert.equal((await ben.next('host')).reason, 'joined');
});

test('a session that everybody has left stands where that was, and says when', async () => {
  const [ann, ben, { key }] = await room(2);
  ann.send('play', { position: 10 });
  const { atMs } = await ben.next('state');
  await ann.close();
  await ben.close();
  const left = await eventually(() => info(key), ({ leftMs }) => leftMs !== undefined, 'it is left');
  assert.deepEqual([left.members, left.state.playing, left.state.cause, left.state.by], [0, false, 'pause', null]);
  assert.equal(left.state.atMs, left.leftMs);
  assert.ok(left.serverTimeMs - left.leftMs >= RESUME_MS, `${left.serverTimeMs - left.leftMs} ms`);
  assert.ok(Math.abs(left.state.position - (10 + Math.max(0, left.leftMs - atMs) / 1_000)) < 1e-3, `${left.state.position}`);
  const cem = await join(server, key);
  assert.deepEqual([cem.welcome.state.seq, cem.welcome.state.playing], [left.state.seq, false]);
  assert.equal('leftMs' in (await info(key)), false);
});

test('one who comes within the grace of a lonely host is promoted after it', async () => {
  const [ann, session] = await room(1);
  await ann.close();
  const ben = await join(server, session.key);
  assert.equal(ben.welcome.host, ann.id);
  assert.equal(ben.welcome.you.role, 'participant');
  const told = await ben.next('host');
  assert.deepEqual([told.id, told.reason], [ben.id, 'left']);
});

test('the host removes a member with 4004, also from its place', async () => {
  const [ann, ben, cem, session] = await room(3);
  ann.send('kick', { id: ben.id });
  assert.equal(await ben.closeCode(), 4004);
  const told = await cem.next('members', ({ left }) => left.length > 0);
  assert.deepEqual(told.left.map(({ id }) => id), [ben.id]);
  assert.equal(told.count, 2);
  const again = await join(server, session.key, { resume: ben.resume });
  assert.notEqual(again.id, ben.id);
  ann.send('kick', { id: ann.id });
  assert.equal((await ann.next('error')).code, 'bad_message');
  ann.send('kick', { id: ben.id });
  assert.equal((await ann.next('error')).code, 'no_such_member');
});

test('the host ends the session: 4001 for all, and it is gone', async () => {
  const [ann, ben, session] = await room(2);
  ann.send('end');
  for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
  assert.equal((await refusal(server, { session: session.key })).status, 404);
  const valid = await (await fetch(`${server.origin}/api/sessions/${session.key}/validate`)).json();
  assert.deepEqual(valid, { valid: false });
});

test('DELETE ends it for the owner of the host token only', async () => {
  const [ann, ben, session] = await room(2);
  assert.equal((await remove(session.key)).status, 401);
  assert.equal((await remove(session.key, 'f'.repeat(32))).status, 403);
  assert.equal((await remove(session.key, 'nonsense')).status, 403);
  await ann.settled();
  assert.equal((await remove(session.key, session.hostToken)).status, 204);
  for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
  assert.equal((await remove(session.key, session.hostToken)).status, 404);
});

test('a session ends when nobody was there for its time to live, not before', async () => {
  const [ann, session] = await room(1);
  const empty = await createSession(server);
  await sleep(1_000);
  assert.equal((await info(empty.key)).key, empty.key);
  const ended = (key) => eventually(() => info(key), ({ error }) => error?.code === 'session_not_found', 'ended');
  await ended(empty.key);
  await ann.settled();
  await ann.close();
  assert.equal((await info(session.key)).members, 0);
  await ended(session.key);
});
