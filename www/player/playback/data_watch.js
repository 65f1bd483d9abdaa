// Whether a <video> lacks the data to go on.
//
// readyState alone does not tell: WebKit leaves it at HAVE_CURRENT_DATA after a seek or a change of rate
// although everything is there and the clock runs. So where `buffered` covers the place that state counts
// only for a player that stands still although it is to run: for a moment where it did run, which is how a
// decoder stumbles, for longer where it only begins to.

import { FilmLength } from './film_length.js';
import { PositionReading } from './position_reading.js';

const HAVE_CURRENT_DATA = 2;
const COVERED_AHEAD_S = 1;
const END_ROUGHLY_S = 0.25; // sound and picture seldom end at the same moment
const STUMBLES_AFTER_MS = 150;
const STARTS_WITHIN_MS = 3_000; // a sound device may take two seconds

export class DataWatch {
  #video;
  #reading;
  #length;
  #positionS = NaN;
  #movedMs = 0; // when the clock was last seen to move, or to have no reason to
  #hasRun = false; // since it was last paused or sought

  // reading, length: the PositionReading and the FilmLength of this video, where somebody has them.
  constructor(video, { reading = new PositionReading(video), length = new FilmLength(video) } = {}) {
    this.#video = video;
    this.#reading = reading;
    this.#length = length;
  }

  // At local time `nowMs`; to be asked again and again while the player is to run.
  lacksData(nowMs) {
    this.#look(nowMs);
    if (isShortOfData(this.#video, this.#reading.placeS, this.#length.seconds)) return true;
    return this.#video.readyState === HAVE_CURRENT_DATA && this.#standsStill(nowMs);
  }

  #look(nowMs) {
    const { paused, seeking } = this.#video;
    const { placeS } = this.#reading;
    const mayRest = paused || seeking;
    if (mayRest) this.#hasRun = false;
    else if (placeS !== this.#positionS && !Number.isNaN(this.#positionS)) this.#hasRun = true;
    if (mayRest || placeS !== this.#positionS) this.#movedMs = nowMs;
    this.#positionS = placeS;
  }

  #standsStill(nowMs) {
    return nowMs - this.#movedMs >= (this.#hasRun ? STUMBLES_AFTER_MS : STARTS_WITHIN_MS);
  }
}

// Whether what lies ahead of it, at placeS of lengthS, is still to come: by itself it cannot go on.
export function isShortOfData(video, placeS, lengthS) {
  if (video.readyState === HAVE_CURRENT_DATA) return !isBuffered(video, placeS, lengthS);
  return video.readyState < HAVE_CURRENT_DATA;
}

// Whether playing can go on at once from there. lengthS: of the film (film_length.js).
export function isBuffered({ buffered }, positionS, lengthS) {
  const neededS = Math.min(positionS + COVERED_AHEAD_S, Math.max(lengthS - END_ROUGHLY_S, positionS));
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= positionS && buffered.end(i) >= neededS) return true;
  }
  return false;
}
