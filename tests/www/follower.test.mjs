// The follower over a fake element: what happens to the element becomes no command, whatever it is.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { VideoSource } from '../../www/player/playback/video_source.js';
import { Timeline } from '../../www/sync/timeline.js';
import { until } from '../support/until.mjs';
import { FakeVideo } from './support/fake_video.mjs';

globalThis.document = Object.assign(new EventTarget(), { visibilityState: 'visible', pictureInPictureElement: null });
const { Follower } = await import('../../www/player/playback/follower.js');

// One whose refusals to play are told when the test wants.
class RefusingVideo extends FakeVideo {
  refusals = [];
  isRefused = () => false;

  play() {
    if (!this.isRefused()) return super.play();
    this.calls.push('play');
    return new Promise((_, reject) => this.refusals.push(() => reject(new DOMException('', 'NotAllowedError'))));
  }
}

let follower = null;
afterEach(() => follower?.detach()); // no more ticks

// A showing that runs since it was at `position`, and who follows it.
function follow({ position = 20, video = new FakeVideo({ currentTime: 20 }) } = {}) {
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
  const video = new RefusingVideo({ currentTime: 20 });
  video.isRefused = () => !video.muted;
  const { show } = follow({ video });
  for (let i = 0; i < 3; i++) show();
  assert.equal(video.refusals.length, 1);
  video.refusals[0]();
  await until(() => !video.paused, 'it plays');
  assert.deepEqual([video.muted, follower.blocked, video.refusals.length], [true, 'sound', 1]);
});

test('what plays after all, by whatever hand, waits for no tap any more', async () => {
  const video = new RefusingVideo({ currentTime: 20, muted: true });
  video.isRefused = () => true;
  const { show } = follow({ video });
  video.refusals[0]();
  await until(() => follower.blocked === 'play', 'a tap is wanted');
  video.become('playing', { paused: false });
  show();
  assert.equal(follower.blocked, null);
});

test('however long a tap takes: nothing is sought before it, and the place at once after it', async (t) => {
  const now = performance.now.bind(performance);
  let laterMs = 0;
  t.mock.method(performance, 'now', () => now() + laterMs);
  const video = new RefusingVideo({ currentTime: 20, muted: true });
  video.isRefused = () => true;
  follow({ video });
  video.refusals[0]();
  await until(() => follower.blocked === 'play', 'a tap is wanted');
  for (let i = 0; i < 3; i++) {
    laterMs += 6_000;
    video.become('canplay'); // a tick follows
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(video.currentTime, 20);
  }
  video.isRefused = () => false;
  follower.unblock();
  assert.ok(video.currentTime >= 38, `${video.currentTime}`);
});

test('what a viewer has just started is not stopped, though the element has not told of it yet', async (t) => {
  const { video, show } = follow();
  show({ playing: false });
  video.become('pause');
  document.pictureInPictureElement = video;
  t.after(() => (document.pictureInPictureElement = null));
  const told = [];
  follower.steered.addEventListener('native', ({ detail }) => {
    told.push(detail.type);
    follower.yieldToViewer();
  });
  video.paused = false;
  video.become('seeked'); // a tick follows
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([video.paused, told], [false, ['play']]);
});

test('a tap brings the picture back at one\'s own pace, too', async () => {
  const video = new RefusingVideo({ currentTime: 20, muted: true });
  video.isRefused = () => true;
  follow({ video });
  video.refusals[0]();
  await until(() => follower.blocked === 'play', 'a tap is wanted');
  follower.detach();
  video.isRefused = () => false;
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

test('while nobody can say where it is, no gap is told: not even of one who is at their own pace', () => {
  const { video, sent } = follow();
  follower.detach();
  Object.assign(video, { paused: false, currentTime: 0 }); // and no frame comes
  const { positionS, errorMs } = follower.measure();
  assert.deepEqual([positionS, errorMs, sent], [20, null, []]);
  assert.equal(follower.isStarved, false);
});

test('at the very end it is not cut short', () => {
  const video = new FakeVideo({ ended: true, currentTime: 60 });
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
  const video = new FakeVideo({ replaceChildren() {} });
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
