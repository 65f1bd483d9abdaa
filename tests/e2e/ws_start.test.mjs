// Ready, go: all see how many are ready, and a start is counted down to.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join, openRoom } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

let server;

before(async () => {
  server = await startServer({ args: ['--media', 'tests/support', '--session-rate', '0', '--workers', '2'] });
});

after(() => server?.stop());

const room = (count, settings) => openRoom(server, count, settings);

test('all see how many are ready, the host sees who, and a newcomer is told', async () => {
  const [ann, ben, cem, { key }] = await room(3);
  for (const who of [ann, ben, cem]) assert.equal(who.welcome.members.ready, 0);
  ben.send('ready', { ready: true });
  cem.send('ready', { ready: true });
  for (const who of [ann, ben, cem]) await who.next('members', ({ ready }) => ready === 2);
  ben.send('report', { driftMs: 0, rttMs: 5, buffering: false });
  const isBen = ({ id }) => id === ben.id;
  const { list } = await ann.next('viewers', (viewers) => viewers.list.some((one) => isBen(one) && one.ready));
  assert.equal(list.find(isBen).ready, true);
  const dan = await join(server, key, { name: 'Dan' });
  assert.equal(dan.welcome.members.ready, 2);
  assert.equal(dan.welcome.you.ready, undefined);
  cem.send('ready', { ready: false });
  await dan.next('members', ({ ready }) => ready === 1);
});

test('who comes back is ready still, and a play clears it for all', async () => {
  const [ann, ben, { key }] = await room(2);
  ben.send('ready', { ready: true });
  await ann.next('members', ({ ready }) => ready === 1);
  ben.socket.terminate();
  await ann.next('members', ({ left }) => left.some(({ id }) => id === ben.id));
  const again = await join(server, key, { resume: ben.resume });
  assert.deepEqual([again.id, again.welcome.you.ready, again.welcome.members.ready], [ben.id, true, 1]);
  ann.send('play');
  await again.next('members', ({ ready }) => ready === 0);
});

test('a countdown is a start in the future, the same for all, also for who comes late', async () => {
  const [ann, ben, { key }] = await room(2);
  const sentMs = Date.now();
  ann.send('play', { countdownMs: 3_000 });
  const state = await ben.next('state');
  assert.deepEqual([state.playing, state.cause, state.by], [true, 'play', ann.id]);
  const wholeMs = 1; // so `receivedMs` is
  assert.ok(state.atMs >= sentMs + 3_000 && state.atMs <= state.receivedMs + wholeMs + 3_000, `${state.atMs - sentMs} ms`);
  const late = await join(server, key);
  assert.deepEqual([late.welcome.state.atMs, late.welcome.state.playing], [state.atMs, true]);
  ann.send('pause');
  assert.equal((await late.next('state')).playing, false);
});

test('a seek calls a countdown off', async () => {
  const [ann, ben] = await room(2);
  ann.send('play', { countdownMs: 10_000 });
  await ben.next('state', ({ playing }) => playing);
  ann.send('seek', { position: 4 });
  const { playing, position } = await ben.next('state');
  assert.deepEqual([playing, position], [false, 4]);
});

test('what is out of range is refused, and only who controls may', async () => {
  const [ann, ben] = await room(2);
  for (const countdownMs of [10_001, -1]) {
    ann.send('play', { countdownMs });
    const { code, re } = await ann.next('error');
    assert.deepEqual([code, re], ['out_of_range', 'play']);
  }
  ben.send('play', { countdownMs: 1_000 });
  assert.equal((await ben.next('error')).code, 'not_host');
  ben.send('ready', {});
  assert.equal((await ben.next('error')).code, 'bad_message');
  assert.equal((await ben.settled()).some(({ type }) => type === 'state'), false);
});
