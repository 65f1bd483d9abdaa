import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PageInputs } from '../../www/player/playback/act.js';
import { PictureClicks } from '../../www/player/stage/picture_clicks.js';
import { FakePage } from './support/acts.mjs';
import { FakeTime } from './support/fake_network.mjs';

const WAITS_MS = 250;

// A player whose inputs a test makes, and what the clicks on it came to.
function clicked() {
  const time = new FakeTime();
  const page = new FakePage();
  const listeners = {};
  const player = { addEventListener: (type, listener) => (listeners[type] = listener) };
  const done = [];
  new PictureClicks({
    player, picture: ['video', 'big-play'], inputs: new PageInputs(page), timers: time.timers,
    onSingle: (act) => done.push(`single, by a ${act.of}`), onDouble: () => done.push('double'),
  });
  const input = (type, event) => {
    let stopped = false;
    page.input(type, () => listeners[type]({ ...event, stopPropagation: () => (stopped = true) }));
    return stopped;
  };
  const click = (id = 'video', detail = 1, pointerType = 'mouse') => {
    listeners.pointerdown({ pointerType });
    const stopped = input('click', { target: { id }, detail });
    if (detail === 2) input('dblclick', { target: { id }, detail });
    return stopped;
  };
  return { time, done, click };
}

test('one click is done when no second one came, as the act that it was', () => {
  const { time, done, click } = clicked();
  click();
  time.pass(WAITS_MS - 1);
  assert.deepEqual(done, []);
  time.pass(1);
  assert.deepEqual(done, ['single, by a click']);
});

test('two are a double click and nothing else, on the button in the middle as well', () => {
  for (const id of ['video', 'big-play']) {
    const { time, done, click } = clicked();
    assert.equal(click(id), true, 'the button does not hear of it');
    time.pass(120);
    click(id, 2);
    time.pass(1_000);
    assert.deepEqual(done, ['double']);
  }
});

test('a slow second click fills the screen, and plays nothing back', () => {
  const { time, done, click } = clicked();
  click();
  time.pass(400);
  click('video', 2);
  time.pass(1_000);
  assert.deepEqual(done, ['single, by a click', 'double']);
});

test('fingers, the keyboard and other controls are not meant', () => {
  const { time, done, click } = clicked();
  assert.equal(click('video', 1, 'touch'), false);
  assert.equal(click('big-play', 1, 'touch'), false, 'a finger on the button acts at once');
  assert.equal(click('big-play', 0), false, 'Enter on it is a click without a count');
  assert.equal(click('scrubber'), false);
  time.pass(1_000);
  assert.deepEqual(done, []);
});
