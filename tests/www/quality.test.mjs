// The choice of a quality, with a player that behaves as hls.js does there.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { beforeEach, test } from 'node:test';
import { Quality } from '../../www/player/playback/quality.js';
import { fakeStorage } from './support/fake_storage.mjs';

beforeEach(fakeStorage);

const EVENTS = { MANIFEST_PARSED: 'parsed', LEVELS_UPDATED: 'updated', LEVEL_SWITCHED: 'switched' };

class Player extends EventEmitter {
  levels = [];
  manualLevel = -1;
  get autoLevelEnabled() {
    return this.manualLevel === -1;
  }
  set nextLevel(level) {
    this.manualLevel = level;
  }
  set loadLevel(level) {
    this.manualLevel = level;
  }
  parse(...heights) {
    this.levels = heights.map((height) => ({ width: (height * 16) / 9, height, bitrate: height * 1_000 }));
    this.emit(EVENTS.MANIFEST_PARSED);
  }
}

function playing(quality, ...heights) {
  const player = new Player();
  quality.follow(player, EVENTS);
  player.parse(...heights);
  return player;
}

test('what was chosen stays so in the next player of the stream', () => {
  const quality = new Quality();
  playing(quality, 180, 360, 720);
  assert.equal(quality.selected, null, 'nobody has chosen yet');
  quality.select('1');
  playing(quality, 180, 360, 720);
  assert.equal(quality.selected, '1');
  quality.select('auto');
  playing(quality, 180, 360, 720);
  assert.equal(quality.selected, null);
});

test('in another film, and on another day, it is the height, or the next one below', () => {
  const chosen = new Quality();
  playing(chosen, 180, 360, 720);
  chosen.select('1');
  for (const quality of [chosen, new Quality()]) {
    for (const [heights, expected] of [[[240, 360, 480], '1'], [[240, 300, 480], '1'], [[480, 720], '0'], [[90, 180], '1'], [[360], null]]) {
      playing(quality, ...heights);
      assert.equal(quality.selected, expected, `of ${heights}`);
    }
  }
  playing(chosen, 180, 360);
  chosen.select('auto');
  const next = new Quality();
  playing(next, 180, 360);
  assert.equal(next.selected, null, 'automatic is remembered, too');
});

test('who has another player by now is not chosen for', () => {
  const quality = new Quality();
  playing(quality, 180, 360).parse(180, 360);
  quality.select('0');
  const late = new Player();
  quality.follow(late, EVENTS);
  playing(quality, 180, 360);
  late.parse(180, 360);
  assert.equal(late.manualLevel, -1);
});
