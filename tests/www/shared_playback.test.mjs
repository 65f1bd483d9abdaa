import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatestSender } from '../../www/player/playback/latest_sender.js';
import { SharedPlayback } from '../../www/player/playback/shared_playback.js';
import { actOf } from './support/acts.mjs';
import { FakeTime } from './support/fake_network.mjs';

const act = actOf();

// A showing that plays at 10 s, a viewer who may control it, and what was sent and told.
function showing({ mayControl = true, connected = true } = {}) {
  const time = new FakeTime();
  const sent = [];
  const told = [];
  const room = Object.assign(new EventTarget(), {
    mayControl,
    presence: { hostName: 'Ann' },
    timeline: { state: { playing: true, rate: 1, video: 'film' }, positionAt: () => 10 },
    serverTimeMs: () => 0,
    takeCommands: () => (type, fields) => connected && sent.push([type, fields]) > 0,
  });
  const follower = Object.assign(new EventTarget(), {
    detached: false, blocked: null, yielded: 0, measure: () => ({ over: false, durationS: 60 }),
    yieldToViewer: () => (follower.yielded += 1),
  });
  const video = { duration: 60, paused: false, ended: false, playbackRate: 1.02 };
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
  playback.pause(act);
  assert.deepEqual(sent, [['pause', undefined]]);
  assert.equal(playback.pending, 'pause');
  assert.equal(playback.playing, true, 'nothing is changed before the state comes');
  room.dispatchEvent(new Event('state'));
  assert.equal(playback.pending, null);
  playback.pause(act);
  time.pass(1_500);
  assert.equal(playback.pending, null);
});

test('what comes next, and a count down, are commands of a person\'s act; at one\'s own pace, too', () => {
  const { playback, follower, sent } = showing();
  follower.detached = true;
  playback.next(act);
  playback.jump(act, 'i7');
  playback.cancelNext(act);
  follower.detached = false;
  playback.countDown(act, 3_000);
  assert.deepEqual(sent, [['next', {}], ['jump', { item: 'i7' }], ['cancelNext', {}], ['play', { countdownMs: 3_000 }]]);
  for (const command of ['next', 'jump', 'cancelNext', 'countDown']) assert.throws(() => playback[command](null, 1), /nobody asked/);
});

test('who may not control is told so, and nothing is sent', () => {
  const { playback, sent, told } = showing({ mayControl: false });
  playback.next(act);
  playback.countDown(act, 3_000);
  assert.deepEqual([sent.length, told.length], [0, 2]);
});

test('seeks add up, stay within the video, and are sent once they rest', () => {
  const { playback, time, sent } = showing();
  playback.seekBy(act, 5);
  playback.seekBy(act, 5);
  assert.equal(playback.position, 20);
  playback.seekBy(act, 500);
  time.pass(200);
  assert.deepEqual(sent, [['seek', { position: 60 }]]);
  assert.equal(playback.position, 60, 'where it was sent to, until the state says more');
});

test('the showing\'s end counts, not what the element takes for it', () => {
  const { playback, follower, video, time, sent } = showing();
  video.duration = 12; // as WebKit may say once it has got there
  playback.seekBy(act, 20);
  time.pass(200);
  playback.seekToShare(act, 0.5);
  time.pass(200);
  follower.measure = () => ({ over: false, durationS: Infinity });
  playback.seekToShare(act, 0.5); // of nobody knows what
  time.pass(200);
  assert.deepEqual(sent, [['seek', { position: 30 }], ['seek', { position: 30 }]]);
});

test('who may not control is told why, and nothing is sent', () => {
  const { playback, sent, told, time } = showing({ mayControl: false });
  playback.pause(act);
  playback.seekTo(act, 30);
  playback.setRate(act, 2);
  time.pass(1_000);
  assert.deepEqual(sent, []);
  assert.equal(told.length, 3);
  assert.match(told[0], /Ann/);
});

test('without a connection nothing is pending', () => {
  const { playback, told } = showing({ connected: false });
  playback.pause(act);
  assert.equal(told.length, 1);
  assert.equal(playback.pending, null);
});

test('at their own pace the viewer commands their own player', () => {
  const { playback, follower, sent } = showing({ mayControl: false });
  const acts = [];
  Object.assign(follower, { detached: true, placeS: 9.9, act: (...act) => acts.push(act) });
  playback.pause(act);
  assert.deepEqual(acts, [['pause', undefined]]);
  assert.deepEqual(sent, []);
  assert.equal(playback.position, 9.9);
});

test('without a person\'s act there is no command, not even to be refused', () => {
  const { playback, sent, told } = showing();
  const [{ playback: guest }, none] = [showing({ mayControl: false }), undefined];
  for (const nobody of [none, null, {}, { of: 'click' }, new Event('pause')]) {
    assert.throws(() => playback.pause(nobody), /nobody asked/);
    assert.throws(() => guest.setRate(nobody, 2), /nobody asked/);
  }
  assert.deepEqual([sent, told], [[], []]);
});

test('what asks for no more than is shown is no command', () => {
  const { playback, sent, told, room, time } = showing();
  playback.play(act);
  playback.setRate(act, 1);
  playback.load(act, 'film');
  Object.assign(room.timeline.state, { playing: false, rate: 1.5 });
  playback.pause(act);
  playback.setRate(act, 1.5);
  playback.seekTo(act, 10);
  time.pass(1_000);
  assert.deepEqual(sent, []);
  Object.assign(room, { mayControl: false });
  playback.setRate(act, 1.5);
  assert.deepEqual([sent, told], [[], []], 'nor is anybody told that they may not');
});

test('what asks for what is on its way already is none either; what takes it back is', () => {
  const { playback, sent, room } = showing();
  playback.pause(act);
  playback.pause(act);
  playback.toggle(act);
  playback.toggle(act);
  playback.setRate(act, 2);
  playback.setRate(act, 2);
  assert.deepEqual(sent.map(([type]) => type), ['pause', 'play', 'pause', 'rate']);
  room.dispatchEvent(new Event('state'));
  playback.setRate(act, 1);
  assert.equal(sent.length, 4, 'the showing is still at the old speed');
});

test('after the end, play begins anew', () => {
  const { playback, follower, sent } = showing();
  follower.measure = () => ({ over: true });
  playback.play(act);
  assert.deepEqual(sent, [['play', { position: 0 }]]);
});

test('the browser\'s own controls are followed, and the element left as it is; who may not is not asked', () => {
  const { playback, follower, sent, time } = showing();
  playback.followNative(act, { type: 'play' });
  assert.equal(follower.yielded, 0, 'it plays already');
  playback.followNative(act, { type: 'pause' });
  for (const position of [20, 25, 30]) playback.followNative(act, { type: 'seek', position });
  time.pass(200);
  assert.deepEqual(sent, [['pause', undefined], ['seek', { position: 30 }]], 'a slider that is drawn is one seek');
  assert.equal(follower.yielded, 4);
  const guest = showing({ mayControl: false });
  guest.playback.followNative(act, { type: 'pause' });
  assert.deepEqual([guest.sent, guest.told, guest.follower.yielded], [[], [], 0]);
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
