// What is said of a session that one is not in: on the start page and at the gate; and what the browser keeps of it.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { formatAgo } from '../../www/format.js';
import { rememberSession, rememberedSessions } from '../../www/memory.js';
import { sayWhere, sayWho } from '../../www/whereabouts.js';
import { fakeStorage } from './support/fake_storage.mjs';

const NOW_MS = 1_700_000_000_000;
const info = (fields, state = {}) => ({
  members: 0, serverTimeMs: NOW_MS, video: { duration: 5_000 },
  state: { playing: false, position: 2_530, rate: 1, atMs: NOW_MS - 10_000, ...state }, ...fields,
});

beforeEach(fakeStorage);

test('how long ago, in words', () => {
  const ago = (ageMs, locale = 'en') => formatAgo(ageMs, locale);
  assert.equal(ago(30_000), '1 minute ago');
  assert.equal(ago(59 * 60_000 + 59_000), '59 minutes ago');
  assert.equal(ago(2.9 * 3_600_000), '2 hours ago');
  assert.equal(ago(25 * 3_600_000), 'yesterday');
  assert.equal(ago(3 * 3_600_000, 'de'), 'vor 3 Stunden');
});

test('who is there; or when everybody left, and where', () => {
  assert.equal(sayWho(info({ members: 2 })), '2 people are watching.');
  assert.equal(sayWho(info({})), 'Nobody is here yet.');
  assert.equal(sayWho(info({ leftMs: NOW_MS - 7_200_000 })), 'Everybody left 2 hours ago, at 42:10.');
  assert.equal(sayWho(info({ leftMs: NOW_MS - 7_200_000 }), (ago, time) => `${ago} ${time}`), '2 hours ago 42:10');
  assert.equal(sayWho(info({ members: 1, leftMs: NOW_MS - 7_200_000 })), 'One person is watching.', 'somebody is back');
});

test('where it is, while somebody is there and the length is known', () => {
  assert.equal(sayWhere(info({ members: 1 })), 'at 42:10 of 1:23:20');
  assert.equal(sayWhere(info({ members: 1 }, { playing: true })), 'at 42:20 of 1:23:20');
  assert.equal(sayWhere(info({ members: 1 }, { playing: true, atMs: NOW_MS + 5_000 })), 'at 42:10 of 1:23:20', 'it has not begun');
  assert.equal(sayWhere(info({ members: 1 }, { playing: true, atMs: NOW_MS - 9e6 })), 'at 1:23:20 of 1:23:20');
  for (const one of [info({}), info({ members: 1, video: null }), info({ members: 1, video: {} })]) assert.equal(sayWhere(one), '');
});

test('of a session the browser keeps what it showed and who was there, the latest five', () => {
  rememberSession('a');
  rememberSession('a', { title: 'A Film' });
  rememberSession('b', { names: ['Ann'] });
  rememberSession('a', { names: ['Ben', 'Cem'] });
  rememberSession('a', { names: ['Ben', 'Dan', 'Eve', 'Fay', 'Gus'] });
  rememberSession('a', { title: 'Another' });
  const [first, second] = rememberedSessions();
  assert.deepEqual([first.key, first.title, first.names], ['a', 'Another', ['Cem', 'Dan', 'Eve', 'Fay', 'Gus']]);
  assert.deepEqual([second.key, second.title, second.names], ['b', undefined, ['Ann']]);
  localStorage.setItem('videosync.sessions', JSON.stringify([{ key: 'c', atMs: 1, names: 'odd' }]));
  rememberSession('c', { names: ['Ann'] });
  assert.deepEqual(rememberedSessions()[0].names, ['Ann'], 'what a page of another version has kept');
});
