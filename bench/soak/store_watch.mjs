// When Redis was away: what needs it may fail then, and for a moment after. Pure, but for the clock.

const AFTER_MS = 6_000; // the server notices, connects, writes what it has, calls the roll

export class StoreWatch {
  #isAway = false;
  #backMs = -Infinity;

  onAway() {
    this.#isAway = true;
  }

  onBack(nowMs = performance.now()) {
    this.#isAway = false;
    this.#backMs = nowMs;
  }

  // At any time from `fromMs` until now.
  wasAwaySince(fromMs) {
    return this.#isAway || fromMs < this.#backMs + AFTER_MS;
  }
}
