// How often a player may be sought to correct it: by what the seeks before have achieved.
//
// Pure. Times are milliseconds, gaps seconds of media. Everybody notices a seek; one that did not bring the
// player much nearer (on a busy machine, in a hidden page, behind a slow network) will not the next time
// either, so each of them doubles how long the next one has to wait. One that did is followed at once by the
// next that is needed.

const WAIT_SOON_MS = 1_500;
const WAIT_LEAST_MS = 5_000;
const WAIT_MOST_MS = 40_000; // it may be better by now
const ACHIEVED = 0.5; // of the gap that is left

export class SeekBudget {
  #lastMs = -Infinity;
  #waitMs = WAIT_LEAST_MS;
  #toCloseS = null; // by the last seek, while it is not known what became of it

  // Something has happened that makes a seek due, and those before count no more.
  renew() {
    this.#lastMs = -Infinity;
    this.#waitMs = WAIT_LEAST_MS;
    this.#toCloseS = null;
  }

  get untouched() {
    return this.#lastMs === -Infinity;
  }

  // soon: it has only just been brought here, and nobody has settled down yet.
  allows(nowMs, soon = false) {
    return nowMs - this.#lastMs >= (soon ? WAIT_SOON_MS : this.#waitMs);
  }

  // A seek is made now, to close a gap of so much. One that follows before the last came to anything says
  // that this has achieved nothing.
  spend(nowMs, gapS) {
    if (this.#toCloseS !== null) this.#judge(Infinity);
    this.#lastMs = nowMs;
    this.#toCloseS = Math.abs(gapS);
  }

  // The player runs again, and this far off.
  came(gapS) {
    if (this.#toCloseS !== null) this.#judge(Math.abs(gapS));
  }

  #judge(leftS) {
    const isNearer = leftS < ACHIEVED * this.#toCloseS;
    this.#waitMs = isNearer ? WAIT_LEAST_MS : Math.min(WAIT_MOST_MS, 2 * this.#waitMs);
    this.#toCloseS = null;
  }
}
