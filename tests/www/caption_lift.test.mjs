// Captions above the controls, where the cues themselves have to be placed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptionLift, mustLiftCues } from '../../www/player/stage/caption_lift.js';

const cueOf = (text, line = 'auto') => ({ text, line, snapToLines: true, lineAlign: 'start' });
const isAsItWas = (cue, line = 'auto') =>
  assert.deepEqual([cue.line, cue.snapToLines, cue.lineAlign], [line, true, 'start']);

function lift(...cues) {
  const track = { activeCues: cues };
  return { track, lift: new CaptionLift(() => [track, { activeCues: null }]) };
}

test('what stands at the bottom ends above the bar, and is put back without it', () => {
  const cue = cueOf('one\ntwo');
  const { lift: captions } = lift(cue);
  captions.place(80, 400);
  assert.deepEqual([cue.line, cue.snapToLines, cue.lineAlign], [80, false, 'end']);
  captions.place(80, 800);
  assert.equal(cue.line, 90, 'the picture has grown');
  captions.place(0, 800);
  isAsItWas(cue);
});

test('several stand above each other', () => {
  const [lower, upper] = [cueOf('one\ntwo'), cueOf('three')];
  lift(lower, upper).lift.place(80, 400);
  assert.deepEqual([lower.line, upper.line], [80, 67.5]);
});

test('larger letters take more room', () => {
  const [lower, upper] = [cueOf('one'), cueOf('two')];
  lift(lower, upper).lift.place(80, 400, 2);
  assert.deepEqual([lower.line, upper.line], [80, 67.5]);
});

test('what has a place of its own keeps it', () => {
  const cue = cueOf('above', 0);
  lift(cue).lift.place(80, 400);
  isAsItWas(cue, 0);
});

test('a cue that is over is put back: it may come again without the bar', () => {
  const [first, second] = [cueOf('first'), cueOf('second')];
  const { track, lift: captions } = lift(first);
  captions.place(80, 400);
  track.activeCues = [second];
  captions.place(80, 400);
  isAsItWas(first);
  assert.equal(second.line, 80);
});

test('a picture without a height is left alone, and one that the bar fills is not left', () => {
  const cue = cueOf('one');
  const { lift: captions } = lift(cue);
  captions.place(80, 0);
  isAsItWas(cue);
  captions.place(80, 60);
  assert.equal(cue.line, 0);
});

test('only Firefox needs it', () => {
  assert.equal(mustLiftCues({ supports: (property) => property === '-moz-appearance' }), true);
  assert.equal(mustLiftCues({ supports: () => false }), false);
  assert.equal(mustLiftCues(undefined), false);
});
