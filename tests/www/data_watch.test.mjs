import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataWatch, isBuffered, isShortOfData } from '../../www/player/playback/data_watch.js';
import { FilmLength } from '../../www/player/playback/film_length.js';

const FILM_S = 60;
const HAVE_METADATA = 1;
const HAVE_CURRENT_DATA = 2;
const HAVE_FUTURE_DATA = 3;

// A player that has [fromS, toS] of a minute.
function player({ from = 0, to = 60, ...state } = {}) {
  return {
    readyState: HAVE_CURRENT_DATA, currentTime: 10, duration: 60, paused: false, seeking: false,
    buffered: { length: 1, start: () => from, end: () => to }, addEventListener() {},
    ...state,
  };
}

// Looks every tenth of a second, with the clock at that rate; what was said last.
function watch(video, forMs, { data = new DataWatch(video), rate = 0, fromMs = 0 } = {}) {
  let said;
  for (let ms = fromMs; ms <= fromMs + forMs; ms += 100) {
    said = data.lacksData(ms);
    video.currentTime += rate / 10;
  }
  return said;
}

test('a player that runs with all it needs lacks nothing, whatever its readyState', () => {
  assert.equal(watch(player(), 10_000, { rate: 1 }), false);
  assert.equal(isShortOfData(player(), 10, FILM_S), false);
});

test('nor does one that stands where it has been told to', () => {
  assert.equal(watch(player({ paused: true }), 10_000), false);
  assert.equal(watch(player({ seeking: true }), 10_000), false);
});

test('whoever has come to the end of what is there lacks it at once', () => {
  const video = player({ to: 10.3 });
  assert.equal(new DataWatch(video).lacksData(0), true);
  assert.equal(isShortOfData(video, 10, FILM_S), true);
  video.readyState = HAVE_FUTURE_DATA;
  assert.equal(new DataWatch(video).lacksData(0), false, 'the browser knows that it will do');
});

test('without a picture everything is lacking', () => {
  assert.equal(new DataWatch(player({ readyState: HAVE_METADATA })).lacksData(0), true);
  assert.equal(new DataWatch(player({ readyState: 0, buffered: { length: 0 } })).lacksData(0), true);
});

test('a player that did run and stands still has stumbled, one that begins has time', () => {
  const video = player();
  const data = new DataWatch(video);
  assert.equal(watch(video, 2_500, { data }), false, 'a sound device may be slow');
  assert.equal(watch(video, 1_000, { data, fromMs: 2_600, rate: 1 }), false);
  assert.equal(watch(video, 100, { data, fromMs: 3_700 }), false);
  assert.equal(watch(video, 300, { data, fromMs: 3_900 }), true);
  video.seeking = true;
  assert.equal(data.lacksData(4_300), false, 'a seek is no stumble');
  video.seeking = false;
  assert.equal(data.lacksData(4_400), false, 'it begins anew');
  assert.equal(watch(video, 3_000, { data, fromMs: 4_500 }), true, 'and does not begin');
});

test('what is buffered counts for a second ahead, and towards the end for what there is', () => {
  const isThere = (ranges, positionS, lengthS = FILM_S) => isBuffered(player(ranges), positionS, lengthS);
  assert.equal(isThere({ to: 11 }, 10), true);
  assert.equal(isThere({ to: 10.9 }, 10), false);
  assert.equal(isThere({ from: 10.1 }, 10), false);
  assert.equal(isThere({ to: 59.9 }, 59.5), true);
  assert.equal(isThere({ to: 59.9 }, 59.5, Infinity), false);
  assert.equal(isThere({ to: 59.9 }, 59.95), false, 'nothing is there any more');
});

test('an element that takes the place it has reached for the end still lacks what is to come', () => {
  const video = player({ to: 10.3, duration: 10 });
  const length = new FilmLength(video, () => FILM_S);
  assert.equal(new DataWatch(video, { length }).lacksData(0), true);
});
