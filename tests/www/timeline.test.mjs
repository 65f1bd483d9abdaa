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
  timeline.setDuration(NaN);
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
