// Closes small gaps by playing a little faster or slower, and finds out whether this browser can.
//
// Pure. Rates are factors, shares are how far they are from the showing's own; gaps are seconds of
// media, above zero: the player is ahead.
//
// A correction begins when the gap leaves the dead zone, plays one rate all along, and ends when next to
// nothing is left of the gap: two changes of rate, and no more, for in some browsers each of them costs.
// What they cost is part of the way. Not every browser plays the rates that it is asked for: one
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
const CLOSE_IN_S = 1.2; // small gaps need not the largest share
const QUICKEN_BEYOND = 2; // shares change once or twice a correction, not at each look
const STRAY_DEAD_MAX_S = 0.018; // a dead zone no wider than that, however changes of rate stray
const NOISE_DEAD_MAX_S = 0.03; // ... and however readings do, as those of a hidden page
const NO_PROGRESS_MS = 3_000;
const THROWN_WITHIN_MS = 1_000; // what the change of rate itself does to a player is seen by then
const JUDGED_AFTER_S = 0.03; // of expected effect
const EFFECT_LEAST = 0.3;
const EFFECT_MOST = 2.5;
const STEP_MAX_S = 0.1; // a change of rate that moves the player further is a skip
const FAILURES_MAX = 3;

export class RateControl {
  #correcting = null; // {sinceMs, fromS, expectedS, bestS, bestAtMs}, of the correction under way
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

  // The rate that the player should have now, and whether it changes it: {rate, change: 'leave' the
  // showing's own, 'return' to it, or null}. gapS null: nothing is known. trim: close even a smaller one.
  // steady: the gap is not being found out just now. costs: {leaveS, returnS, strayS, known}, what changes of rate do by themselves (gap_observer.js).
  decide({ nowMs, elapsedMs, gapS, noiseS, steady, costs, baseRate, playedRate, pitchKept, trim }) {
    this.#readBack(baseRate, playedRate);
    if (gapS === null || !this.usable) return this.#settle(baseRate, null);
    if (this.#correcting) {
      this.#follow(nowMs, elapsedMs, gapS, baseRate);
      const leftS = gapS + costs.returnS;
      if (this.#isDone(nowMs, elapsedMs, leftS)) {
        this.#end(gapS, costs);
        return this.#settle(baseRate, 'return');
      }
      this.#quicken(leftS, elapsedMs, pitchKept);
      return { rate: baseRate * (1 + this.#share), change: null };
    }
    if (!steady || !this.#isDue(gapS, noiseS, costs, trim)) return this.#settle(baseRate, null);
    this.#begin(nowMs, gapS);
    this.#share = this.#shareFor(gapS + costs.leaveS + costs.returnS, elapsedMs, pitchKept);
    return { rate: baseRate * (1 + this.#share), change: 'leave' };
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

  #settle(baseRate, change) {
    this.#share = 0;
    return { rate: baseRate, change };
  }

  // What lies within the noise of readings or of changes is not to be won, nor is so little worth a first change of rate:
  // it has thrown players off by 20 times as much.
  #isDue(gapS, noiseS, { strayS, known }, trim) {
    const deadS = Math.max(DEAD_ZONE_S, Math.min(2 * strayS, STRAY_DEAD_MAX_S), Math.min(2 * noiseS, NOISE_DEAD_MAX_S));
    return Math.abs(gapS) > (trim && known && Math.max(noiseS, strayS) < TRIM_BEYOND_S ? TRIM_BEYOND_S : deadS);
  }

  #begin(nowMs, gapS) {
    this.#correcting = { sinceMs: nowMs, fromS: gapS, expectedS: 0, bestS: Math.abs(gapS), bestAtMs: nowMs };
  }

  // Keeps account of what the correction should have done by now. Who was thrown far off by its beginning makes progress
  // from there: to end it halfway would cost two more changes of rate.
  #follow(nowMs, elapsedMs, gapS, baseRate) {
    const correcting = this.#correcting;
    correcting.expectedS += (baseRate * this.#share * elapsedMs) / 1000;
    const mayBeThrown = nowMs - correcting.sinceMs < THROWN_WITHIN_MS;
    if (mayBeThrown || Math.abs(gapS) < correcting.bestS - CLOSED_S / 2) {
      correcting.bestS = Math.abs(gapS);
      correcting.bestAtMs = nowMs;
    }
  }

  // leftS: of the gap, when the rate has returned. The next look may be nearer to its end, or further.
  #isDone(nowMs, elapsedMs, leftS) {
    const isBeyond = Math.sign(leftS) === Math.sign(this.#share);
    const closedS = Math.max(CLOSED_S, (Math.abs(this.#share) * elapsedMs) / 2000);
    return isBeyond || Math.abs(leftS) <= closedS || nowMs - this.#correcting.bestAtMs > NO_PROGRESS_MS;
  }

  #end(gapS, { leaveS, returnS }) {
    const { fromS, expectedS } = this.#correcting;
    this.#correcting = null;
    const isSkip = Math.max(Math.abs(leaveS), Math.abs(returnS)) > STEP_MAX_S;
    if (!isSkip && Math.abs(expectedS) < JUDGED_AFTER_S) return;
    const effect = (gapS - fromS - leaveS) / expectedS;
    if (isSkip || effect < EFFECT_LEAST || effect > EFFECT_MOST) this.#fail();
    else this.#failures = 0;
  }

  #fail() {
    this.#failures += 1;
    this.forget();
  }

  // The gap turned out to be much larger than it was when the share was chosen.
  #quicken(leftS, elapsedMs, pitchKept) {
    const share = this.#shareFor(leftS, elapsedMs, pitchKept);
    if (Math.abs(share) > QUICKEN_BEYOND * Math.abs(this.#share)) this.#share = share;
  }

  #shareFor(gapS, elapsedMs, pitchKept) {
    const most = pitchKept ? this.#fullShare : SHARE_MAX_PITCH_LOST;
    if (this.#onlyFull) return -Math.sign(gapS) * most;
    // A page that is looked at once a second must not overshoot in between.
    const closeInS = Math.max(CLOSE_IN_S, (1.5 * elapsedMs) / 1000);
    const steps = Math.max(1, Math.round(Math.abs(gapS) / closeInS / SHARE_STEP));
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
