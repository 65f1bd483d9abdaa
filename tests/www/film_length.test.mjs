import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilmLength } from '../../www/player/playback/film_length.js';
import { FakeVideo } from './support/fake_video.mjs';

test('the library\'s length is believed before the element\'s', () => {
  const video = new FakeVideo({ duration: 14 });
  let libraryS = 120;
  const length = new FilmLength(video, () => libraryS);
  assert.deepEqual([length.seconds, length.elementsS], [120, 14]);
  libraryS = undefined;
  assert.equal(length.seconds, 14, 'where the library has none');
});

test('where the library says nothing the element\'s is taken, but never a shorter one', () => {
  const video = new FakeVideo({ duration: NaN });
  const length = new FilmLength(video);
  assert.equal(length.seconds, Infinity);
  video.become('durationchange', { duration: 60 });
  video.become('durationchange', { duration: 14 });
  assert.equal(length.seconds, 60);
  video.duration = 61; // without a word
  assert.equal(length.seconds, 61);
});

test('of what is no length, and of another film, nothing is kept', () => {
  const video = new FakeVideo({ duration: 60 });
  const length = new FilmLength(video);
  video.become('durationchange');
  video.become('durationchange', { duration: Infinity });
  assert.equal(length.seconds, 60);
  video.become('emptied', { duration: NaN });
  assert.equal(length.seconds, Infinity);
  video.become('durationchange', { duration: 30 });
  assert.equal(length.seconds, 30);
});
