import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatestSender } from '../../www/player/playback/latest_sender.js';
import { SharedPlayback } from '../../www/player/playback/shared_playback.js';
import { FakeTime } from './support/fake_network.mjs';

// A showing that plays at 10 s, a viewer who may control it, and what was sent and told.
function showing({ mayControl = true, connected = true } = {}) {
  const time = new FakeTime();
  const sent = [];
  const told = [];
  const room = Object.assign(new EventTarget(), {
    mayControl,
    presence: { hostName: 'Ann' },
    timeline: { state: { playing: true, rate: 1 }, positionAt: () => 10 },
    serverTimeMs: () => 0,
    send: (type, fields) => connected && sent.push([type, fields]) > 0,
  });
  const follower = Object.assign(new EventTarget(), { detached: false, blocked: null, measure: () => ({ over: false }) });
  const video = { duration: 60, paused: false, ended: false, playbackRate: 1.02, currentTime: 9.9 };
  const playback = new SharedPlayback({
    room, video, follower, tell: (words) => told.push(words), timers: time.timers, now: time.now,
  });
  return { time, sent, told, room, follower, video, playback };
}

test('what is read is the showing\'s, not the element\'s', () => {
  const { playback, video } = showing();
  video.paused = true;
  assert.deepEqual([playback.playing, playback.rate, playback.position], [true, 1, 10]);
});

test('a command is pending until a state comes back, and no longer than an answer may take', () => {
  const { playback, room, time, sent } = showing();
  playback.pause();
  assert.deepEqual(sent, [['pause', undefined]]);
  assert.equal(playback.pending, 'pause');
  assert.equal(playback.playing, true, 'nothing is changed before the state comes');
  room.dispatchEvent(new Event('state'));
  assert.equal(playback.pending, null);
  playback.pause();
  time.pass(1_500);
  assert.equal(playback.pending, null);
});

test('seeks add up, stay within the video, and are sent once they rest', () => {
  const { playback, time, sent } = showing();
  playback.seekBy(5);
  playback.seekBy(5);
  assert.equal(playback.position, 20);
  playback.seekBy(500);
  time.pass(200);
  assert.deepEqual(sent, [['seek', { position: 60 }]]);
  assert.equal(playback.position, 60, 'where it was sent to, until the state says more');
});

test('who may not control is told why, and nothing is sent', () => {
  const { playback, sent, told, time } = showing({ mayControl: false });
  playback.play();
  playback.seekTo(30);
  playback.setRate(2);
  time.pass(1_000);
  assert.deepEqual(sent, []);
  assert.equal(told.length, 3);
  assert.match(told[0], /Ann/);
});

test('without a connection nothing is pending', () => {
  const { playback, told } = showing({ connected: false });
  playback.pause();
  assert.equal(told.length, 1);
  assert.equal(playback.pending, null);
});

test('at their own pace the viewer commands their own player', () => {
  const { playback, follower, video, sent } = showing({ mayControl: false });
  const acts = [];
  Object.assign(follower, { detached: true, act: (...act) => acts.push(act) });
  playback.pause();
  assert.deepEqual(acts, [['pause', undefined]]);
  assert.deepEqual(sent, []);
  assert.equal(playback.position, video.currentTime);
});

test('a value that is held goes only when it is let go', () => {
  const time = new FakeTime();
  const sent = [];
  const sender = new LatestSender((value) => sent.push(value), time.timers);
  sender.hold();
  sender.push(1);
  time.pass(1_000);
  sender.push(2);
  assert.deepEqual(sent, []);
  sender.release();
  sender.release();
  time.pass(1_000);
  assert.deepEqual(sent, [2]);
});
