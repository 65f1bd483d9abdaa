// The beginning of what comes next: when it is fetched, of what, and when that is let go of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { NextFilm } from '../../www/player/playback/next_film.js';

const FIRST = { id: 'first' };
const SECOND = { id: 'second', title: 'The Second', url: '/second' };

// at(positionS, state): what is loaded ahead after a look there.
function watching({ list = [FIRST, SECOND], found = [] } = {}) {
  const known = new Map(list.map((entry) => [entry.id, entry]));
  const video = Object.assign(new EventTarget(), { currentTime: 0, readyState: 4, ended: false });
  const room = { upNext: null, queue: { list: [{ item: '1', video: 'second', title: 'The Second' }] }, settings: { audioLanguage: 'de' }, connection: { phase: { name: 'open' } } };
  const source = { current: FIRST };
  const seen = { loaded: [], closed: 0, asked: [], learned: [] };
  const library = { find: (id) => known.get(id), learn: (entry) => known.set(entry.id, entry) && seen.learned.push(entry.id) };
  const next = new NextFilm({
    room, video, source, library,
    playback: { durationS: 100 },
    openSource: () => ({ audio: { share: (language) => (seen.language = language) }, load: (entry) => seen.loaded.push(entry.id), close: () => (seen.closed += 1) }),
    search: async (question) => seen.asked.push(question) && { videos: found },
  });
  const at = (positionS, state = {}) => {
    Object.assign(video, { currentTime: positionS, readyState: 4, ended: false }, state);
    next.look();
    return seen.loaded;
  };
  return { at, next, room, source, video, seen };
}

test('in the last half minute the beginning of what comes next is fetched, once', () => {
  const { at, seen } = watching();
  assert.deepEqual(at(69), []);
  assert.deepEqual(at(71, { readyState: 2 }), [], 'while what is on lacks data it comes first');
  assert.deepEqual(at(71), ['second']);
  assert.deepEqual(at(75), ['second']);
  assert.equal(seen.language, 'de', 'in the sound that all hear');
});

test('what is about to begin by itself is fetched wherever the film stands', () => {
  const { at, room } = watching();
  room.queue.list = [];
  assert.deepEqual(at(100, { readyState: 2, ended: true }), []);
  room.upNext = { item: '2', video: 'second', title: 'The Second', atMs: 0 };
  assert.deepEqual(at(100, { readyState: 2, ended: true }), ['second']);
});

test('it is let go of when it plays, or when something else comes next', () => {
  const one = watching();
  one.at(80);
  one.source.current = SECOND;
  one.at(0);
  assert.equal(one.seen.closed, 0, 'it is still being opened');
  one.video.dispatchEvent(new Event('loadeddata'));
  assert.equal(one.seen.closed, 1);
  const other = watching({ list: [FIRST, SECOND, { id: 'third' }] });
  other.at(80);
  other.room.queue.list = [{ item: '3', video: 'third', title: '' }];
  assert.deepEqual(other.at(81), ['second', 'third']);
  assert.equal(other.seen.closed, 1);
  other.at(10);
  assert.equal(other.seen.closed, 2, 'somebody went back');
});

test('what the list does not have is asked for once, by its title, and known from then on', async () => {
  const { at, seen } = watching({ list: [FIRST], found: [{ id: 'like-it' }, SECOND] });
  at(80);
  at(80);
  await turn();
  assert.deepEqual(seen.asked, [{ query: 'The Second', limit: 50 }]);
  assert.deepEqual(seen.learned, ['second']);
  assert.deepEqual(at(81), ['second']);
  const without = watching({ list: [FIRST] });
  for (let i = 0; i < 3; i += 1) {
    without.at(80);
    await turn();
  }
  assert.equal(without.seen.asked.length, 1);
  assert.deepEqual(without.seen.loaded, []);
});

test('nothing is fetched ahead offline', () => {
  const { at, room } = watching();
  room.connection.phase.name = 'waiting';
  assert.deepEqual(at(80), []);
});
