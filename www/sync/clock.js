// The server's time, estimated from ping and pong (RFC 5905's four time stamps).
//
// Pure: every time comes in as an argument. Local times are milliseconds of a clock that never
// steps (performance.now()); server times are milliseconds since the Unix epoch.
// A sample's error bound is half its round trip, plus what the two clocks may have drifted apart
// since; the sample with the smallest bound of the last few is the one believed.

const SAMPLES_KEPT = 16;
const DRIFT_MS_PER_MS = 50e-6; // two quartz clocks, at their worst
const QUICK_PINGS = 8;
const QUICK_INTERVAL_MS = 200;
const CALM_INTERVAL_MS = 10_000;
const SLEEP_JUMP_MS = 1_000;

// How long to wait before the next ping when `sent` have been sent since the (re)start.
export function pingDelayMs(sent) {
  return sent < QUICK_PINGS ? QUICK_INTERVAL_MS : CALM_INTERVAL_MS;
}

export class ServerClock {
  #samples = []; // {offsetMs, rttMs, takenMs}, oldest first
  #wallMinusLocalMs = null;

  // t1: local time of sending, t2 and t3: the server's times of receipt and of sending, t4: local
  // time of receipt. Returns false for times that cannot be.
  addSample({ t1, t2, t3, t4 }) {
    const rttMs = t4 - t1 - (t3 - t2);
    if (!Number.isFinite(rttMs) || t4 < t1 || t3 < t2) return false;
    const offsetMs = (t2 - t1 + (t3 - t4)) / 2;
    this.#samples.push({ offsetMs, rttMs: Math.max(0, rttMs), takenMs: t4 });
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
    return true;
  }

  // Forgets all samples: the machine slept, or another server answers now.
  restart() {
    this.#samples = [];
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
    const best = this.#best(localMs);
    return best ? localMs + best.offsetMs : NaN;
  }

  // Half the width of the interval in which the true server time lies.
  errorBoundMs(localMs) {
    const best = this.#best(localMs);
    return best ? boundMs(best, localMs) : Infinity;
  }

  // The latest round trip, 0 before the first.
  get rttMs() {
    return this.#samples.at(-1)?.rttMs ?? 0;
  }

  #best(localMs) {
    let best = null;
    for (const sample of this.#samples) {
      if (!best || boundMs(sample, localMs) <= boundMs(best, localMs)) best = sample;
    }
    return best;
  }
}

function boundMs(sample, localMs) {
  return sample.rttMs / 2 + Math.max(0, localMs - sample.takenMs) * DRIFT_MS_PER_MS;
}
