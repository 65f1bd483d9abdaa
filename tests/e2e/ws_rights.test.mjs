// Who may control besides the host: those whom it names, as all are told.
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

test('whom the host names may control, until it takes that back', async () => {
  const [ann, ben, cem, { key }] = await room(3);
  ben.send('play');
  assert.equal((await ben.next('error')).code, 'not_host');
  ann.send('settings', { controllers: [ben.id] });
  for (const who of [ann, ben, cem]) assert.deepEqual((await who.next('settings')).controllers, [ben.id]);
  ben.send('play');
  assert.equal((await cem.next('state')).by, ben.id);
  cem.send('pause');
  assert.equal((await cem.next('error')).code, 'not_host');
  ben.send('settings', { controllers: [cem.id] });
  assert.equal((await ben.next('error')).code, 'not_host');
  const dan = await join(server, key, { name: 'Dan' });
  assert.deepEqual(dan.welcome.session.controllers, [ben.id]);
  ann.send('settings', { controllers: [] });
  await ben.next('settings');
  ben.send('pause');
  assert.equal((await ben.next('error')).code, 'not_host');
});

test('who is removed is named no more', async () => {
  const [ann, ben, cem] = await room(3);
  ann.send('settings', { controllers: [ben.id, cem.id], queue: 'host' });
  assert.equal((await cem.next('settings')).queue, 'host');
  ann.send('kick', { id: ben.id });
  assert.deepEqual((await cem.next('settings')).controllers, [cem.id]);
});

test('only members can be named', async () => {
  const [ann] = await room(2);
  for (const [controllers, code] of [[['m99'], 'no_such_member'], [['Ben'], 'no_such_member'], ['m2', 'bad_message']]) {
    ann.send('settings', { controllers });
    assert.equal((await ann.next('error')).code, code);
  }
});
