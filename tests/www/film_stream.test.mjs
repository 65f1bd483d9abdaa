// Where a stream goes on after a fault, with a player that behaves as hls.js does there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilmStream } from '../../www/player/playback/film_stream.js';

function stream(readyState) {
  const started = [];
  class Hls {
    static Events = { ERROR: 'ERROR' };
    static DefaultConfig = { fragLoadPolicy: { default: {} }, playlistLoadPolicy: { default: {} } };
    levels = [];
    on() {}
    loadSource() {}
    attachMedia() {}
    startLoad(positionS) {
      started.push(positionS);
    }
  }
  const follow = (hls) => hls && (one.hls = hls);
  const one = { started };
  const parts = { quality: { follow }, audio: { follow }, preparation: { follow } };
  one.stream = new FilmStream(Hls, { readyState }, { url: '/a.m3u8', startS: 1_200, isMade: true, parts, handlers: {} });
  return one;
}

test('without a playlist there is nothing to go on with', () => {
  const { stream: film, started } = stream(0);
  assert.deepEqual([film.resume(), started], [false, []]);
});

test('what has loaded nothing yet goes on where the showing is, the rest where the player has got to', () => {
  for (const [readyState, positionS] of [[0, 1_200], [1, -1], [4, -1]]) {
    const { stream: film, hls, started } = stream(readyState);
    hls.levels = [{}];
    assert.deepEqual([film.resume(), started], [true, [positionS]]);
  }
});
