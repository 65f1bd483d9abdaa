// Closes small gaps by playing a little faster or slower, and finds out whether this browser can.
//
// Pure. Rates are factors, shares are how far they are from the showing's own; gaps are seconds of
// media, above zero: the player is ahead.
//
// A correction begins when the gap leaves the dead zone and ends when next to nothing is left of it,
// so it neither flutters nor overshoots. Not every browser plays the rates that it is asked for: one
// rounds them, one ignores them, one stutters or skips at each change. What it grants is read back,
// what it really plays shows in the gap; after a few failures this one's rate is left alone.

const DEAD_ZONE_S = 0.015;
const TRIM_BEYOND_S = 0.006; // after a start or a seek, where the clock is good enough
const CLOSED_S = 0.0015;
const SHARE_MAX = 0.05; // nobody notices it while the pitch is kept
const SHARE_MAX_PITCH_LOST = 0.01; // a sixth of a semitone
const SHARE_STEP = 0.005;
const SHARE_USEFUL = 0.02; // who cannot be made to play so little faster is of no use
const SHARE_ROUNDING = 0.0005;
const CLOSE_IN_S = 0.4; // the last of a gap fades with this time constant
const NO_PROGRESS_MS = 3_000;
const JUDGED_AFTER_S = 0.03; // of expected effect
const EFFECT_LEAST = 0.3;
const EFFECT_MOST = 2.5;
const STEP_MAX_S = 0.1; // a change of rate that moves the player further is a skip
const FAILURES_MAX = 3;

export class RateControl {
  #correcting = null; // {fromS, expectedS, bestS, bestAtMs}, of the correction under way
  #share = 0; // asked for
  #asked = null; // the rate that was asked for last
  #granted = null; // what the element made of it; null until it is read back
  #failures = 0;
  #fullShare = SHARE_MAX; // less where this browser rounds it up beyond the limit
  #onlyFull = false; // smaller shares are rounded away

  // False once this browser has shown that it cannot: gaps are then closed by other means.
  get usable() {
    return this.#failures < FAILURES_MAX;
  }

  get correcting() {
    return this.#correcting !== null;
  }

  // The rate that the player should have now, and whether it leaves the showing's own:
  // {rate, leaving}. gapS null: nothing is known. trim: close even a smaller one. stepS: what leaving
  // the base rate does by itself.
  decide({ nowMs, elapsedMs, gapS, noiseS, stepS, baseRate, playedRate, pitchKept, trim }) {
    this.#readBack(baseRate, playedRate);
    if (gapS === null || !this.usable) return this.#settle(baseRate);
    const wasCorrecting = this.#correcting !== null;
    if (wasCorrecting) this.#follow(nowMs, elapsedMs, gapS, baseRate);
    if (!wasCorrecting && this.#isDue(gapS, noiseS, trim)) this.#begin(nowMs, gapS);
    else if (wasCorrecting && this.#isDone(nowMs, gapS)) this.#end(gapS, stepS);
    if (!this.#correcting) return this.#settle(baseRate);
    // What leaving the base rate does by itself is part of the way.
    const aheadS = wasCorrecting ? gapS : gapS + stepS;
    this.#share = this.#shareFor(aheadS, elapsedMs, pitchKept);
    return { rate: baseRate * (1 + this.#share), leaving: !wasCorrecting };
  }

  // The rate was put to the element.
  asked(rate) {
    this.#asked = rate;
    this.#granted = null;
  }

  // Whether the element must be told: it has another rate than it was last made to take.
  differs(rate, playedRate) {
    if (this.#asked === rate) return this.#granted !== null && playedRate !== this.#granted;
    return rate !== playedRate;
  }

  // The player stalled or skipped although it had all it needs: at a change of rate, that is its fault.
  stumbled() {
    if (this.#correcting) this.#fail();
  }

  forget() {
    this.#correcting = null;
    this.#share = 0;
  }

  #settle(baseRate) {
    this.#share = 0;
    return { rate: baseRate, leaving: false };
  }

  #isDue(gapS, noiseS, trim) {
    return Math.abs(gapS) > (trim && noiseS < TRIM_BEYOND_S ? TRIM_BEYOND_S : DEAD_ZONE_S);
  }

  #begin(nowMs, gapS) {
    this.#correcting = { fromS: gapS, expectedS: 0, bestS: Math.abs(gapS), bestAtMs: nowMs };
  }

  // Keeps account of what the correction should have done by now.
  #follow(nowMs, elapsedMs, gapS, baseRate) {
    const correcting = this.#correcting;
    correcting.expectedS += (baseRate * this.#share * elapsedMs) / 1000;
    if (Math.abs(gapS) < correcting.bestS - CLOSED_S / 2) {
      correcting.bestS = Math.abs(gapS);
      correcting.bestAtMs = nowMs;
    }
  }

  #isDone(nowMs, gapS) {
    const isBeyond = Math.sign(gapS) === Math.sign(this.#share);
    return isBeyond || Math.abs(gapS) <= CLOSED_S || nowMs - this.#correcting.bestAtMs > NO_PROGRESS_MS;
  }

  #end(gapS, stepS) {
    const { fromS, expectedS } = this.#correcting;
    this.#correcting = null;
    const isSkip = Math.abs(stepS) > STEP_MAX_S;
    if (!isSkip && Math.abs(expectedS) < JUDGED_AFTER_S) return;
    const effect = (gapS - fromS - stepS) / expectedS;
    if (isSkip || effect < EFFECT_LEAST || effect > EFFECT_MOST) this.#fail();
    else this.#failures = 0;
  }

  #fail() {
    this.#failures += 1;
    this.forget();
  }

  #shareFor(gapS, elapsedMs, pitchKept) {
    const most = pitchKept ? this.#fullShare : SHARE_MAX_PITCH_LOST;
    if (this.#onlyFull) return -Math.sign(gapS) * most;
    // A page that is looked at once a second must not overshoot in between.
    const closeInS = Math.max(CLOSE_IN_S, (1.5 * elapsedMs) / 1000);
    const steps = Math.max(1, Math.floor(Math.abs(gapS) / closeInS / SHARE_STEP));
    return -Math.sign(gapS) * Math.min(most, steps * SHARE_STEP);
  }

  // What a browser rounds away cannot be asked for; what it rounds up beyond the limit must not be.
  #readBack(baseRate, playedRate) {
    if (this.#asked === null || this.#granted !== null) return;
    this.#granted = playedRate;
    if (this.#share === 0 || Math.abs(playedRate - this.#asked) < SHARE_ROUNDING) return;
    const share = Math.abs(playedRate / baseRate - 1);
    if (share > SHARE_MAX + SHARE_ROUNDING) {
      this.#fullShare = Math.abs(this.#share) - 2 * SHARE_STEP;
      if (this.#fullShare < SHARE_USEFUL) this.#failures = FAILURES_MAX;
    } else if (share < SHARE_STEP / 2) {
      if (Math.abs(this.#share) >= this.#fullShare - SHARE_ROUNDING) this.#failures = FAILURES_MAX;
      this.#onlyFull = true;
    }
  }
}
