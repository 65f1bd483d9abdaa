// The picture in a picture where the browser would lay a button of its own over the picture.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowPopOut, keepOwnButtonAway } from '../../www/player/playback/pop_out.js';

globalThis.document = { pictureInPictureEnabled: true };
const firefox = { supports: (property) => property === '-moz-appearance' };
const videoOf = () => Object.assign(new EventTarget(), { disablePictureInPicture: false });

test('Firefox\'s own button is kept away, but while the page\'s asks', () => {
  const video = videoOf();
  keepOwnButtonAway(video, firefox);
  assert.equal(video.disablePictureInPicture, true);
  allowPopOut(video);
  assert.equal(video.disablePictureInPicture, false);
  video.dispatchEvent(new Event('leavepictureinpicture'));
  assert.equal(video.disablePictureInPicture, true, 'once it is over');
});

test('where nobody lays a button over it, or the page has none, nothing is forbidden', () => {
  const video = videoOf();
  keepOwnButtonAway(video, { supports: () => false });
  document.pictureInPictureEnabled = false;
  keepOwnButtonAway(video, firefox);
  video.dispatchEvent(new Event('leavepictureinpicture'));
  assert.equal(video.disablePictureInPicture, false);
});
