// Sends the newest of many values, at most one per interval: scrubbing sends where it came to rest.

const QUIET_MS = 200;

export class LatestSender {
  #send;
  #timers;
  #pending; // undefined exactly when nothing waits
  #timer = null;

  // send(value) is called once no newer value has come for a moment.
  constructor(send, timers = { setTimeout: (...a) => setTimeout(...a), clearTimeout: (id) => clearTimeout(id) }) {
    this.#send = send;
    this.#timers = timers;
  }

  // The value that still waits, undefined if none.
  get pending() {
    return this.#pending;
  }

  push(value) {
    this.#pending = value;
    if (this.#timer !== null) this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(() => this.flush(), QUIET_MS);
  }

  flush() {
    if (this.#timer !== null) this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
    const value = this.#pending;
    this.#pending = undefined;
    if (value !== undefined) this.#send(value);
  }
}
