// The follower over a fake element: what happens to the element becomes no command, whatever it is.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { VideoSource } from '../../www/player/playback/video_source.js';
import { Timeline } from '../../www/sync/timeline.js';
import { until } from '../support/until.mjs';

globalThis.document = Object.assign(new EventTarget(), { visibilityState: 'visible', pictureInPictureElement: null });
const { Follower } = await import('../../www/player/playback/follower.js');

class FakeVideo extends EventTarget {
  paused = true;
  ended = false;
  error = null;
  isConnected = true;
  seeking = false;
  readyState = 4;
  duration = 60;
  playbackRate = 1;
  currentTime = 20;
  buffered = { length: 1, start: () => 0, end: () => 60 };
  calls = [];
  muted = false;
  refuses = () => false;
  refusals = []; // each tells of one, when the test wants

  play() {
    this.calls.push('play');
    const refusal = {};
    refusal.promise = new Promise((resolve, reject) => Object.assign(refusal, { resolve, reject }));
    if (this.refuses()) this.refusals.push(() => refusal.reject(new DOMException('', 'NotAllowedError')));
    else {
      this.paused = false;
      refusal.resolve();
    }
    return refusal.promise;
  }

  pause() {
    if (!this.paused) this.calls.push('pause');
    this.paused = true;
  }

  become(type, state = {}) {
    Object.assign(this, state);
    this.dispatchEvent(new Event(type));
  }
}

let follower = null;
afterEach(() => follower?.detach()); // no more ticks

// A showing that runs since it was at `position`, and who follows it.
function follow({ position = 20, video = new FakeVideo() } = {}) {
  const sent = [];
  const room = Object.assign(new EventTarget(), {
    timeline: new Timeline(), mayControl: true, serverTimeMs: () => performance.now(),
    clock: { serverTimeMs: (nowMs) => nowMs }, lookForSleep: () => false, send: (...words) => sent.push(words) > 0,
  });
  follower = new Follower(video, room, () => undefined);
  let seq = 0;
  const show = (changes = {}) => {
    room.timeline.accept({ epoch: 1, seq: (seq += 1), playing: true, position, rate: 1, atMs: performance.now(), ...changes });
    room.dispatchEvent(new Event('state'));
  };
  show();
  video.calls.length = 0;
  return { video, room, sent, show };
}

test('a film that is cut short: it stands there, says so, and is not started', () => {
  const { video, sent, show } = follow();
  video.become('pause', { ended: true, paused: true, currentTime: 60 });
  video.become('ended');
  show({ rate: 1 });
  show({ rate: 1 });
  assert.equal(video.calls.includes('play'), false);
  assert.equal(follower.ranOut, true);
  assert.equal(follower.measure().ended, true);
  follower.detach();
  assert.equal(follower.ranOut, false, 'at their own pace it is just over');
  follower.attach();
  assert.equal(follower.ranOut, true);
  video.become('emptied', { ended: false, readyState: 0 });
  show();
  assert.equal(follower.ranOut, false, 'loaded anew');
  assert.deepEqual(sent, []);
});

// Ticks of the follower's own, and states, come before the browser's task that tells of a refusal.
test('sound refused, however late that is told: it is not asked for again, and plays silently', async () => {
  const video = new FakeVideo();
  video.refuses = () => !video.muted;
  const { show } = follow({ video });
  for (let i = 0; i < 3; i++) show();
  assert.equal(video.refusals.length, 1);
  video.refusals[0]();
  await until(() => !video.paused, 'it plays');
  assert.deepEqual([video.muted, follower.blocked, video.refusals.length], [true, 'sound', 1]);
});

test('what plays after all, by whatever hand, waits for no tap any more', async () => {
  const video = Object.assign(new FakeVideo(), { muted: true, refuses: () => true });
  const { show } = follow({ video });
  video.refusals[0]();
  await until(() => follower.blocked === 'play', 'a tap is wanted');
  video.become('playing', { paused: false });
  show();
  assert.equal(follower.blocked, null);
});

test('a tap brings the picture back at one\'s own pace, too', async () => {
  const video = Object.assign(new FakeVideo(), { muted: true, refuses: () => true });
  follow({ video });
  video.refusals[0]();
  await until(() => follower.blocked === 'play', 'a tap is wanted');
  follower.detach();
  video.refuses = () => false;
  follower.unblock();
  assert.deepEqual([video.paused, follower.blocked], [false, null]);
});

test('shifted against the room: that is where it is sought, and what its error counts from', () => {
  const { video, show } = follow();
  follower.shiftBy(300);
  assert.equal(follower.shiftMs, 300);
  show({ playing: false, position: 20 });
  show({ playing: false, position: 30 });
  assert.ok(Math.abs(video.currentTime - 30.3) < 0.001, `${video.currentTime}`);
  const { position, errorMs } = follower.measure();
  assert.deepEqual([position, Math.round(errorMs)], [30, 0]);
  follower.shiftBy(9_999);
  assert.equal(follower.shiftMs, 500);
  follower.shiftBy(0);
  assert.ok(Math.abs(video.currentTime - 30) < 0.001, 'it goes back at once, at rest');
});

test('at the very end it is not cut short', () => {
  const video = Object.assign(new FakeVideo(), { ended: true, currentTime: 60 });
  follow({ video, position: 59.5 });
  assert.equal(follower.ranOut, false);
  assert.equal(video.calls.includes('play'), false);
});

test('a decoder that failed: nothing is tried, nothing is sent, nobody need wait for it', () => {
  const { video, sent, show } = follow();
  const soughtS = video.currentTime;
  video.become('error', { error: { code: 3 }, paused: true, readyState: 1 });
  video.become('pause');
  show({ position: 40 });
  assert.deepEqual([video.calls, video.currentTime, sent, follower.buffering], [[], soughtS, [], false]);
});

test('trying again fetches the file anew, past what the browser remembers of its address', () => {
  const video = Object.assign(new FakeVideo(), { replaceChildren() {} });
  const source = new VideoSource(video);
  source.load({ id: 'film', url: '/api/video?id=film' });
  assert.equal(video.src, '/api/video?id=film');
  source.retry();
  assert.equal(video.src, '/api/video?id=film', 'there is no problem');
  source.reload();
  const once = video.src;
  source.reload();
  assert.equal(new Set(['/api/video?id=film', once, video.src]).size, 3);
});
