// What comes next: who may say so, how it is told, and how it is played.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { join, openRoom } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

let media;
let server;

before(async () => {
  const films = ['One', 'Two', 'Three'].map((name, i) => [`${name} Film.mp4`, patternBytes(3_000, i)]);
  media = await makeFolder(Object.fromEntries(films));
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--workers', '2'] });
});

after(async () => {
  await server?.stop();
  await media?.remove();
});

const room = (count, settings) => openRoom(server, count, settings);

const videosOf = ({ list }) => list.map(({ video }) => video).join(' ');
const has = (videos) => (queue) => videosOf(queue) === videos;

test('everyone adds, all see the same, who comes later too', async () => {
  const [ann, ben, { key }] = await room(2);
  ann.send('enqueue', { video: 'one-film' });
  await ben.next('queue', has('one-film'));
  ben.send('enqueue', { video: 'two-film', at: 0 });
  const told = await ann.next('queue', has('two-film one-film'));
  assert.deepEqual(told.list[0], { item: told.list[0].item, video: 'two-film', title: 'Two Film', by: { id: ben.id, name: 'p1' } });
  const dan = await join(server, key);
  const queue = await dan.next('queue');
  assert.deepEqual([videosOf(queue), queue.version], ['two-film one-film', told.version]);
  ben.send('move', { item: queue.list[0].item, at: 1 });
  assert.deepEqual(await ben.next('error').then(({ code, re }) => [code, re]), ['not_host', 'move']);
  ann.send('move', { item: queue.list[0].item, at: 1 });
  await dan.next('queue', has('one-film two-film'));
  ben.send('dequeue', { item: queue.list[1].item });
  assert.equal((await ben.next('error')).code, 'not_host');
  ben.send('dequeue', { item: queue.list[0].item });
  await dan.next('queue', has('one-film'));
});

test('the next one comes behind the queue without it, and plays if something was playing', async () => {
  const [ann, ben] = await room(2);
  for (const video of ['one-film', 'two-film', 'three-film']) ann.send('enqueue', { video });
  const { list } = await ben.next('queue', has('one-film two-film three-film'));
  ann.send('next');
  const standing = await ben.next('state', ({ video }) => video === 'one-film');
  assert.deepEqual([standing.cause, standing.playing, standing.by], ['load', false, ann.id]);
  ann.send('play');
  await ben.next('state', ({ playing }) => playing);
  ann.send('jump', { item: list[2].item });
  await ben.next('queue', has('two-film'));
  const state = await ben.next('state');
  assert.deepEqual([state.cause, state.video, state.playing, state.position], ['load', 'three-film', true, 0]);
  ben.send('next');
  assert.equal((await ben.next('error')).code, 'not_host');
});

test('the host may keep it to who controls', async () => {
  const [ann, ben] = await room(2, { queue: 'host' });
  assert.equal(ann.welcome.session.queue, 'host');
  ben.send('enqueue', { video: 'one-film' });
  assert.equal((await ben.next('error')).code, 'not_host');
  ann.send('settings', { queue: 'everyone' });
  await ben.next('settings');
  ben.send('enqueue', { video: 'one-film' });
  await ann.next('queue', has('one-film'));
});

test('what makes no sense is refused', async () => {
  const [ann] = await room(1);
  for (const [type, fields, code] of [
    ['enqueue', { video: 'none' }, 'no_such_video'], ['enqueue', { video: 'one-film', at: -1 }, 'out_of_range'],
    ['next', {}, 'no_such_item'], ['jump', { item: 'q7' }, 'no_such_item'], ['dequeue', { item: '7' }, 'no_such_item'],
    ['move', { item: 'q7', at: 0 }, 'no_such_item'], ['move', { item: 'q7' }, 'bad_message'],
  ]) {
    ann.send(type, fields);
    assert.deepEqual(await ann.next('error').then((error) => [error.code, error.re]), [code, type]);
  }
  assert.equal(ann.of('queue').length, 0);
});
