import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NativeActs } from '../../www/player/playback/native_acts.js';

class FakeVideo extends EventTarget {
  paused = false;
  ended = false;
  seeking = false;
  readyState = 4;
  currentTime = 10;

  become(type, state = {}) {
    Object.assign(this, state);
    this.dispatchEvent(new Event(type));
  }
}

function watched({ hidden = false } = {}) {
  const video = new FakeVideo();
  const acts = [];
  const native = new NativeActs(video, (type, fields) => acts.push({ type, ...fields }), () => hidden);
  video.become('timeupdate');
  return { video, native, acts };
}

test('what we do ourselves is no act of the viewer', () => {
  const { video, native, acts } = watched();
  native.willPause();
  video.become('pause', { paused: true });
  native.willPause(); // it stands already: no event will come
  native.willPlay();
  video.become('play', { paused: false });
  native.willSeek();
  video.become('seeking', { currentTime: 99, seeking: true });
  assert.deepEqual(acts, []);
});

test('after a play that the browser refused, the viewer\'s own is theirs', () => {
  const { video, native, acts } = watched();
  video.become('timeupdate', { paused: true });
  native.willPlay();
  native.didNotPlay();
  video.become('play', { paused: false });
  assert.deepEqual(acts, [{ type: 'play' }]);
});

test('what the browser\'s own controls do is', () => {
  const { video, acts } = watched();
  video.become('pause', { paused: true });
  video.become('play', { paused: false });
  video.become('seeking', { currentTime: 60, seeking: true });
  assert.deepEqual(acts, [{ type: 'pause' }, { type: 'play' }, { type: 'seek', position: 60 }]);
});

test('the end, a stall, a nudge of hls.js and a hidden page are not', () => {
  const { video, acts } = watched();
  video.become('waiting', { readyState: 2 });
  video.become('timeupdate');
  video.become('seeking', { currentTime: 13, seeking: true }); // over a hole, while stuck
  video.become('timeupdate', { seeking: false, readyState: 4 });
  video.become('seeking', { currentTime: 13.1, seeking: true });
  video.become('pause', { paused: true, ended: true });
  const hidden = watched({ hidden: true });
  hidden.video.become('pause', { paused: true });
  assert.deepEqual([...acts, ...hidden.acts], []);
});

test('loading another video forgets what was still to come', () => {
  const { video, native, acts } = watched();
  native.willSeek();
  video.become('emptied');
  video.become('timeupdate', { currentTime: 5 });
  video.become('seeking', { currentTime: 50, seeking: true });
  assert.deepEqual(acts, [{ type: 'seek', position: 50 }]);
});
