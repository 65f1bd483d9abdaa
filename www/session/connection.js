// One member's connection: a WebSocket that comes back by itself.
//
// Owns the socket and its timers, and nothing else: messages go up parsed and untouched.
// WebSocket, timers, clock and randomness are injected, so that a test can play the network.
//
// onPhase gets one of
//   {name:'connecting', attempt}                attempt counts from 1
//   {name:'open'}                               the first message has come
//   {name:'knocking'}                           the first message says that the host has to let one in; 'open' follows
//   {name:'waiting', untilMs, cause, status}    the next attempt is at untilMs (local time); cause:
//                                               'lost', 'restarting', 'slow', 'flooding'; 'unreached'
//                                               while none has been open yet; or why none was let in
//                                               (refusal.js), of 'refused' with the HTTP status
//   {name:'closed', reason}                     for good: 'ended', 'gone' (the server knows no such
//                                               session), 'badName', 'elsewhere', 'removed',
//                                               'locked', 'turnedAway', 'stopped'
// After 'closed' only start() begins again.
import { judgeRefusal } from './refusal.js';

const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_SHORT_MS = 2_000; // not more while the interruption is a short one
const SHORT_ATTEMPTS = 10;
const BACK_OFF_MAX_MS = 15_000;
const STABLE_AFTER_MS = 10_000; // only a connection that lasted so long ends the backing off
const OPEN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000; // a ping unanswered, and nothing else heard, for so long: dead

const FINAL_CODES = new Map([
  [4001, 'ended'],
  [4002, 'elsewhere'],
  [4004, 'removed'],
  [4005, 'turnedAway'],
]);
// What would only happen again at once: these wait as if it had failed some times already.
const CAUSES = new Map([
  [4003, 'slow'],
  [4008, 'flooding'],
]);
const FAILURES_ASSUMED = 4;
const REFUSED_WAIT_MS = 10_000; // what only somebody else can mend is not asked for all the time
const UPGRADES_MISSED = 2; // one may be missed because the server was just not there

export class Connection {
  #options;
  #socket = null;
  #timer = null;
  #attempts = 0; // since the last stable connection
  /** @type {Phase} */
  #phase = { name: 'closed', reason: 'stopped' };
  #openedAtMs = null;
  #hasBeenOpen = false; // since start()
  /** @type {Verdict | null} */
  #verdict = null; // why the last attempt was refused (refusal.js), as far as that is known
  #upgradesMissed = 0; // attempts one after the other with nothing wrong but that
  #isDraining = false; // the server said that it is about to end; until another one answers
  #retryAfterMs = null; // what it asked for
  #unansweredSinceMs = null;
  #heard = 0; // messages that have come
  #heardAtMs = null; // when the last one did

  // url(): the address of the next attempt. whyRefused(): resolves to {status, code} of a plain GET of
  // it, rejects where nobody answers; asked after an attempt that failed, for a browser hides why.
  // onMessage(message, connectStartedMs)
  constructor({ url, onMessage, onPhase, whyRefused, WebSocket, timers, now, random }) {
    this.#options = {
      url,
      onMessage,
      onPhase,
      whyRefused,
      WebSocket: WebSocket ?? globalThis.WebSocket,
      timers: timers ?? {
        setTimeout: globalThis.setTimeout.bind(globalThis),
        clearTimeout: globalThis.clearTimeout.bind(globalThis),
      },
      now: now ?? (() => performance.now()),
      random: random ?? Math.random,
    };
  }

  get phase() {
    return this.#phase;
  }

  // Local time of the last message.
  get heardAtMs() {
    return this.#heardAtMs;
  }

  // Something is heard over it, whether as a member or not yet.
  get isUp() {
    return this.#phase.name === 'open' || this.#phase.name === 'knocking';
  }

  start() {
    if (this.#phase.name !== 'closed') return;
    this.#attempts = 0;
    this.#hasBeenOpen = false;
    this.#forgetRefusals();
    this.#connect();
  }

  // Does not wait for the rest of a back-off.
  retryNow() {
    if (this.#phase.name === 'waiting') this.#connect();
  }

  stop() {
    this.#finish('stopped');
  }

  // Returns false when there is no open connection; nothing is kept for later.
  /** @param {Contract.MemberMessage} message */
  send(message) {
    return this.#phase.name === 'open' && this.#say(message);
  }

  // Sends a ping. A connection on which the last one had no answer for too long is given up, for
  // a network that vanished says nothing.
  /** @param {Contract.FromMember.ping} message */
  ping(message) {
    const nowMs = this.#options.now();
    if (this.#unansweredSinceMs !== null && nowMs - this.#unansweredSinceMs > ANSWER_TIMEOUT_MS) {
      this.#lose();
      return false;
    }
    if (!this.isUp || !this.#say(message)) return false;
    this.#unansweredSinceMs ??= nowMs;
    return true;
  }

  // The connection is in doubt: anything must be heard from it within `ms`.
  expectAnswer(ms) {
    if (!this.isUp) return;
    const before = this.#heard;
    this.#unansweredSinceMs = null;
    this.#startTimer(ms, () => {
      if (this.isUp && this.#heard === before) this.#lose();
    });
  }

  #say(message) {
    if (this.#socket.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #connect() {
    this.#clearTimer();
    this.#attempts += 1;
    const startedMs = this.#options.now();
    const socket = new this.#options.WebSocket(this.#options.url());
    this.#socket = socket;
    this.#openedAtMs = null;
    this.#retryAfterMs = null;
    this.#unansweredSinceMs = null;
    // Events of a socket that was given up are nobody's any more.
    const whileOurs = (handle) => (event) => socket === this.#socket && handle(event);
    socket.addEventListener('message', whileOurs((event) => this.#onMessage(event.data, startedMs)));
    socket.addEventListener('close', whileOurs((event) => this.#onClose(event.code)));
    this.#startTimer(OPEN_TIMEOUT_MS, () => this.#lose());
    this.#setPhase({ name: 'connecting', attempt: this.#attempts });
  }

  #onMessage(text, startedMs) {
    this.#unansweredSinceMs = null;
    this.#heard += 1;
    this.#heardAtMs = this.#options.now();
    const message = parseMessage(text);
    if (!message) return;
    if (this.#openedAtMs === null) {
      this.#clearTimer();
      this.#openedAtMs = this.#options.now();
      this.#hasBeenOpen = true;
      this.#isDraining = false;
      this.#forgetRefusals();
    }
    if (message.type === 'notice' && message.code === 'draining') {
      this.#isDraining = true;
      this.#retryAfterMs = message.retryAfterMs ?? null;
    }
    this.#enterPhase(message.type);
    this.#options.onMessage(message, startedMs);
  }

  // Whoever knocks is in with the welcome; who does not, with whatever comes first.
  #enterPhase(type) {
    if (type === 'knocking') this.#setPhase({ name: 'knocking' });
    else if (this.#phase.name === 'knocking' ? type === 'welcome' : this.#phase.name !== 'open') this.#setPhase({ name: 'open' });
  }

  #onClose(code) {
    const wasOpen = this.#openedAtMs !== null;
    if (wasOpen && this.#options.now() - this.#openedAtMs >= STABLE_AFTER_MS) this.#attempts = 0;
    this.#socket = null;
    const reason = FINAL_CODES.get(code);
    if (reason) return this.#finish(reason);
    this.#wait(code);
    if (!wasOpen) this.#askWhy();
  }

  // The socket says nothing more: it is left behind without waiting for its close.
  #lose() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    const wasOpen = this.#openedAtMs !== null;
    this.#wait(null);
    if (!wasOpen) this.#askWhy();
  }

  #wait(code) {
    const isTold = this.#isDraining && this.#retryAfterMs !== null;
    this.#waitFor(isTold ? this.#spread(this.#retryAfterMs) : this.#backOff(code), CAUSES.get(code));
  }

  #waitFor(delayMs, ownCause) {
    const { cause, status } = this.#isDraining ? { cause: 'restarting' } : (this.#verdict ?? {});
    this.#startTimer(delayMs, () => this.#connect());
    this.#setPhase({
      name: 'waiting',
      untilMs: this.#options.now() + delayMs,
      cause: ownCause ?? cause ?? (this.#hasBeenOpen ? 'lost' : 'unreached'),
      ...(status !== undefined && { status }),
    });
  }

  // Doubles with every failure; between half and the whole of it, so that the viewers of a server
  // that fell over do not come back all at once. A network that comes back within a quarter of a
  // minute finds somebody who has not yet given up hope.
  #backOff(code) {
    const failures = Math.max(this.#attempts, CAUSES.has(code) ? SHORT_ATTEMPTS + FAILURES_ASSUMED : 1);
    const shortMs = Math.min(BACK_OFF_SHORT_MS, BACK_OFF_FIRST_MS * 2 ** (failures - 1));
    const longMs = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** (failures - SHORT_ATTEMPTS));
    return Math.max(shortMs, longMs) * (0.5 + 0.5 * this.#options.random());
  }

  // At least what the server asked for, and up to as much again.
  #spread(askedMs) {
    return askedMs * (1 + this.#options.random());
  }

  async #askWhy() {
    const waiting = this.#phase;
    if (!this.#options.whyRefused) return;
    const refusal = await this.#options.whyRefused().catch(() => null);
    if (this.#phase !== waiting || waiting.name !== 'waiting') return;
    const verdict = refusal && judgeRefusal(refusal);
    if (verdict?.reason) return this.#finish(verdict.reason);
    this.#upgradesMissed = verdict?.cause === 'noUpgrade' ? this.#upgradesMissed + 1 : 0;
    const isKnown = verdict?.cause !== 'noUpgrade' || this.#upgradesMissed >= UPGRADES_MISSED;
    this.#verdict = isKnown ? verdict : null;
    const leftMs = waiting.untilMs - this.#options.now();
    const lastingMs = REFUSED_WAIT_MS * (0.5 + 0.5 * this.#options.random());
    this.#waitFor(this.#verdict?.isLasting ? Math.max(leftMs, lastingMs) : leftMs);
  }

  #forgetRefusals() {
    this.#verdict = null;
    this.#upgradesMissed = 0;
  }

  #finish(reason) {
    this.#clearTimer();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    this.#setPhase({ name: 'closed', reason });
  }

  /** @param {Phase} phase */
  #setPhase(phase) {
    this.#phase = phase;
    this.#options.onPhase(phase);
  }

  #startTimer(delayMs, action) {
    this.#clearTimer();
    this.#timer = this.#options.timers.setTimeout(() => {
      this.#timer = null;
      action();
    }, delayMs);
  }

  #clearTimer() {
    if (this.#timer !== null) this.#options.timers.clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** @param {string} text @returns {Contract.ServerMessage | null} */
function parseMessage(text) {
  try {
    const message = JSON.parse(text);
    return typeof message?.type === 'string' ? message : null;
  } catch {
    return null;
  }
}
