// A video element and its follower in miniature, for the controller: time goes in milliseconds, a start
// and a seek take as long as the test says, the player's own clock may run wrong, and its browser may
// treat rates as badly as the test likes.

const TICK_MS = 100;

export class SimulatedPlayer {
  position = 0;
  paused = true;
  rate = 1; // as the element says
  buffering = false;
  canSeek = true;
  hidden = false;
  pitchKept = true;
  stallsWithData = false; // what it has is all it needs, and still it buffers
  tickMs = TICK_MS;
  seeks = [];
  seekTimes = [];
  rates = [];
  actions = [];
  nowMs = 0;
  #played = 1; // the rate that is really played
  #seekingUntilMs = 0;
  #startsAtMs = 0;
  #nextDecisionMs = 0;

  // controller; target(nowMs): what the timeline says. startMs, seekMs: numbers, or what makes one;
  // clockError: how much faster its own clock runs, as a share; jitter(): error of a reading; reads(position):
  // what currentTime says; grants(rate): what the element makes of a rate; plays(rate): what is played
  // of it; stepS: how far a change of rate away from 1 moves the player, changeS: how far every change does;
  // onRate(player): after a change.
  constructor(controller, target, options = {}) {
    Object.assign(this, {
      controller, target, startMs: 0, seekMs: 0, clockError: 0, stepS: 0, changeS: 0, jitter: () => 0,
      reads: (position) => position, grants: (rate) => rate, plays: (rate) => rate, onRate: () => {}, ...options,
    });
  }

  get error() {
    return this.position - this.target(this.nowMs).position;
  }

  get seeking() {
    return this.nowMs < this.#seekingUntilMs;
  }

  run(forMs) {
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs; ) {
      if (this.nowMs >= this.#nextDecisionMs) this.#decide();
      this.#advance(1);
    }
  }

  // As after a command: the follower decides at once.
  changeTarget(target) {
    this.target = target;
    this.controller.targetChanged(this.nowMs);
    this.#nextDecisionMs = this.nowMs;
  }

  view() {
    const { paused, rate, buffering, canSeek, seeking, hidden, pitchKept } = this;
    const position = this.reads(this.position) + (paused ? 0 : this.jitter());
    const isBuffered = () => !buffering || this.stallsWithData;
    return { position, paused, rate, buffering, canSeek, seeking, hidden, pitchKept, isBuffered, ended: false };
  }

  #decide() {
    const action = this.controller.decide(this.nowMs, this.target(this.nowMs), this.view());
    this.actions.push(action.type);
    this.#nextDecisionMs = this.nowMs + Math.max(1, Math.min(this.tickMs, Math.ceil(action.forMs ?? Infinity)));
    this.#apply(action);
  }

  #apply(action) {
    if (action.type === 'pause' || (action.type === 'seek' && !action.play)) this.paused = true;
    if (action.type === 'pause') this.#nextDecisionMs = this.nowMs;
    if (action.type === 'seek') this.#seek(action.position);
    if ((action.type === 'play' || action.play) && this.paused) {
      this.paused = false;
      this.#startsAtMs = Math.max(this.nowMs, this.#seekingUntilMs) + valueOf(this.startMs);
    }
    if (action.rate !== undefined) this.#setRate(action.rate);
  }

  #seek(position) {
    this.seeks.push(position);
    this.seekTimes.push(this.nowMs);
    this.position = position;
    this.#seekingUntilMs = this.nowMs + valueOf(this.seekMs);
  }

  #setRate(rate) {
    const before = this.#played;
    this.rate = this.grants(rate);
    this.#played = this.plays(this.rate);
    if (this.#played !== before && !this.paused) this.position += valueOf(this.changeS) + (before === 1 ? this.stepS : 0);
    this.rates.push(rate);
    this.onRate(this);
  }

  #advance(ms) {
    const wasSeeking = this.seeking;
    const runs = !this.paused && !this.buffering && !wasSeeking && this.nowMs >= this.#startsAtMs;
    if (runs) this.position += (ms / 1000) * this.#played * (1 + this.clockError);
    this.nowMs += ms;
    if (wasSeeking && !this.seeking) this.#nextDecisionMs = this.nowMs;
  }
}

const valueOf = (what) => (typeof what === 'function' ? what() : what);

// What the timeline says while the showing runs from `position` since `sinceMs`.
export function running({ position = 0, sinceMs = 0, rate = 1, durationS = 3600 } = {}) {
  return (nowMs) => {
    const startsInMs = Math.max(0, sinceMs - nowMs);
    const at = position + (rate * Math.max(0, nowMs - sinceMs)) / 1000;
    const over = at >= durationS;
    return {
      position: Math.min(at, durationS), running: startsInMs === 0 && !over, over, startsInMs, rate, durationS,
    };
  };
}

export function resting({ position, rate = 1, durationS = 3600 }) {
  const over = position >= durationS;
  return () => ({ position, running: false, over, startsInMs: 0, rate, durationS });
}
