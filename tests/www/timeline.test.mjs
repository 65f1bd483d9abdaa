import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../../www/sync/timeline.js';

const state = (changes = {}) => ({
  epoch: 1, seq: 1, playing: true, position: 10, rate: 1, atMs: 1000, video: 'a', ...changes,
});

test('the position runs with server time, at the rate', () => {
  const timeline = new Timeline();
  timeline.accept(state({ rate: 2 }));
  assert.equal(timeline.positionAt(1000), 10);
  assert.equal(timeline.positionAt(3500), 15);
});

test('at rest the position stands', () => {
  const timeline = new Timeline();
  timeline.accept(state({ playing: false }));
  assert.equal(timeline.positionAt(999_999), 10);
  assert.equal(timeline.isRunningAt(999_999), false);
});

test('a scheduled start waits for its time', () => {
  const timeline = new Timeline();
  timeline.accept(state({ atMs: 2000 }));
  assert.equal(timeline.startsInMs(1700), 300);
  assert.equal(timeline.isRunningAt(1700), false);
  assert.equal(timeline.positionAt(1700), 10);
  assert.equal(timeline.startsInMs(2100), 0);
  assert.equal(timeline.isRunningAt(2000), true);
});

test('the position never leaves the media', () => {
  const timeline = new Timeline();
  timeline.accept(state());
  timeline.setDuration(12);
  assert.equal(timeline.positionAt(60_000), 12);
  assert.equal(timeline.isOverAt(60_000), true);
  assert.equal(timeline.isRunningAt(60_000), false);
  timeline.setDuration(Infinity);
  assert.equal(timeline.positionAt(61_000), 70, 'an unknown length bounds nothing');
});

test('another video has another length', () => {
  const timeline = new Timeline();
  timeline.accept(state());
  timeline.setDuration(12);
  timeline.accept(state({ seq: 2, video: 'b' }));
  assert.equal(timeline.durationS, Infinity);
});

test('only what is newer by (epoch, seq) counts', () => {
  const timeline = new Timeline();
  assert.equal(timeline.accept(state({ epoch: 2, seq: 5 })), true);
  assert.equal(timeline.accept(state({ epoch: 2, seq: 5, position: 99 })), false);
  assert.equal(timeline.accept(state({ epoch: 2, seq: 4 })), false);
  assert.equal(timeline.accept(state({ epoch: 1, seq: 9 })), false, 'a former host has no say');
  assert.equal(timeline.accept(state({ epoch: 3, seq: 1 })), true);
  assert.equal(timeline.state.epoch, 3);
});

test('epochs are as large as the server\'s time in microseconds, each of them its own', () => {
  const epoch = Number.MAX_SAFE_INTEGER - 1;
  const timeline = new Timeline();
  timeline.accept(JSON.parse(JSON.stringify(state({ epoch, seq: 9 }))));
  assert.equal(timeline.accept(state({ epoch: epoch - 1, seq: 10 })), false);
  assert.equal(timeline.accept(state({ epoch, seq: 10 })), true);
  assert.equal(timeline.accept(state({ epoch: epoch + 1, seq: 1 })), true);
});

test('a state that a take-over left behind does not count any more', () => {
  const [first, second] = [1_795_000_000_000_000, 1_795_000_000_000_001];
  const takenOver = [
    { epoch: first, after: { epoch: 1, seq: 5 } },
    { epoch: second, after: { epoch: first, seq: 8 } },
  ];
  const cases = [
    [1, 5, false, 'what the take-over went on from'],
    [1, 4, false, 'older than that'],
    [1, 6, true, 'said to the node that was cut off'],
    [2, 1, true, 'there was a new host on it as well'],
    [first, 8, false, 'the second one went on from here'],
    [first, 9, true, 'left behind by the second one alone'],
    [second, 1, false, 'of the newest epoch'],
  ];
  for (const [epoch, seq, isUndone, what] of cases) {
    const timeline = new Timeline();
    timeline.accept(state({ epoch, seq }));
    assert.equal(timeline.isUndoneBy(takenOver), isUndone, what);
    assert.equal(timeline.isUndoneBy([]), false);
  }
  assert.equal(new Timeline().isUndoneBy(takenOver), false, 'nothing was seen yet');
});

test('states in any order end in the newest one', () => {
  const states = [];
  for (let epoch = 1; epoch <= 3; epoch++) {
    for (let seq = 1; seq <= 3; seq++) states.push(state({ epoch, seq }));
  }
  for (let start = 0; start < states.length; start++) {
    const timeline = new Timeline();
    for (let i = 0; i < states.length; i++) timeline.accept(states[(start + i * 4) % states.length]);
    assert.deepEqual([timeline.state.epoch, timeline.state.seq], [3, 3]);
  }
});

test('what is no playback state changes nothing', () => {
  const timeline = new Timeline();
  for (const bad of [null, {}, state({ position: NaN }), state({ rate: 0 }), state({ playing: 'yes' })]) {
    assert.equal(timeline.accept(bad), false);
  }
  assert.equal(timeline.state, null);
  assert.equal(timeline.positionAt(1000), 0);
});

test('a film that is not of the library stands by its address', () => {
  const timeline = new Timeline();
  timeline.accept(state({ seq: 1, video: 'a-film' }));
  timeline.setDuration(60);
  assert.ok(timeline.accept(state({ seq: 2, video: null, url: 'https://films.example/a' })));
  assert.deepEqual([timeline.state.video, timeline.durationS], ['https://films.example/a', Infinity], 'another film');
  timeline.setDuration(30);
  timeline.accept(state({ seq: 3, video: null, url: 'https://films.example/a' }));
  assert.equal(timeline.durationS, 30, 'the same');
});
