import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SteeredVideo } from '../../www/player/playback/steered_video.js';
import { FakeTime } from './support/fake_network.mjs';
import { FakeVideo } from './support/fake_video.mjs';

const JUDGED_MS = 200;

// A video that we play, in a picture in a picture: the browser's controls are at hand. What it told.
function setUp({ page: changes = {}, inPicture = true, tellsOfPictures = true } = {}) {
  const time = new FakeTime();
  const video = new FakeVideo({ currentTime: 10 });
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible', pictureInPictureElement: null, ...changes });
  if (!tellsOfPictures) delete page.pictureInPictureElement;
  if (inPicture) page.pictureInPictureElement = video;
  const steered = new SteeredVideo(video, { page, timers: time.timers, now: time.now });
  const told = [];
  steered.addEventListener('native', ({ detail }) => told.push(detail));
  steered.play();
  video.become('play');
  video.become('timeupdate');
  return { time, video, page, steered, told };
}

// Whatever a player can do by itself.
function changeAll({ time, video }) {
  video.become('pause', { paused: true });
  time.pass(JUDGED_MS);
  video.become('play', { paused: false });
  video.become('seeking', { currentTime: video.currentTime + 30, seeking: true });
  time.pass(JUDGED_MS);
}

test('what we do ourselves is no act of the viewer', () => {
  const { time, video, steered, told } = setUp();
  steered.pause();
  video.become('pause');
  steered.pause(); // it stands already: no event will come
  steered.play();
  video.become('play');
  steered.seek(50);
  video.become('seeking', { seeking: true });
  steered.seek(20); // two at once are one event in some browsers
  steered.seek(40);
  video.become('seeking');
  time.pass(JUDGED_MS);
  assert.deepEqual(told, []);
});

test('a pause and a play of ours at once: their events come when both are done', () => {
  const { time, video, steered, told } = setUp();
  steered.pause();
  steered.play();
  video.become('pause');
  video.become('play');
  steered.pause();
  video.become('play');
  video.become('pause');
  time.pass(JUDGED_MS);
  assert.deepEqual(told, []);
});

test('a pause that the element has not told of yet is not undone before it does', async () => {
  const { time, video, steered, told } = setUp();
  video.paused = true; // its event is still on the way when the next look at the element is due
  assert.equal(steered.inDoubt, true);
  assert.equal(await steered.play(), 'not');
  video.become('pause');
  time.pass(JUDGED_MS);
  assert.deepEqual([told, video.played], [[{ type: 'pause' }], 1]);
  assert.equal(await steered.play(), 'plays', 'where the viewer may not pause, it goes on');
});

test('a play that the element has not told of yet is a person\'s before it does, once', () => {
  const { video, steered, told } = setUp();
  steered.pause();
  video.become('pause');
  video.paused = false; // its event is still on the way when the next look at the element is due
  assert.equal(steered.inDoubt, false);
  assert.deepEqual(told, [{ type: 'play' }]);
  video.become('play');
  assert.deepEqual(told, [{ type: 'play' }]);
});

test('what the browser\'s own controls do is one', () => {
  const { time, video, steered, told } = setUp();
  video.become('pause', { paused: true });
  assert.equal(steered.inDoubt, true);
  time.pass(JUDGED_MS);
  assert.equal(steered.inDoubt, false);
  video.become('play', { paused: false });
  video.become('seeking', { currentTime: 40, seeking: true });
  assert.deepEqual(told, [{ type: 'pause' }, { type: 'play' }, { type: 'seek', position: 40 }]);
});

test('so is it after a play that the browser refused', async () => {
  const { video, steered, told } = setUp();
  steered.pause();
  video.refuses = new DOMException('no gesture', 'NotAllowedError');
  assert.equal(await steered.play(), 'refused');
  video.become('play', { paused: false });
  assert.deepEqual(told, [{ type: 'play' }]);
});

// What is at hand, and what a person's hand is seen to do there.
test('the browser\'s controls: a phone\'s full screen, a picture in a picture, a context menu, and touched ones in the page', () => {
  const touch = ({ page }) => page.dispatchEvent(new Event('pointerdown'));
  const hands = [
    ({ video }) => (video.webkitDisplayingFullscreen = true),
    ({ video }) => (video.webkitPresentationMode = 'picture-in-picture'),
    ({ video }) => video.become('contextmenu'),
    (one) => (one.video.controls = true) && touch(one),
    (one) => (one.page.fullscreenElement = one.video) && touch(one),
  ];
  for (const [index, atHand] of hands.entries()) {
    const one = setUp({ inPicture: false });
    atHand(one);
    one.video.become('pause', { paused: true });
    one.time.pass(JUDGED_MS);
    assert.deepEqual(one.told, [{ type: 'pause' }], `hand ${index}`);
  }
});

test('where none are at hand it was the browser: a call, another player, headphones pulled out', () => {
  const { time, video, told } = setUp({ inPicture: false });
  changeAll({ time, video });
  assert.deepEqual(told, []);
});

test('nor was it a person where the page would have seen a hand, and saw none', () => {
  const { time, video, page, told } = setUp({ inPicture: false });
  video.controls = true;
  changeAll({ time, video });
  page.dispatchEvent(new Event('keydown'));
  time.pass(500);
  changeAll({ time, video });
  assert.deepEqual(told, []);
  page.dispatchEvent(new Event('keydown'));
  video.become('seeking', { currentTime: 20, seeking: true });
  assert.deepEqual(told, [{ type: 'seek', position: 20 }]);
});

test('a pause that is judged late, by a timer that was, is judged by when it was', () => {
  const { time, video, page, told } = setUp({ inPicture: false });
  video.controls = true;
  page.dispatchEvent(new Event('pointerup'));
  time.pass(400);
  video.become('pause', { paused: true });
  time.pass(JUDGED_MS);
  assert.deepEqual(told, [{ type: 'pause' }]);
});

test('a context menu speaks for a person while it is open, and just after', () => {
  const move = (to) => Object.assign(new Event('pointermove'), { screenX: to, screenY: 5 });
  const said = (act) => {
    const one = setUp({ inPicture: false });
    one.video.dispatchEvent(Object.assign(new Event('contextmenu'), { screenX: 5, screenY: 5 }));
    act(one);
    one.video.become('seeking', { currentTime: 40, seeking: true });
    return one.told.length === 1;
  };
  assert.ok(said(({ time }) => time.pass(9_000)));
  assert.ok(!said(({ time }) => time.pass(10_000)), 'nobody looks at it for so long');
  assert.ok(said(({ page, time }) => time.pass(9_000) ?? page.dispatchEvent(move(60))), 'just closed');
  for (const event of [move(60), new Event('pointerdown'), new Event('keydown'), new Event('wheel')]) {
    assert.ok(!said(({ page, time }) => page.dispatchEvent(event) && time.pass(500)), event.type);
  }
  assert.ok(said(({ page, time }) => page.dispatchEvent(move(5)) && time.pass(5_000)), 'a pointer that stays where it was');
  const { video, told } = setUp({ inPicture: false });
  video.become('contextmenu');
  video.become('seeking', { currentTime: 40, seeking: true });
  video.become('seeking', { currentTime: 20, seeking: true });
  assert.deepEqual(told, [{ type: 'seek', position: 40 }], 'one choice a menu');
});

// Firefox: it tells no page of its picture in a picture.
function withoutTelling() {
  const view = new EventTarget();
  return { ...setUp({ inPicture: false, tellsOfPictures: false, page: { defaultView: view } }), view };
}

test('where the browser tells of no picture in a picture, what it does by itself is still its own', () => {
  const { time, video, page, told } = withoutTelling();
  page.dispatchEvent(new Event('pointerdown')); // somebody is there, but the page has no such controls
  changeAll({ time, video });
  assert.deepEqual(told, []);
});

test('... and a window that takes the focus with it, or from over the picture, has the picture', () => {
  const acts = [
    ({ view, video }) => view.dispatchEvent(new Event('blur')) && video.become('pause', { paused: true }),
    ({ view, video, time }) => {
      video.become('pause', { paused: true });
      time.pass(JUDGED_MS / 2);
      view.dispatchEvent(new Event('blur'));
    },
    ({ view, video, time }) => {
      video.become('pointermove');
      time.pass(1_000);
      view.dispatchEvent(new Event('blur'));
      time.pass(60_000);
      video.become('pause', { paused: true });
    },
  ];
  for (const [index, act] of acts.entries()) {
    const one = withoutTelling();
    act(one);
    one.time.pass(JUDGED_MS);
    assert.deepEqual(one.told, [{ type: 'pause' }], `act ${index}`);
    one.time.pass(60_000);
    one.video.become('play', { paused: false });
    assert.equal(one.told.length, 2, 'as long as the focus is there');
    one.view.dispatchEvent(new Event('focus'));
    one.video.become('pause', { paused: true });
    one.time.pass(JUDGED_MS);
    assert.equal(one.told.length, 2, 'and no longer');
  }
});

test('... but who just goes to another window leaves no hand here', () => {
  const { time, video, view, told } = withoutTelling();
  video.become('pointermove');
  time.pass(2_000);
  view.dispatchEvent(new Event('blur'));
  time.pass(500);
  changeAll({ time, video });
  assert.deepEqual(told, []);
});

test('a picture in a picture that is closed pauses first: that is the browser', () => {
  const { time, video, page, told } = setUp();
  video.become('pause', { paused: true });
  page.pictureInPictureElement = null;
  time.pass(JUDGED_MS);
  assert.deepEqual(told, []);
});

test('the end, an error, a removal and a new source are the browser\'s', () => {
  for (const state of [{ ended: true, currentTime: 60 }, { error: { code: 3 } }, { isConnected: false }]) {
    const { time, video, told } = setUp();
    video.become('pause', { paused: true, ...state });
    time.pass(JUDGED_MS);
    assert.deepEqual(told, [], JSON.stringify(state));
  }
  const { time, video, told } = setUp();
  video.become('pause', { paused: true });
  video.become('emptied', { error: { code: 4 } }); // it failed a moment later
  time.pass(JUDGED_MS);
  assert.deepEqual(told, []);
});

test('a seek from the end that does not come is woken by playing and pausing, which nobody is told of', () => {
  const { time, video, steered, told } = setUp();
  const sought = (from, state) => {
    video.calls.length = 0;
    Object.assign(video, { ended: false, seeking: false, paused: true, ...from });
    steered.seek(5);
    Object.assign(video, { ended: false, seeking: true, ...state });
    time.pass(499);
    assert.equal(video.played, 0);
    time.pass(1);
    return video.played;
  };
  assert.equal(sought({ ended: true }, {}), 1);
  assert.equal(video.paused, true);
  video.become('play');
  video.become('pause');
  time.pass(JUDGED_MS);
  assert.deepEqual(told, []);
  assert.equal(sought({ ended: true }, { seeking: false }), 0, 'it came');
  assert.equal(sought({ ended: true }, { paused: false }), 0, 'it is played');
  assert.equal(sought({ ended: false }, {}), 0, 'it is only slow');
});

test('a hidden page pauses to save power; a picture in a picture of it is looked at', () => {
  for (const [inPicture, told] of [[false, []], [true, [{ type: 'pause' }]]]) {
    const one = setUp({ inPicture, page: { visibilityState: 'hidden' } });
    one.video.controls = true;
    one.video.become('pause', { paused: true });
    one.time.pass(JUDGED_MS);
    assert.deepEqual(one.told, told);
  }
});

test('a seek is a person\'s where only readyState tells of a stall, as WebKit\'s does', () => {
  const { video, told } = setUp();
  video.become('timeupdate', { readyState: 2 });
  video.become('seeking', { currentTime: 40, seeking: true });
  assert.deepEqual(told, [{ type: 'seek', position: 40 }]);
});

test('beginning anew at the end, a stall, a nudge of hls.js and a shorter duration are the browser\'s', () => {
  const { video, told } = setUp();
  video.become('waiting', { readyState: 2, bufferedToS: 10 });
  video.become('timeupdate');
  video.become('seeking', { currentTime: 13, seeking: true }); // over a hole, while stuck
  video.become('timeupdate', { seeking: false, readyState: 4 });
  video.become('seeking', { currentTime: 13.4, seeking: true });
  video.become('timeupdate', { seeking: false, currentTime: 50 });
  video.become('seeking', { duration: 40, currentTime: 40, seeking: true });
  video.become('timeupdate', { seeking: false, duration: 60, currentTime: 60 });
  video.become('seeking', { currentTime: 0, seeking: true });
  assert.deepEqual(told, []);
  video.become('timeupdate', { seeking: false, currentTime: 60 });
  video.become('seeking', { currentTime: 30, seeking: true });
  assert.deepEqual(told, [{ type: 'seek', position: 30 }], 'a person goes back from the end');
});

test('a person\'s seek is one also where the element takes the place it has reached for the end', () => {
  const { video, told } = setUp();
  video.become('durationchange', { duration: 60 });
  video.become('timeupdate', { currentTime: 30, duration: 29.9 });
  video.become('seeking', { currentTime: 0, seeking: true });
  video.become('timeupdate', { seeking: false, currentTime: 30, duration: 29.9 });
  video.become('seeking', { currentTime: 10, seeking: true });
  assert.deepEqual(told, [{ type: 'seek', position: 0 }, { type: 'seek', position: 10 }]);
});

test('a film that has ended before its time and is played begins anew: that is the browser', () => {
  const { video, told } = setUp();
  video.become('durationchange', { duration: 60 });
  video.become('timeupdate', { currentTime: 40, duration: 40 });
  video.become('ended', { ended: true, paused: true });
  video.become('seeking', { currentTime: 0, seeking: true, ended: false });
  assert.deepEqual(told, []);
});

test('what has ended or failed is never played', async () => {
  for (const state of [{ ended: true }, { error: { code: 3 } }]) {
    const { video, steered } = setUp();
    const before = video.played;
    Object.assign(video, { paused: true, ...state });
    assert.equal(await steered.play(), 'not');
    assert.equal(video.played, before);
  }
});

test('loading another video forgets what was on its way', () => {
  const { video, steered, told } = setUp();
  steered.seek(50);
  video.become('emptied', { currentTime: 0 });
  video.become('timeupdate', { currentTime: 5 });
  video.become('seeking', { currentTime: 50, seeking: true });
  assert.deepEqual(told, [{ type: 'seek', position: 50 }]);
});
