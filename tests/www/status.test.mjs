import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeRole, describeStatus } from '../../www/player/status.js';

const view = (changes = {}) => ({
  phase: { name: 'open' }, nowMs: 1000, problem: null, hasVideo: true, loaded: true, blocked: null,
  waitingFor: [], buffering: false, state: { playing: true, cause: 'play' }, byName: 'Ann', byYou: false,
  measure: { running: true, over: false, startsInMs: 0, errorMs: 6 }, errorBoundMs: 2, notice: null, ...changes,
});
const text = (changes) => describeStatus(view(changes)).text;

test('in step, with how far it may be off', () => {
  assert.deepEqual(describeStatus(view()), { kind: 'good', text: 'In step', detail: '±10 ms', action: null });
});

test('far off or not yet known is catching up', () => {
  assert.equal(text({ measure: { ...view().measure, errorMs: -400 } }), 'Catching up');
  assert.equal(text({ measure: { ...view().measure, errorMs: null } }), 'Catching up');
});

test('a lost connection comes before anything about the video', () => {
  const lost = describeStatus(view({ phase: { name: 'waiting', untilMs: 3400 }, problem: 'x', buffering: true }));
  assert.equal(lost.text, 'Connection lost. Reconnecting in 3 s');
  assert.equal(lost.action, 'tryNow');
  assert.match(text({ phase: { name: 'waiting', untilMs: 3400, draining: true } }), /restarting.*3 s/);
  assert.equal(text({ phase: { name: 'connecting', attempt: 1 } }), 'Connecting…');
  assert.equal(text({ phase: { name: 'connecting', attempt: 2 } }), 'Reconnecting…');
});

test('the ways it can be over', () => {
  const closed = (reason) => describeStatus(view({ phase: { name: 'closed', reason } }));
  assert.equal(closed('ended').text, 'The session has ended');
  assert.match(closed('removed').text, /removed you/);
  assert.equal(closed('elsewhere').action, 'takeBack');
});

test('who paused is told by name', () => {
  const paused = { state: { playing: false, cause: 'pause' } };
  assert.equal(text(paused), 'Paused by Ann');
  assert.equal(text({ ...paused, byYou: true }), 'Paused by you');
  assert.equal(text({ ...paused, byName: undefined }), 'Paused');
  assert.equal(text({ state: { playing: false, cause: 'load' } }), 'Ready to start');
  assert.equal(text({ state: { playing: false, cause: 'ended' } }), 'The end');
  assert.equal(text({ measure: { ...view().measure, over: true } }), 'The end');
});

test('waiting names up to three, and counts the rest', () => {
  assert.equal(text({ waitingFor: ['Ann'] }), 'Waiting for Ann');
  assert.equal(text({ waitingFor: ['Ann', 'Ben', 'Cem'] }), 'Waiting for Ann, Ben and Cem');
  assert.equal(text({ waitingFor: ['Ann', 'Ben', 'Cem', 'Dee'] }), 'Waiting for Ann, Ben and 2 others');
});

test('what the video lacks, and what to do about it', () => {
  assert.deepEqual(describeStatus(view({ problem: 'no codec.' })).action, 'tryAgain');
  assert.match(text({ problem: 'no codec.' }), /cannot be played: no codec/);
  assert.equal(text({ hasVideo: false }), 'There is no video to watch');
  assert.equal(text({ loaded: false }), 'Loading the video…');
  assert.equal(text({ buffering: true }), 'Buffering…');
  assert.equal(text({ measure: { ...view().measure, startsInMs: 200 } }), 'Starting…');
});

test('silence by the browser is offered to be lifted, whatever else is said', () => {
  const silent = describeStatus(view({ blocked: 'sound' }));
  assert.deepEqual([silent.text, silent.action], ['In step', 'sound']);
  assert.equal(describeStatus(view({ blocked: 'play' })).action, 'play');
});

test('who controls playback', () => {
  const role = (changes) =>
    describeRole({ youAreHost: false, control: 'host', hostId: 'a', hostName: 'Ann', hostIsHere: true, ...changes });
  assert.match(role({ youAreHost: true }), /You are the host/);
  assert.match(role({}), /^Ann controls playback/);
  assert.match(role({ control: 'everyone' }), /Everyone/);
  assert.match(role({ hostIsHere: false }), /host left/);
  assert.match(role({ hostId: null }), /Nobody/);
});
