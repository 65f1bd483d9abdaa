// How far one player is from the showing, out of single readings that are a little off.
//
// Pure. A reading is compared with what was to be expected: the gap known so far, moved on by how much
// faster than the showing the player has run since. So a correction under way does not lag behind its
// own effect, and noise is smoothed out all the same. A few readings in a row that are off by much, and the
// same way, are no noise: the player has been moved. Gaps are seconds of media, above zero: ahead.
//
// A change of rate may cost a step of its own, whichever way it goes: Chromium falls 20 ms behind when it
// begins to stretch sound, WebKit about 12 ms at every change. Such a step is learnt from what the readings
// show afterwards, for leaving the showing's rate and for returning to it, and expected.

const SMOOTHING_MS = 250;
const JUMP_S = 0.25; // so far from what was expected, something else has happened
const MOVED_READINGS = 3;
const MOVED_S = 0.01; // ... or three times the noise
const STEP_TAKES_MS = 250; // until a change of rate has had its effect
const STEP_SHARE = 0.5; // of what a new step teaches
const STRAY_SHARE = 0.3;
const STEP_BELIEVED_S = 0.15;

export class GapObserver {
  #gapS = null; // null: nothing is known
  #atMs = 0;
  #readings = 0;
  #noiseS = 0;
  #surprises = []; // the last ones, while they are beyond the noise and the same way
  #steps = new Map(); // learnt, by change and base rate: how far the gap moves, {meanS, strayS}
  #stepping = null; // a change of rate is taking effect: {key, untilMs, surprises, teaches}

  get gapS() {
    return this.#gapS;
  }

  // What single readings are off by, on average.
  get noiseS() {
    return this.#noiseS;
  }

  // Whether the last reading was what was to be expected.
  get steady() {
    return this.#surprises.length === 0;
  }

  // What a correction costs by its two changes of rate, and how far they stray from it; known: whether any was seen yet.
  costs(baseRate) {
    const [leave, back] = ['leave', 'return'].map((change) => this.#step(change + baseRate));
    const known = this.#steps.has(`leave${baseRate}`);
    return { leaveS: leave.meanS, returnS: back.meanS, strayS: Math.max(leave.strayS, back.strayS), known };
  }

  forget() {
    this.#gapS = null;
    this.#stepping = null;
  }

  // fasterBy: seconds of media by which the player has gained on the showing each second since the
  // last reading, by its rate. Returns false when the player is not where it can have got by playing.
  read(nowMs, measuredS, fasterBy) {
    if (this.#gapS === null) return this.#begin(nowMs, measuredS);
    const elapsedMs = nowMs - this.#atMs;
    this.#atMs = nowMs;
    this.#gapS += (fasterBy * elapsedMs) / 1000;
    const surpriseS = measuredS - this.#gapS;
    if (Math.abs(surpriseS) > JUMP_S) return !this.#begin(nowMs, measuredS);
    if (this.#stepping) this.#watchStep(nowMs, surpriseS);
    else this.#correct(elapsedMs, surpriseS);
    return true;
  }

  // The player changes its rate now. change: 'leave' the showing's own, or 'return' to it.
  changeRate(nowMs, change, baseRate) {
    if (this.#gapS === null) return;
    const key = change + baseRate;
    this.#gapS += this.#step(key).meanS;
    this.#stepping = { key, untilMs: nowMs + STEP_TAKES_MS, surprises: [], teaches: this.steady };
    this.#surprises = [];
  }

  #step(key) {
    return this.#steps.get(key) ?? { meanS: 0, strayS: 0 };
  }

  #begin(nowMs, measuredS) {
    this.#gapS = measuredS;
    this.#atMs = nowMs;
    this.#readings = 1;
    this.#stepping = null;
    this.#surprises = [];
    return true;
  }

  #correct(elapsedMs, surpriseS) {
    this.#readings += 1;
    const share = Math.max(1 / this.#readings, 1 - Math.exp(-elapsedMs / SMOOTHING_MS));
    const movedS = this.#movedBy(surpriseS);
    this.#gapS += movedS ?? share * surpriseS;
    const strayS = Math.min(Math.abs(surpriseS), 3 * this.#noiseS + MOVED_S);
    this.#noiseS += 0.1 * (strayS - this.#noiseS);
  }

  // By how much the player has been moved; null while that does not show.
  #movedBy(surpriseS) {
    const isBeyond = Math.abs(surpriseS) > Math.max(MOVED_S, 3 * this.#noiseS);
    const isAlike = this.#surprises.every((other) => Math.sign(other) === Math.sign(surpriseS));
    this.#surprises = isBeyond ? [...(isAlike ? this.#surprises : []), surpriseS] : [];
    if (this.#surprises.length < MOVED_READINGS) return null;
    this.#surprises = [];
    return surpriseS;
  }

  // While the step comes, readings are in between; when it has come, three of them tell its size.
  #watchStep(nowMs, surpriseS) {
    if (nowMs < this.#stepping.untilMs) return;
    const { key, surprises, teaches } = this.#stepping;
    surprises.push(surpriseS);
    if (surprises.length < 3) return;
    const meanS = surprises.reduce((sum, one) => sum + one) / surprises.length;
    if (teaches) this.#learnStep(key, meanS);
    this.#gapS += meanS;
    this.#stepping = null;
  }
  #learnStep(key, surpriseS) {
    const isFirst = !this.#steps.has(key);
    const { meanS, strayS } = this.#step(key);
    const stepS = meanS + STEP_SHARE * surpriseS;
    this.#steps.set(key, {
      meanS: Math.min(STEP_BELIEVED_S, Math.max(-STEP_BELIEVED_S, stepS)),
      strayS: isFirst ? 0 : strayS + STRAY_SHARE * (Math.abs(surpriseS) - strayS),
    });
  }
}
