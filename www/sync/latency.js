// How long something takes that is done now and then: the mean, and how far it strays.
//
// Pure, in seconds. What it was begins to count with the first time that it happened; until then a
// guess stands in.

const SHARE = 0.3;

export class LearntLatency {
  #meanS;
  #strayS;
  #maxS;
  #leapS;
  #oddS = null; // the last one, where it was unlike those before
  #learnt = 0;

  // leapS: what differs by so much teaches nothing, for it may happen once only, as a device that wakes up; a second
  // one like it is believed at once, and not by a share: things are different now.
  constructor(guessS, maxS, { leapS = Infinity } = {}) {
    this.#meanS = guessS;
    this.#strayS = guessS / 2;
    this.#maxS = maxS;
    this.#leapS = leapS;
  }

  get meanS() {
    return this.#meanS;
  }

  // What it hardly ever exceeds.
  get mostS() {
    return Math.min(this.#maxS, this.#meanS + 2 * this.#strayS);
  }

  add(tookS) {
    const bounded = Math.min(this.#maxS, Math.max(0, tookS));
    const awayS = bounded - this.#meanS;
    const isOdd = Math.abs(awayS) > this.#leapS;
    if (isOdd && !this.#isLikeOdd(bounded)) return;
    this.#oddS = null;
    this.#learnt = isOdd ? 1 : this.#learnt + 1;
    const share = Math.max(SHARE, 1 / this.#learnt);
    this.#meanS += share * awayS;
    if (this.#learnt === 1) this.#strayS = this.#meanS / 4;
    else this.#strayS += SHARE * (Math.abs(awayS) - this.#strayS);
  }

  #isLikeOdd(tookS) {
    const isLike = this.#oddS !== null && Math.abs(tookS - this.#oddS) <= this.#leapS;
    this.#oddS = tookS;
    return isLike;
  }
}
