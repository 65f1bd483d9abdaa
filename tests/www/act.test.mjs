// Who can make a command: a person, by an input, a media key or a native control, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Act, PageInputs, onMediaKey, onNativeControl } from '../../www/player/playback/act.js';
import { Room } from '../../www/session/room.js';
import { readTree } from '../layers/tree.mjs';
import { FakePage, actOf } from './support/acts.mjs';

function open() {
  const page = new FakePage();
  return { page, inputs: new PageInputs(page) };
}

test('an act is there while an input is dispatched, and not a moment longer', async () => {
  const { page, inputs } = open();
  assert.equal(inputs.act, null);
  const later = page.input('click', () => {
    assert.equal(inputs.act.of, 'click');
    return new Promise((resolve) => setTimeout(() => resolve(inputs.act)));
  });
  assert.equal(inputs.act, null);
  assert.equal(await later, null, 'what it set going is no act');
});

test('what elements, messages and menus tell of is no input', () => {
  const { page, inputs } = open();
  for (const type of ['pause', 'play', 'seeking', 'message', 'change', 'focus', 'visibilitychange']) {
    page.input(type, () => assert.equal(inputs.act, null, type));
  }
});

test('an input within another leaves that one under way', () => {
  const { page, inputs } = open();
  page.input('keyup', () => {
    page.input('click', () => assert.equal(inputs.act.of, 'click'));
    assert.equal(inputs.act.of, 'keyup');
  });
  assert.equal(inputs.act, null);
});

test('media keys and native controls have acts, and nobody can make one', () => {
  const acts = [];
  const session = { setActionHandler: (action, handler) => handler() };
  onMediaKey(session, 'pause', (act) => acts.push(act));
  const element = new EventTarget();
  onNativeControl(element, (act) => acts.push(act));
  element.dispatchEvent(new CustomEvent('native', { detail: { type: 'pause' } }));
  acts.push(actOf('keydown'));
  assert.ok(acts.every((act) => act instanceof Act));
  assert.deepEqual(acts.map(({ of }) => of), ['pause', 'native', 'keydown']);
  assert.throws(() => new Act('click'), TypeError);
  assert.throws(() => new Act(Symbol(), 'click'), TypeError);
});

test('a room gives the right to send commands once, and sends none for anybody else', () => {
  const room = new Room({ memory: {}, WebSocket: null });
  for (const type of ['play', 'pause', 'seek', 'rate', 'load']) assert.throws(() => room.send(type), /a person's act/);
  assert.equal(room.send('chat', { text: 'hello' }), false, 'the rest is anybody\'s');
  assert.equal(room.takeCommands()('play'), false);
  assert.throws(() => room.takeCommands(), /given away/);
});

// The other half of it: nobody moves the element behind the back of who tells our doing from others'.
test('one module moves the element, and one takes the right to command', () => {
  const modules = readTree(['www'], /\.js$/);
  const doing = (pattern) => modules.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
  assert.ok(modules.length > 30);
  // Before the gate nobody can command, and the element is only put in its place.
  assert.deepEqual(doing(/\.currentTime = /i), ['www/player/playback/standby.js', 'www/player/playback/steered_video.js']);
  assert.deepEqual(doing(/\bvideo\.(?:play|pause)\(/i), ['www/player/playback/steered_video.js']);
  assert.deepEqual(doing(/\.takeCommands\(/), ['www/player/playback/shared_playback.js']);
  assert.deepEqual(doing(/document\.title = /), ['www/title.js']);
});
