// The rate of a <video>, as it is asked for, and what is put to the element for it.
//
// They differ in one engine, and here it is called by its name, for nothing that a page can read shows what
// happens: in Gecko, whenever a rate returns to exactly 1, about 28 ms of sound are dropped which its
// time stretcher still holds. currentTime and the frames go on as if nothing was; twenty corrections, and
// the sound is half a second ahead of the picture. A pause keeps that, a seek mends it. So there a rate that
// has been left stays a hair beside 1 until the next seek, and the stretcher at work: that costs no sound, and
// what it gains is 15 ms in six minutes or more, which is corrected like any clock's drift.

const BESIDE_ONE = 1.00003; // more than half a sample a second, by which Gecko counts

export class PlaybackRate {
  #video;
  #losesSoundAtOne;

  // userAgent: the browser's own, another one for tests. (Everybody else's says "like Gecko".)
  constructor(video, userAgent = globalThis.navigator?.userAgent ?? '') {
    this.#video = video;
    this.#losesSoundAtOne = /\bGecko\/\d/.test(userAgent);
  }

  // The rate as it was asked for.
  get asked() {
    const { playbackRate } = this.#video;
    return playbackRate === BESIDE_ONE ? 1 : playbackRate;
  }

  set(rate) {
    const returns = rate === 1 && this.#video.playbackRate !== 1;
    this.#put(returns && this.#losesSoundAtOne ? BESIDE_ONE : rate);
  }

  // The element is about to be sought: nothing is lost that would be heard.
  beforeSeek() {
    if (this.#video.playbackRate === BESIDE_ONE) this.#put(1);
  }

  #put(rate) {
    if (this.#video.playbackRate !== rate) this.#video.playbackRate = rate;
  }
}
