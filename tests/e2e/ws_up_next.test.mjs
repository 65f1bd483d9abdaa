// At the end of a film what comes next is announced, and begins by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSession, join, joinMany } from '../support/member.mjs';
import { makeMedia } from '../support/media.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const SECONDS = 2;
let media;
let server;

before(async () => {
  media = await makeMedia(['Show S01E01', 'Show S01E02', 'zz-last'].map((name) => ({ name, seconds: SECONDS })));
  server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--workers', '2'] });
  await untilFilmsAreKnown(server);
});

after(async () => {
  await server?.stop();
  await media?.remove();
});

const videos = async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos;

async function room(count, title) {
  const list = await videos();
  const id = (wanted) => list.find((video) => video.title.startsWith(wanted)).id;
  const session = await createSession(server, { video: id(title) });
  return { people: await joinMany(server, session.key, count), key: session.key, id };
}

test('the first of the queue begins 8 s after the end, for all at the same moment', async () => {
  const { people: [ann, ben], key, id } = await room(2, 'zz');
  ann.send('enqueue', { video: id('Show S01E02') });
  ann.send('play', { position: SECONDS - 0.2 });
  const ended = await ben.next('state', ({ cause }) => cause === 'ended');
  const next = await ben.next('upNext');
  assert.deepEqual([next.video, next.title.startsWith('Show')], [id('Show S01E02'), true]);
  assert.ok(Math.abs(next.atMs - ended.atMs - 8_000) < 100);
  const cem = await join(server, key);
  assert.deepEqual(cem.welcome.upNext, { item: next.item, video: next.video, title: next.title, atMs: next.atMs });
  assert.equal((await ben.next('queue', ({ list }) => list.length === 0)).list.length, 0);
  const states = await Promise.all([ann, ben, cem].map((who) => who.next('state', ({ cause }) => cause === 'load')));
  for (const { video, playing, atMs, by } of states) {
    assert.deepEqual([video, playing, by, atMs], [next.video, true, null, states[0].atMs]);
  }
  assert.ok(states[0].atMs >= next.atMs);
});

test('an episode is followed by the next one; who controls calls that off, or begins it now', async () => {
  const { people: [ann, ben], id } = await room(2, 'Show S01E01');
  ann.send('play', { position: SECONDS - 0.2 });
  const { list: [item] } = await ben.next('queue');
  assert.deepEqual([item.video, item.by], [id('Show S01E02'), null]);
  await ben.next('upNext', (next) => next.item === item.item);
  ben.send('cancelNext');
  assert.equal((await ben.next('error')).code, 'not_host');
  ann.send('cancelNext');
  assert.equal((await ben.next('upNext')).item, null);
  ann.send('next');
  const state = await ben.next('state', ({ cause }) => cause === 'load');
  assert.deepEqual([state.video, state.playing, state.by], [item.video, true, ann.id]);
});
