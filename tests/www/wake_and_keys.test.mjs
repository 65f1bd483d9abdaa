import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaKeys } from '../../www/player/playback/media_keys.js';
import { SharedPlayback } from '../../www/player/playback/shared_playback.js';
import { WakeLock } from '../../www/player/playback/wake_lock.js';
import { FakeTime } from './support/fake_network.mjs';
import { FakeVideo } from './support/fake_video.mjs';

function screen() {
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const video = new FakeVideo();
  const sentinels = [];
  const wakeLock = {
    refuse: false,
    async request() {
      if (this.refuse) throw new Error('low battery');
      const sentinel = Object.assign(new EventTarget(), {
        released: false,
        async release() {
          this.released = true;
          this.dispatchEvent(new Event('release'));
        },
      });
      sentinels.push(sentinel);
      return sentinel;
    },
  };
  new WakeLock(video, { document: page, wakeLock });
  const held = async () => {
    await new Promise(setImmediate);
    return sentinels.filter(({ released }) => !released).length;
  };
  return { page, video, sentinels, wakeLock, held };
}

test('the screen stays on exactly while the picture runs', async () => {
  const { video, held } = screen();
  assert.equal(await held(), 0);
  video.become('playing', { paused: false });
  video.become('playing', { paused: false });
  assert.equal(await held(), 1);
  video.become('pause', { paused: true });
  assert.equal(await held(), 0);
  video.become('playing', { paused: false });
  video.become('ended', { ended: true });
  assert.equal(await held(), 0);
});

test('what a hidden page lost it asks for again', async () => {
  const { page, video, sentinels, held } = screen();
  video.become('playing', { paused: false });
  assert.equal(await held(), 1);
  page.visibilityState = 'hidden';
  await sentinels[0].release();
  page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(await held(), 0);
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(await held(), 1);
});

test('a refusal is not the end of it', async () => {
  const { video, wakeLock, held } = screen();
  wakeLock.refuse = true;
  video.become('playing', { paused: false });
  assert.equal(await held(), 0);
  wakeLock.refuse = false;
  video.become('playing', { paused: false });
  assert.equal(await held(), 1);
});

// Media keys of a showing that plays at 30 s of 100.
function keys({ mayControl = true } = {}) {
  const time = new FakeTime();
  const [sent, acted, told] = [[], [], []];
  const handlers = {};
  const room = Object.assign(new EventTarget(), {
    mayControl,
    presence: { hostName: 'Ann' },
    timeline: { state: { playing: true, rate: 1 }, positionAt: () => 30 },
    serverTimeMs: () => 0,
    takeCommands: () => (type, fields) => sent.push({ type, ...fields }),
  });
  const follower = Object.assign(new EventTarget(), {
    steered: { rate: { asked: 1 } }, detached: false,
    blocked: null,
    measure: () => ({ over: false, durationS: 100 }),
    act: (type, fields) => acted.push({ type, ...fields }),
  });
  const session = {
    playbackState: 'none',
    setActionHandler(action, handler) {
      if (action === 'stop') throw new TypeError('unknown action');
      handlers[action] = handler;
    },
    setPositionState: (state) => (session.shown = state),
  };
  const source = { current: { title: 'A film' } };
  const video = { duration: 30, paused: false, currentTime: 12, playbackRate: 1 };
  const playback = new SharedPlayback({
    room, video, follower, tell: (words) => told.push(words), timers: time.timers, now: time.now,
  });
  new MediaKeys({ room, playback, source, session, every: () => {} });
  return { time, room, follower, session, handlers, sent, acted, told };
}

test('keys of the host go to the server, from where the showing is; seeks are gathered', () => {
  const { handlers, sent, time } = keys();
  handlers.play(); // it plays already
  handlers.seekforward({});
  handlers.seekforward({});
  time.pass(200);
  handlers.seekto({ seekTime: 70, fastSeek: true });
  handlers.seekto({ seekTime: 500 });
  time.pass(200);
  handlers.seekbackward({ seekOffset: 40 });
  time.pass(200);
  handlers.pause();
  assert.deepEqual(sent, [
    { type: 'seek', position: 50 }, { type: 'seek', position: 100 }, { type: 'seek', position: 60 }, { type: 'pause' },
  ]);
});

test('a viewer who may not is told so, and nothing is sent', () => {
  const { handlers, sent, told, time } = keys({ mayControl: false });
  handlers.pause();
  handlers.seekforward({});
  time.pass(200);
  assert.deepEqual(sent, []);
  assert.equal(told.length, 2);
  assert.match(told[0], /Ann/);
});

test('at their own pace the keys are for this player alone', () => {
  const { handlers, sent, acted, follower, time } = keys({ mayControl: false });
  Object.assign(follower, { detached: true, placeS: 12 });
  handlers.pause();
  handlers.seekforward({ seekOffset: 5 });
  time.pass(200);
  assert.deepEqual(sent, []);
  assert.deepEqual(acted, [{ type: 'pause' }, { type: 'seek', position: 17 }]);
});

test('the system shows the showing, of the length that is known, whatever the element says', () => {
  const { room, session } = keys();
  room.dispatchEvent(new Event('state'));
  assert.equal(session.playbackState, 'playing');
  assert.deepEqual(session.shown, { duration: 100, position: 30, playbackRate: 1 });
  room.timeline.state.playing = false;
  room.dispatchEvent(new Event('settings'));
  assert.equal(session.playbackState, 'paused');
});
