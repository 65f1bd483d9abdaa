// How captions look: what is remembered of it, and what becomes of their cues.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { CaptionLook } from '../../www/player/stage/caption_look.js';
import { CuePlaces } from '../../www/player/stage/cue_places.js';
import { fakeStorage } from './support/fake_storage.mjs';

beforeEach(fakeStorage);

test('size and place hold on the next page, and end at their ends', () => {
  const look = new CaptionLook();
  assert.deepEqual([look.size, look.place], [100, 'bottom']);
  for (let i = 0; i < 9; i += 1) look.resize(1);
  look.moveOn();
  const next = new CaptionLook();
  assert.deepEqual([next.size, next.place], [200, 'raised']);
  for (let i = 0; i < 9; i += 1) next.resize(-1);
  assert.equal(new CaptionLook().size, 50);
  next.moveOn();
  next.moveOn();
  assert.equal(new CaptionLook().place, 'bottom', 'all the way round');
});

test('what is remembered and makes no sense is as if it were not', () => {
  for (const [name, value] of [['captionsSize', '1e9'], ['captionsPlace', 'left'], ['captionsDelays', '{"a":1}']]) {
    localStorage.setItem(`videosync.player.${name}`, value);
  }
  const look = new CaptionLook();
  look.open('film');
  assert.deepEqual([look.size, look.place, look.delayMs], [100, 'bottom', 0]);
});

test('a delay is its film\'s alone, and holds there on another day', () => {
  const look = new CaptionLook();
  look.open('one');
  look.delayBy(1);
  look.delayBy(1);
  assert.equal(look.delayMs, 200);
  look.open('other');
  assert.equal(look.delayMs, 0);
  look.delayBy(-1);
  const later = new CaptionLook();
  for (const [film, ms] of [['one', 200], ['other', -100]]) {
    later.open(film);
    assert.equal(later.delayMs, ms, film);
  }
  later.setDelay(0);
  assert.equal(JSON.parse(localStorage.getItem('videosync.player.captionsDelays')).length, 1, 'none is not kept');
  later.setDelay(1e9);
  assert.equal(later.delayMs, 60_000);
});

test('the delays of the latest films are kept, not of all', () => {
  const look = new CaptionLook();
  for (let i = 0; i < 150; i += 1) {
    look.open(`film-${i}`);
    look.delayBy(1);
  }
  const again = new CaptionLook();
  for (const [film, ms] of [['film-0', 0], ['film-149', 100]]) {
    again.open(film);
    assert.equal(again.delayMs, ms, film);
  }
});

const cueOf = (startTime, endTime, line = 'auto') => ({ startTime, endTime, line });

test('cues come later or earlier than their track has them, and are put back', () => {
  const places = new CuePlaces();
  const cue = cueOf(1, 3);
  const at = (delayS) => {
    places.place([cue], { delayS, isTop: false });
    return [cue.startTime, cue.endTime];
  };
  assert.deepEqual(at(0.5), [1.5, 3.5]);
  assert.deepEqual(at(0.5), [1.5, 3.5], 'once');
  assert.deepEqual(at(-2), [0, 1], 'nothing is before the film');
  assert.deepEqual(at(-5), [0, 0]);
  assert.deepEqual(at(0), [1, 3]);
});

test('at the top stands what says nothing of its place, until it is put back', () => {
  const places = new CuePlaces();
  const [free, sign] = [cueOf(0, 1), cueOf(0, 1, 20)];
  const place = (isTop) => places.place([free, sign], { delayS: 0, isTop });
  assert.equal(place(true), true);
  assert.deepEqual([free.line, sign.line], [0, 20]);
  assert.equal(place(true), false, 'nothing moved');
  assert.equal(place(false), true);
  assert.deepEqual([free.line, sign.line], ['auto', 20]);
  free.line = 80; // as caption_lift.js does
  place(false);
  assert.equal(free.line, 80);
  places.place(null, { delayS: 1, isTop: true });
});
