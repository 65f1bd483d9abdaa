// A video element and its follower in miniature, for the controller: time goes in ticks, a start and
// a seek take as long as the test says, and the player's own clock may run wrong.

const TICK_MS = 100;

export class SimulatedPlayer {
  position = 0;
  paused = true;
  rate = 1;
  buffering = false;
  canSeek = true;
  seeks = [];
  rates = [];
  actions = [];
  nowMs = 0;
  #busyUntilMs = 0;
  #starting = false;

  // controller; target(nowMs): what the timeline says
  constructor(controller, target, { startMs = 0, seekMs = 0, clockError = 0, jitter = () => 0 } = {}) {
    Object.assign(this, { controller, target, startMs, seekMs, clockError, jitter });
  }

  get error() {
    return this.position - this.target(this.nowMs).position;
  }

  run(forMs) {
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs; ) {
      this.#decide();
      this.#advance(TICK_MS);
    }
  }

  #decide() {
    const target = this.target(this.nowMs);
    const seeking = this.#seeking;
    const player = { ...this.view(), seeking, position: this.position + (this.paused ? 0 : this.jitter()) };
    const action = this.controller.decide(this.nowMs, target, player);
    this.actions.push(action.type);
    this.#apply(action);
  }

  view() {
    const { position, paused, rate, buffering, canSeek } = this;
    return { position, paused, rate, buffering, canSeek, ended: false };
  }

  get #seeking() {
    return this.nowMs < this.#busyUntilMs && !this.#starting;
  }

  #apply(action) {
    if (action.type === 'seek') {
      this.seeks.push(action.position);
      this.position = action.position;
      this.#busyUntilMs = this.nowMs + this.seekMs;
      this.#starting = false;
    }
    if (action.type === 'play' || action.play) {
      if (this.paused && action.type === 'play') this.#busyUntilMs = this.nowMs + this.startMs;
      this.#starting = action.type === 'play';
      this.paused = false;
    }
    if (action.type === 'pause') this.paused = true;
    if (action.rate !== undefined) {
      this.rate = action.rate;
      this.rates.push(action.rate);
    }
  }

  #advance(ms) {
    const from = Math.max(this.nowMs, Math.min(this.#busyUntilMs, this.nowMs + ms));
    const playedMs = this.paused || this.buffering ? 0 : this.nowMs + ms - from;
    this.position += (playedMs / 1000) * this.rate * (1 + this.clockError);
    this.nowMs += ms;
  }
}

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
