// How long a viewer waited for the film, what is left out of that, and that it is told once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FirstFrame } from '../../www/player/playback/first_frame.js';
import { Reporter } from '../../www/player/status/reporter.js';
import { FakeVideo } from './support/fake_video.mjs';

const say = (target, type, detail) => target.dispatchEvent(new CustomEvent(type, { detail }));

// A viewer who asked for the film at 1,000; nothing has been shown yet.
function visit({ video = new FakeVideo({ readyState: 0 }), visibilityState = 'visible', problem = null } = {}) {
  const page = Object.assign(new EventTarget(), { visibilityState });
  const timeline = { state: null, isRunning: true, isRunningAt: () => timeline.isRunning };
  const room = Object.assign(new EventTarget(), { timeline, serverTimeMs: () => 0 });
  const follower = Object.assign(new EventTarget(), { blocked: null, detached: false });
  const source = Object.assign(new EventTarget(), { problem });
  const time = { nowMs: 1_000 };
  const first = new FirstFrame({ video, room, follower, source, sinceMs: 1_000, page, now: () => time.nowMs });
  const hear = (state) => {
    timeline.state = { video: 'film', ...state };
    say(room, 'state', { state: timeline.state });
  };
  const show = (nowMs) => {
    time.nowMs = nowMs;
    video.showFrame(10, nowMs);
  };
  return { page, timeline, room, follower, source, time, first, video, hear, show };
}

test('it is the first frame where the showing is, not one on the way there', () => {
  const { first, video, hear, show } = visit();
  show(1_100); // what was behind the gate
  hear();
  video.seeking = true;
  show(1_200);
  assert.equal(first.untoldMs, null);
  video.seeking = false;
  show(1_450.4);
  show(1_500);
  assert.equal(first.untoldMs, 450);
});

test('where the showing stands and the picture is there already, it was there when that was heard', () => {
  const { first, timeline, time, hear } = visit({ video: new FakeVideo() });
  timeline.isRunning = false;
  time.nowMs = 1_080;
  hear();
  assert.equal(first.untoldMs, 80);
});

test('where it stands elsewhere, or has no picture yet, that is waited for', () => {
  for (const state of [{ seeking: true }, { readyState: 1 }]) {
    const { first, timeline, video, hear, show } = visit({ video: new FakeVideo(state) });
    timeline.isRunning = false;
    hear();
    assert.equal(first.untoldMs, null);
    video.seeking = false;
    show(1_300);
    assert.equal(first.untoldMs, 300);
  }
});

test('who waits for something else than the service is left out, for good', () => {
  const others = {
    'the host at the door': ({ room }) => say(room, 'phase', { name: 'knocking' }),
    'a film to be chosen': ({ hear }) => hear({ video: '' }),
    'a gesture': ({ follower }) => say(Object.assign(follower, { blocked: 'play' }), 'change'),
    'nobody, at their own pace': ({ follower }) => say(Object.assign(follower, { detached: true }), 'change'),
    'a film that can be played': ({ source }) => say(Object.assign(source, { problem: 'unsupported' }), 'problem'),
    'a page that is looked at': ({ page }) => say(Object.assign(page, { visibilityState: 'hidden' }), 'visibilitychange'),
  };
  for (const [name, happens] of Object.entries(others)) {
    const viewer = visit();
    happens(viewer);
    viewer.page.visibilityState = 'visible';
    viewer.hear();
    viewer.show(1_300);
    assert.equal(viewer.first.untoldMs, null, name);
  }
});

test('nor is anything said of a page that is hidden, of a film that cannot be played, by a browser that tells no frames', () => {
  const mute = new FakeVideo();
  mute.requestVideoFrameCallback = undefined;
  for (const begun of [{ visibilityState: 'hidden' }, { problem: 'unsupported' }, { video: mute }]) {
    const { first, timeline, hear } = visit(begun);
    timeline.isRunning = false;
    hear();
    assert.equal(first.untoldMs, null);
  }
});

test('what nobody can have waited for is nothing', () => {
  for (const [nowMs, told] of [[601_000, 600_000], [601_001, null]]) {
    const { first, hear, show } = visit();
    hear();
    show(nowMs);
    assert.equal(first.untoldMs, told);
  }
});

// Reports of a player to whom the first frame took 450 ms. isUp: whether there is a connection.
function reporting(t, { detached = false } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sent = [];
  const state = { isUp: true };
  const room = Object.assign(new EventTarget(), {
    reportEveryMs: 5_000,
    clock: { rttMs: 20 },
    settings: { onStall: 'continue' },
    send: (type, fields) => state.isUp && sent.push({ type, ...fields }) > 0,
  });
  const follower = Object.assign(new EventTarget(), { buffering: false, detached, measure: () => ({ errorMs: -3.51, positionS: 7 }) });
  const source = Object.assign(new EventTarget(), { form: 'copy', problem: null, preparation: { isPossible: false } });
  const first = { untoldMs: 450 };
  new Reporter(room, follower, source, first);
  say(room, 'welcome');
  return { sent, state, first, report: () => t.mock.timers.tick(5_000) };
}

const report = { type: 'report', driftMs: -3.5, rttMs: 20, buffering: false, position: 7, form: 'copy' };

test('it is told with one report', (t) => {
  const { sent, report: pass } = reporting(t);
  pass();
  pass();
  assert.deepEqual(sent, [{ ...report, firstFrameMs: 450 }, report]);
});

test('what could not be sent is told later', (t) => {
  const { sent, state, report: pass } = reporting(t);
  state.isUp = false;
  pass();
  state.isUp = true;
  pass();
  pass();
  assert.deepEqual(sent, [{ ...report, firstFrameMs: 450 }, report]);
});

test('who goes at their own pace says so', (t) => {
  const { sent, first, report: pass } = reporting(t, { detached: true });
  first.untoldMs = null;
  pass();
  assert.deepEqual(sent, [{ ...report, ownPace: true }]);
});
