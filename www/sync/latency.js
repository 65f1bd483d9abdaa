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
  #learnt = 0;

  // leapS: what differs by so much is believed at once, and not by a share: things are different now.
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
    this.#learnt += 1;
    const awayS = bounded - this.#meanS;
    if (Math.abs(awayS) > this.#leapS) this.#learnt = 1;
    const share = Math.max(SHARE, 1 / this.#learnt);
    this.#meanS += share * awayS;
    if (this.#learnt === 1) this.#strayS = this.#meanS / 4;
    else this.#strayS += SHARE * (Math.abs(awayS) - this.#strayS);
  }
}
