// Which captions are switched on, and which the next film has.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Captions } from '../../www/player/stage/captions.js';
import { fakeStorage } from './support/fake_storage.mjs';

beforeEach(fakeStorage);

function videoWith(...languages) {
  const tracks = languages.map((language) => ({ kind: 'captions', language, label: language, mode: 'disabled' }));
  return { textTracks: Object.assign(tracks, { addEventListener() {} }), querySelectorAll: () => [] };
}

function speak(...languages) {
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { languages } });
}

const chosenOf = (...languages) => {
  const captions = new Captions(videoWith(...languages));
  captions.toggle();
  return captions.shown.language;
};

test('at first those that the viewer understands, the better the language is known the sooner', () => {
  speak('fr-CA', 'en-US', 'en');
  assert.equal(chosenOf('de', 'en', 'fr'), 'fr');
  fakeStorage();
  assert.equal(chosenOf('de', 'en-GB'), 'en-GB');
  fakeStorage();
  assert.equal(chosenOf('de', 'ja'), 'de', 'or the first');
});

test('what was chosen counts more, and comes again by itself', () => {
  speak('en');
  localStorage.setItem('videosync.player.captionsLanguage', 'de');
  assert.equal(chosenOf('en', 'de'), 'de');
  assert.equal(new Captions(videoWith('en', 'de')).shown?.language, 'de');
});
