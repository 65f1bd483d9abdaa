// Which captions a video has, each once, and where those that are pictures are drawn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addCaptionTracks, captionsOf } from '../../www/player/playback/caption_tracks.js';
import { pictureBox, placeOf, untilChange } from '../../www/player/stage/picture_captions.js';
import { FakeElement, fakeDocument } from './support/fake_document.mjs';
import { FakeTime } from './support/fake_network.mjs';

const namesOf = (entry) => captionsOf(entry).map(({ name }) => name);

test('what lies beside and what is inside are listed once, forced ones last', () => {
  const beside = [{ lang: 'de', label: 'German (forced)', kind: 'forced', url: '/a' }, { lang: 'de', label: 'German', url: '/b' }];
  const subtitles = [
    { index: 2, codec: 'subrip', lang: 'fr', label: '', forced: false, url: '/c' },
    { index: 3, codec: 'hdmv_pgs_subtitle', lang: 'es', label: '', forced: false, pictures: { url: '/p/', spanMs: 60_000 } },
    { index: 4, codec: 'xsub', lang: 'it', label: '', forced: false },
    ...beside.map(({ lang, label, kind, url }) => ({ codec: 'subrip', lang, label, forced: kind === 'forced', url })),
  ];
  const all = captionsOf({ captions: beside, tracks: { subtitles } });
  assert.deepEqual(all.map(({ name, url }) => [name, url]), [['German', '/b'], ['French', '/c'], ['Spanish', undefined], ['German (forced)', '/a']]);
  assert.equal(all[2].pictures.url, '/p/');
  assert.deepEqual(captionsOf({}), []);
});

test('no two have one name', () => {
  const of = (...all) => namesOf({ captions: all.map(([lang, label, kind], i) => ({ lang, label, kind, url: `/${i}` })) });
  assert.deepEqual(of(['en', 'English'], ['en', 'English 2'], ['en', 'English (SDH)', 'sdh']), ['English', 'English: English 2', 'English (SDH)']);
  assert.deepEqual(of(['en', ''], ['en', ''], ['en', '']), ['English', 'English 2', 'English 3']);
  assert.deepEqual(of(['und', 'Captions'], ['en', 'English (CC)', 'cc']), ['Captions', 'English (CC)']);
});

test('a picture lies where it belongs, and within the element', () => {
  const element = { width: 800, height: 600 };
  const box = pictureBox(element, { videoWidth: 1920, videoHeight: 1080 });
  assert.deepEqual(box, { x: 0, y: 75, width: 800, height: 450 });
  const part = { width: 1920, height: 1080 };
  assert.deepEqual(placeOf({ x: 960, y: 540, w: 192, h: 108 }, part, box, element), { x: 400, y: 300, width: 80, height: 45 });
  // On bars that the file does not have.
  const wide = { width: 1920, height: 800 };
  assert.deepEqual(placeOf({ x: 0, y: 900, w: 192, h: 80 }, wide, { x: 0, y: 0, width: 960, height: 400 }, { width: 960, height: 400 }), { x: 0, y: 360, width: 96, height: 40 });
});

test('the next change is the nearest begin or end', () => {
  const cues = [{ from: 1_000, to: 2_000 }, { from: 1_500, to: 61_000 }];
  assert.equal(untilChange(cues, 0, 60_000), 1_000);
  assert.equal(untilChange(cues, 1_000, 60_000), 500);
  assert.equal(untilChange(cues, 2_000, 60_000), 58_000);
});

// A <track> whose file cannot be had, of a <video>.
function failing() {
  fakeDocument();
  const time = new FakeTime();
  const video = Object.assign(new FakeElement('video'), { textTracks: new EventTarget() });
  addCaptionTracks(video, { captions: [{ lang: 'en', label: 'English', url: '/a' }] }, time.timers);
  const [element] = video.children;
  element.track = { mode: 'showing' };
  const turn = (mode) => {
    element.track.mode = mode;
    video.textTracks.dispatchEvent(new Event('change'));
  };
  return { time, element, turn, fail: () => element.dispatchEvent(new Event('error')) };
}

test('captions that could not be had are asked for again while they are shown', () => {
  const { time, element, turn, fail } = failing();
  fail();
  turn('showing');
  assert.equal(element.src, '/a', 'not before its time');
  time.pass(2_000);
  assert.equal(element.src, '/a?again=1');
  turn('hidden');
  assert.equal(element.src, '/a?again=1', 'once for each failure');
  fail();
  time.pass(5_000);
  assert.equal(element.src, '/a?again=2');
});

test('those that were off when their time came are asked for when they are on again', () => {
  const { time, element, turn, fail } = failing();
  fail();
  turn('disabled');
  time.pass(100_000);
  assert.equal(element.src, '/a');
  turn('showing');
  assert.equal(element.src, '/a?again=1');
});

test('those of another film are not', () => {
  const { time, element, turn, fail } = failing();
  fail();
  element.isConnected = false;
  time.pass(2_000);
  turn('showing');
  element.isConnected = true;
  turn('showing');
  assert.equal(element.src, '/a');
});
