import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlaybackRate } from '../../www/player/playback/playback_rate.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';
const CHROMIUM = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
const SAFARI = 'Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/150.0 Mobile/15E148 Safari/605.1.15';

// As Firefox was heard to: 28 ms of sound are gone whenever the rate returns to 1, as a whole number of
// samples a second has it, and a seek begins anew.
class GeckoVideo {
  lostMs = 0;
  #rate = 1;

  get playbackRate() {
    return this.#rate;
  }

  set playbackRate(rate) {
    const samples = (one) => Math.floor(48_000 / one);
    if (samples(rate) === 48_000 && samples(this.#rate) !== 48_000) this.lostMs += 28;
    this.#rate = rate;
  }

  seek(rate) {
    rate.beforeSeek();
    this.lostMs = 0;
  }
}

test('twenty corrections lose no sound in Firefox, and are at an end all the same', () => {
  const video = new GeckoVideo();
  const rate = new PlaybackRate(video, FIREFOX);
  for (let i = 0; i < 20; i++) {
    rate.set(i % 2 ? 1.03 : 0.97);
    rate.set(1);
    assert.ok(Math.abs(video.playbackRate - 1) < 0.0001);
    assert.equal(rate.asked, 1, 'nobody else need know');
  }
  assert.equal(video.lostMs, 0);
});

test('a seek brings exactly 1 back, and a rate that was never left is exactly 1', () => {
  const video = new GeckoVideo();
  const rate = new PlaybackRate(video, FIREFOX);
  rate.set(1);
  assert.equal(video.playbackRate, 1);
  rate.set(1.03);
  rate.set(1);
  assert.notEqual(video.playbackRate, 1);
  video.seek(rate);
  assert.equal(video.playbackRate, 1);
  assert.equal(video.lostMs, 0);
  rate.set(1.03);
  video.seek(rate);
  assert.equal(video.playbackRate, 1.03, 'only what stands beside 1');
});

test('every other rate is put as it is, and so is every rate elsewhere', () => {
  for (const agent of [FIREFOX, CHROMIUM, SAFARI]) {
    const video = { playbackRate: 1 };
    const rate = new PlaybackRate(video, agent);
    for (const one of [1.25, 0.95, 1.05]) {
      rate.set(one);
      assert.equal(video.playbackRate, one);
      assert.equal(rate.asked, one);
    }
    rate.set(1);
    assert.equal(video.playbackRate === 1, agent !== FIREFOX, agent);
  }
});
