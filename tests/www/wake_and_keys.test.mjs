import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaKeys } from '../../www/player/playback/media_keys.js';
import { WakeLock } from '../../www/player/playback/wake_lock.js';

class FakeVideo extends EventTarget {
  paused = true;
  ended = false;

  become(type, state) {
    Object.assign(this, state);
    this.dispatchEvent(new Event(type));
  }
}

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

function keys({ mayControl = true, measured = {} } = {}) {
  const sent = [];
  const acted = [];
  const handlers = {};
  let refused = 0;
  const room = Object.assign(new EventTarget(), {
    mayControl,
    timeline: { state: { playing: true, rate: 1 } },
    send: (type, fields) => sent.push({ type, ...fields }),
  });
  const follower = Object.assign(new EventTarget(), {
    detached: false,
    blocked: null,
    measure: () => ({ position: 30, positionS: 12, over: false, durationS: 100, paused: false, ...measured }),
    act: (type, fields) => acted.push({ type, ...fields }),
  });
  const session = {
    setActionHandler(action, handler) {
      if (action === 'stop') throw new TypeError('unknown action');
      handlers[action] = handler;
    },
    setPositionState: (state) => (session.shown = state),
  };
  const source = { current: { title: 'A film' } };
  new MediaKeys({ room, follower, source, session, every: () => {}, onRefused: () => (refused += 1) });
  return { room, follower, session, handlers, sent, acted, refused: () => refused };
}

test('keys of the host go to the server, from where the showing is', () => {
  const { handlers, sent, room } = keys();
  handlers.pause();
  handlers.play(); // it plays already
  handlers.seekforward({});
  handlers.seekbackward({ seekOffset: 40 });
  handlers.seekto({ seekTime: 500 });
  assert.deepEqual(sent, [
    { type: 'pause' }, { type: 'seek', position: 40 }, { type: 'seek', position: 0 }, { type: 'seek', position: 100 },
  ]);
  room.timeline.state.playing = false;
  handlers.play();
  assert.deepEqual(sent.at(-1), { type: 'play' });
});

test('after the end, play begins anew', () => {
  const { handlers, sent } = keys({ measured: { over: true } });
  handlers.play();
  assert.deepEqual(sent, [{ type: 'play', position: 0 }]);
});

test('a viewer who may not is told so, and nothing is sent', () => {
  const { handlers, sent, refused } = keys({ mayControl: false });
  handlers.pause();
  handlers.seekforward({});
  assert.deepEqual(sent, []);
  assert.equal(refused(), 2);
});

test('at their own pace the keys are for this player alone', () => {
  const { handlers, sent, acted, follower } = keys({ mayControl: false });
  follower.detached = true;
  handlers.pause();
  handlers.seekforward({ seekOffset: 5 });
  assert.deepEqual(sent, []);
  assert.deepEqual(acted, [{ type: 'pause' }, { type: 'seek', position: 17 }]);
});

test('the system shows the showing', () => {
  const { room, session } = keys();
  room.dispatchEvent(new Event('state'));
  assert.equal(session.playbackState, 'playing');
  assert.deepEqual(session.shown, { duration: 100, position: 30, playbackRate: 1 });
});
