// How far one player is from the showing, out of single readings that are a little off.
//
// Pure. A reading is compared with what was to be expected: the gap known so far, moved on by how much
// faster than the showing the player has run since. So a correction under way does not lag behind its
// own effect, and noise is smoothed out all the same. Gaps are seconds of media, above zero: ahead.
//
// A change of rate may cost a step of its own: Chromium falls 20 ms behind whenever it begins to stretch
// sound, whichever way. Such a step is learnt from what the readings show afterwards, and expected.

const SMOOTHING_MS = 250;
const JUMP_S = 0.25; // so far from what was expected, something else has happened
const STEP_TAKES_MS = 250; // until a change of rate has had its effect
const STEP_SHARE = 0.6; // of what a new step teaches
const STEP_BELIEVED_S = 0.15;

export class GapObserver {
  #gapS = null; // null: nothing is known
  #atMs = 0;
  #readings = 0;
  #noiseS = 0;
  #steps = new Map(); // learnt: how far the gap moves when this base rate is left
  #stepping = null; // {baseRate, untilMs, surprises}: a change of rate is taking effect

  get gapS() {
    return this.#gapS;
  }

  // What single readings are off by, on average.
  get noiseS() {
    return this.#noiseS;
  }

  stepS(baseRate) {
    return this.#steps.get(baseRate) ?? 0;
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

  // The player leaves the showing's own rate now.
  leaveRate(nowMs, baseRate) {
    if (this.#gapS === null) return;
    this.#gapS += this.stepS(baseRate);
    this.#stepping = { baseRate, untilMs: nowMs + STEP_TAKES_MS, surprises: [] };
  }

  #begin(nowMs, measuredS) {
    this.#gapS = measuredS;
    this.#atMs = nowMs;
    this.#readings = 1;
    this.#stepping = null;
    return true;
  }

  #correct(elapsedMs, surpriseS) {
    this.#readings += 1;
    const share = Math.max(1 / this.#readings, 1 - Math.exp(-elapsedMs / SMOOTHING_MS));
    this.#gapS += share * surpriseS;
    this.#noiseS += 0.1 * (Math.abs(surpriseS) - this.#noiseS);
  }

  // While the step comes, readings are in between; when it has come, three of them tell its size.
  #watchStep(nowMs, surpriseS) {
    if (nowMs < this.#stepping.untilMs) return;
    const { baseRate, surprises } = this.#stepping;
    surprises.push(surpriseS);
    if (surprises.length < 3) return;
    const meanS = surprises.reduce((sum, one) => sum + one) / surprises.length;
    const stepS = this.stepS(baseRate) + STEP_SHARE * meanS;
    this.#steps.set(baseRate, Math.min(STEP_BELIEVED_S, Math.max(-STEP_BELIEVED_S, stepS)));
    this.#gapS += meanS;
    this.#stepping = null;
  }
}
