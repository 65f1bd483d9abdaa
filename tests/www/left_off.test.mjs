// Where a viewer had stopped: when it is remembered, and to whom and when it is offered.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { rememberedPlaces } from '../../www/memory.js';
import { LeftOff } from '../../www/player/stage/left_off.js';
import { FakeElement, fakeDocument } from './support/fake_document.mjs';
import { fakeStorage } from './support/fake_storage.mjs';

let elements;

beforeEach(() => {
  fakeStorage();
  elements = Object.fromEntries(['go-on', 'play'].map((id) => [id, Object.assign(new FakeElement('button'), { focus() {} })]));
  fakeDocument().getElementById = (id) => elements[id];
});

function watching(entry) {
  let nowMs = 0;
  const video = Object.assign(new EventTarget(), { currentTime: 0, paused: false, seeking: false });
  const source = Object.assign(new EventTarget(), { current: entry });
  const sought = [];
  const playback = Object.assign(new EventTarget(), { durationS: entry.duration ?? Infinity, mayControl: true, playing: false, position: 0, seekTo: (act, position) => sought.push(position) });
  new LeftOff({ video, source, inputs: { act: {} }, playback, now: () => nowMs });
  const at = (positionS, state = {}) => {
    nowMs += 11_000;
    Object.assign(video, { currentTime: positionS, paused: false, seeking: false, ...state });
    video.dispatchEvent(new Event('timeupdate'));
    return rememberedPlaces()[0]?.positionS;
  };
  const offered = (state) => {
    playback.dispatchEvent(Object.assign(new Event('change'), Object.assign(playback, state) && {}));
    return elements['go-on'].hidden ? null : elements['go-on'].textContent;
  };
  return { at, offered, sought };
}

const film = { id: 'film', title: 'The Film', duration: 5_000 };

test('what plays is remembered, once it has begun and until it is about over', () => {
  const { at } = watching(film);
  assert.equal(at(20), undefined, 'a look into it');
  assert.equal(at(2_000), 2_000);
  assert.equal(at(2_500, { paused: true }), 2_000);
  assert.equal(at(2_500, { seeking: true }), 2_000);
  assert.deepEqual(rememberedPlaces(), [{ id: 'film', title: 'The Film', positionS: 2_000, durationS: 5_000 }]);
  assert.equal(at(4_900), undefined, 'it was watched');
  assert.equal(watching({ id: 'endless', title: '' }).at(2_000), undefined, 'of unknown length');
});

test('the latest twelve are remembered, each once', () => {
  for (let i = 0; i < 20; i += 1) watching({ ...film, id: `film-${i % 15}` }).at(100 + i);
  assert.deepEqual(rememberedPlaces().map(({ id }) => id).slice(0, 6), ['film-4', 'film-3', 'film-2', 'film-1', 'film-0', 'film-14']);
  assert.equal(rememberedPlaces().length, 12);
});

test('to go on there is offered to who controls, while the film has not begun', () => {
  watching(film).at(2_530);
  const { offered, sought } = watching(film);
  assert.equal(offered({}), 'Go on at 42:10');
  assert.equal(offered({ mayControl: false }), null);
  assert.equal(offered({ mayControl: true, playing: true }), null);
  assert.equal(offered({ playing: false, position: 60 }), null);
  assert.equal(offered({ position: 0 }), 'Go on at 42:10');
  elements['go-on'].dispatchEvent(new Event('click'));
  assert.deepEqual(sought, [2_530]);
  assert.equal(watching({ ...film, id: 'other' }).offered({}), null);
});
