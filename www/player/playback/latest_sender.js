// Sends the newest of many values, at most one per interval: scrubbing sends where it came to rest.

const QUIET_MS = 200;

export class LatestSender {
  #send;
  #timers;
  #pending; // undefined exactly when nothing waits
  #timer = null;
  #held = false; // a hand is still on it: whatever comes may be followed by another

  // send(value) is called once no newer value has come for a moment.
  constructor(send, timers = { setTimeout: (act, ms) => setTimeout(act, ms), clearTimeout: (id) => clearTimeout(id) }) {
    this.#send = send;
    this.#timers = timers;
  }

  // The value that still waits, undefined if none.
  get pending() {
    return this.#pending;
  }

  push(value) {
    this.#pending = value;
    this.#clearTimer();
    if (!this.#held) this.#timer = this.#timers.setTimeout(() => this.flush(), QUIET_MS);
  }

  // Until release() nothing is sent; then the last value is, at once.
  hold() {
    this.#held = true;
    this.#clearTimer();
  }

  release() {
    this.#held = false;
    this.flush();
  }

  flush() {
    this.#clearTimer();
    const value = this.#pending;
    this.#pending = undefined;
    if (value !== undefined) this.#send(value);
  }

  #clearTimer() {
    if (this.#timer !== null) this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
