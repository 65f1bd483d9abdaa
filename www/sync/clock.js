// The server's time, estimated from ping and pong (RFC 5905's four time stamps).
//
// Pure: every time comes in as an argument. Local times are milliseconds of a clock that never
// steps (performance.now()); server times are milliseconds since the Unix epoch.
//
// A pong says two things of the offset (server minus local): the way there took no less than no time,
// so it is at most t2 - t1; nor did the way back, so it is at least t3 - t4. The least way there and
// the least way back of the last sixteen pongs need not be of the same one: together they bound the
// offset at least as closely as the pong with the least round trip does. The middle is believed, half
// the width is the error bound; nothing that a viewer can measure tells more where the two ways differ.
// Both bounds widen with age, by what the two clocks may have drifted apart since.

const SAMPLES_KEPT = 16;
const QUICK_PINGS = 8;
const QUICK_INTERVAL_MS = 200;
const CALM_INTERVAL_MS = 10_000;
const SLEEP_JUMP_MS = 1_000;
const NODES_APART_MS = 5; // how far the clocks of two nodes may differ

// How long to wait before the next ping when `sent` have been sent since the (re)start.
export function pingDelayMs(sent) {
  return sent < QUICK_PINGS ? QUICK_INTERVAL_MS : CALM_INTERVAL_MS;
}

export class ServerClock {
  #samples = []; // {most, least: of the offset, rttMs, atMs}, oldest first
  #drift = new DriftEstimate();
  #rttMs = 0;
  #wallMinusLocalMs = null;

  // t1: local time of sending, t2 and t3: the server's times of receipt and of sending, t4: local
  // time of receipt. Returns false for times that cannot be.
  addSample({ t1, t2, t3, t4 }) {
    const rttMs = t4 - t1 - (t3 - t2);
    if (!Number.isFinite(rttMs) || t4 < t1 || t3 < t2) return false;
    const sample = { most: t2 - t1, least: Math.min(t3 - t4, t2 - t1), rttMs: Math.max(0, rttMs), atMs: t4 };
    this.#rttMs = sample.rttMs;
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
    this.#drift.add(sample);
    // Samples that exclude each other are of different clocks: the newer ones are right.
    while (this.#samples.length > 1 && this.#interval(t4).widthMs < 0) this.#samples.shift();
    return true;
  }

  // Forgets everything: the machine slept, and the local clock may have stood still.
  restart() {
    this.#samples = [];
    this.#drift = new DriftEstimate();
  }

  // A new connection, to this server or to one whose clock agrees with it to a few milliseconds: what
  // was known stays as one sample, so that the first coarse ones of the new way do not move anybody.
  reconnected(localMs) {
    if (!this.known) return;
    const { offsetMs, widthMs } = this.#interval(localMs);
    const halfMs = widthMs / 2 + NODES_APART_MS;
    this.#samples = [{ most: offsetMs + halfMs, least: offsetMs - halfMs, rttMs: 2 * halfMs, atMs: localMs }];
  }

  // Compares the wall clock with the local one, which on some systems stands still during sleep.
  // Returns true, having forgotten all samples, when the two have moved apart.
  noticeSleep(wallMs, localMs) {
    const difference = wallMs - localMs;
    const before = this.#wallMinusLocalMs;
    this.#wallMinusLocalMs = difference;
    if (before === null || Math.abs(difference - before) < SLEEP_JUMP_MS) return false;
    this.restart();
    return true;
  }

  get known() {
    return this.#samples.length > 0;
  }

  // Server time at the given local time; NaN as long as nothing is known.
  serverTimeMs(localMs) {
    return this.known ? localMs + this.#interval(localMs).offsetMs : NaN;
  }

  // Half the width of the interval in which the true server time lies.
  errorBoundMs(localMs) {
    return this.known ? this.#interval(localMs).widthMs / 2 : Infinity;
  }

  // The latest round trip, 0 before the first.
  get rttMs() {
    return this.#rttMs;
  }

  // How fast the server's clock gains on the local one, in parts per million, and how well that is
  // known (two standard deviations).
  get drift() {
    const { perMs, uncertaintyPerMs } = this.#drift;
    return { ppm: perMs * 1e6, uncertaintyPpm: uncertaintyPerMs * 1e6 };
  }

  #interval(localMs) {
    const { perMs, uncertaintyPerMs } = this.#drift;
    let most = Infinity;
    let least = -Infinity;
    for (const sample of this.#samples) {
      const ageMs = localMs - sample.atMs;
      const movedMs = perMs * ageMs;
      const looseMs = uncertaintyPerMs * Math.max(0, ageMs);
      most = Math.min(most, sample.most + movedMs + looseMs);
      least = Math.max(least, sample.least + movedMs - looseMs);
    }
    return { offsetMs: (most + least) / 2, widthMs: most - least };
  }
}

const HISTORY_KEPT = 90; // a quarter of an hour
const PRIOR_PER_MS = 25e-6; // what quartz clocks differ by, as a standard deviation
const UNCERTAINTY_LEAST_PER_MS = 2e-6; // temperature moves them by as much
const SAMPLE_ERROR_MS = 0.5; // of one with the least round trip

// The slope of the offsets over time, least squares, drawn towards none by what clocks are like. A
// sample counts by how little it was delayed: what a way takes beyond its least, half of that is error.
class DriftEstimate {
  perMs = 0;
  uncertaintyPerMs = 2 * PRIOR_PER_MS;
  #history = []; // {atMs, offsetMs, rttMs}

  add({ most, least, rttMs, atMs }) {
    this.#history.push({ atMs, offsetMs: (most + least) / 2, rttMs });
    if (this.#history.length > HISTORY_KEPT) this.#history.shift();
    this.#fit();
  }

  #fit() {
    const leastRttMs = Math.min(...this.#history.map(({ rttMs }) => rttMs));
    const weigh = ({ rttMs }) => 1 / (SAMPLE_ERROR_MS + (rttMs - leastRttMs) / 2) ** 2;
    const origin = this.#history[0];
    let weight = 0;
    let time = 0;
    let offset = 0;
    for (const sample of this.#history) {
      const share = weigh(sample);
      weight += share;
      time += share * (sample.atMs - origin.atMs);
      offset += share * (sample.offsetMs - origin.offsetMs);
    }
    const middle = { atMs: origin.atMs + time / weight, offsetMs: origin.offsetMs + offset / weight };
    let squares = 1 / PRIOR_PER_MS ** 2;
    let products = 0;
    for (const sample of this.#history) {
      const sinceMs = sample.atMs - middle.atMs;
      squares += weigh(sample) * sinceMs ** 2;
      products += weigh(sample) * sinceMs * (sample.offsetMs - middle.offsetMs);
    }
    this.perMs = products / squares;
    this.uncertaintyPerMs = Math.max(UNCERTAINTY_LEAST_PER_MS, 2 / Math.sqrt(squares));
  }
}
