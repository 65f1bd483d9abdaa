// Decides what one player must do to be where the showing is.
//
// Pure: no clock, no video element. Positions and errors are seconds of media time, an error above
// zero means that the player is ahead. One decision at a time:
//
//   {type:'none'}                       in step, or nothing to be done
//   {type:'wait', forMs?}               the player is busy, or the start is still to come
//   {type:'play', rate} {type:'pause'}
//   {type:'seek', position, play, rate} go there; play: and run
//   {type:'rate', rate}                 close a small gap unnoticed
//
// Small gaps are closed by rate, within 5 %: nobody hears that, everybody notices a skip. A seek
// takes time, during which the showing goes on, and so does a start: what was left of the gap
// after the last one is what the next one aims ahead.

const EXACT_S = 0.0005; // at rest all players stand on the same position
const SEEK_BEYOND_S = 1; // a gap that rate would close too slowly
const SEEK_BEYOND_JOINING_S = 0.4; // a newcomer, or after a command: nothing to be skipped yet
const SEEK_BEFORE_START_S = 0.05; // what rate closes within a second is not worth a seek
const JOINING_MS = 5_000;
const SEEK_GAP_MS = 4_000; // at least that long between corrections by seek
const STUCK_MS = 8_000; // buffering for so long: try where the showing is by now
const CORRECT_BEYOND_S = 0.015;
const CORRECT_UNTIL_S = 0.004;
const RATE_SHARE_MAX = 0.05;
const RATE_SHARE_PER_S = 0.6; // how much faster, for each second of gap
const RATE_STEP = 0.004; // smaller changes of rate are not worth a call
const SMOOTHING_MS = 400;
const SETTLED_AFTER_S = 0.1; // of media played since the start or the seek
const SEEK_LATENCY_MAX_S = 1.5;
const START_LATENCY_MAX_S = 0.4;
const LEARNING_SHARE = 0.6;
const RUN_OUT_S = 1; // so close to the end a player may run out by itself

const NOTHING = { type: 'none' };
const WAIT = { type: 'wait' };

export class SyncController {
  #seekLatencyS = 0.1;
  #startLatencyS = 0.04;
  #joiningUntilMs = 0;
  #lastSeekMs = -Infinity;
  #exactTried = null; // the position at rest that was last sought
  #settling = null; // after a start or seek: {kind, fromS}; fromS null until it runs
  #smoothedS = null;
  #smoothedAtMs = 0;
  #correcting = false;
  #bufferingSinceMs = null;

  // A new state came or a new video was loaded: the player may now be far from it.
  targetChanged(nowMs) {
    this.#joiningUntilMs = nowMs + JOINING_MS;
    this.#lastSeekMs = -Infinity;
    this.#exactTried = null;
    this.#settling = null;
    this.#forgetError();
  }

  // The smoothed error, null while there is none (at rest, settling, buffering).
  get errorS() {
    return this.#smoothedS;
  }

  get learned() {
    return { seekLatencyS: this.#seekLatencyS, startLatencyS: this.#startLatencyS };
  }

  // target: {position, running, over, startsInMs, rate, durationS}
  // player: {position, paused, seeking, buffering, ended, canSeek, rate}
  decide(nowMs, target, player) {
    if (!player.canSeek) return WAIT;
    if (target.running) return this.#whileRunning(nowMs, target, player);
    this.#forgetError();
    if (target.startsInMs > 0) return this.#beforeStart(nowMs, target, player);
    return this.#atRest(nowMs, target, player);
  }

  #atRest(nowMs, target, player) {
    this.#settling = null;
    if (target.over && isRunningOut(target, player)) return NOTHING;
    if (!player.paused && !player.ended) return { type: 'pause' };
    return this.#seekExactly(nowMs, target, player) ?? this.#baseRate(target, player) ?? NOTHING;
  }

  #beforeStart(nowMs, target, player) {
    if (!player.paused && this.#settling) return WAIT;
    if (this.#isLateForSeek(target, player)) return this.#seekAhead(nowMs, target);
    if (!player.paused) return { type: 'pause' };
    const due = target.startsInMs / 1000 <= this.#startLatencyS;
    const seek = this.#seekExactly(nowMs, target, player);
    if (seek) return seek;
    if (!due) return { type: 'wait', forMs: target.startsInMs - this.#startLatencyS * 1000 };
    return this.#start('start', { type: 'play', rate: target.rate });
  }

  #whileRunning(nowMs, target, player) {
    this.#exactTried = null;
    const error = player.position - target.position;
    if (player.paused) return this.#begin(nowMs, target, error);
    if (player.seeking || player.buffering) return this.#whileBusy(nowMs, target, error);
    this.#bufferingSinceMs = null;
    if (this.#settling && !this.#hasSettled(nowMs, player, error)) return WAIT;
    this.#smooth(nowMs, error);
    if (this.#mustSeek(nowMs)) return this.#seekAhead(nowMs, target);
    const rate = this.#correctedRate(target.rate);
    return Math.abs(rate - player.rate) >= RATE_STEP || (rate === target.rate && player.rate !== rate)
      ? { type: 'rate', rate }
      : NOTHING;
  }

  // To stand on the exact position first would take longer than there is until the start.
  #isLateForSeek(target, player) {
    const far = Math.abs(player.position - target.position) > SEEK_BEFORE_START_S;
    return far && target.startsInMs / 1000 < this.#seekLatencyS;
  }

  // The showing runs and this player stands.
  #begin(nowMs, target, error) {
    const far = Math.abs(error) > SEEK_BEYOND_JOINING_S;
    if (far && this.#maySeek(nowMs)) return this.#seekAhead(nowMs, target);
    return this.#start('start', { type: 'play', rate: target.rate });
  }

  #whileBusy(nowMs, target, error) {
    this.#forgetError();
    if (this.#settling) this.#settling.fromS = null;
    this.#bufferingSinceMs ??= nowMs;
    const commanded = this.#lastSeekMs === -Infinity && nowMs < this.#joiningUntilMs;
    if (commanded && Math.abs(error) > SEEK_BEYOND_JOINING_S) return this.#seekAhead(nowMs, target);
    if (nowMs - Math.max(this.#bufferingSinceMs, this.#lastSeekMs) < STUCK_MS) return WAIT;
    return this.#seekAhead(nowMs, target);
  }

  #seekAhead(nowMs, target) {
    const missedS = Math.max(0, this.#seekLatencyS - target.startsInMs / 1000);
    const ahead = target.position + target.rate * missedS;
    const position = Math.min(ahead, target.durationS);
    this.#lastSeekMs = nowMs;
    this.#bufferingSinceMs = null;
    return this.#start('seek', { type: 'seek', position, play: true, rate: target.rate });
  }

  #start(kind, action) {
    this.#settling = { kind, fromS: null };
    this.#forgetError();
    return action;
  }

  // True when the player has run for a moment; what is left of the gap teaches the latency.
  #hasSettled(nowMs, player, error) {
    const settling = this.#settling;
    settling.fromS = Math.min(settling.fromS ?? Infinity, player.position);
    if (player.position - settling.fromS < SETTLED_AFTER_S) return false;
    this.#settling = null;
    this.#learn(settling.kind, error / player.rate);
    return true;
  }

  #learn(kind, residualS) {
    if (kind === 'seek') {
      this.#seekLatencyS = learnt(this.#seekLatencyS, residualS, SEEK_LATENCY_MAX_S);
    } else {
      this.#startLatencyS = learnt(this.#startLatencyS, residualS, START_LATENCY_MAX_S);
    }
  }

  #smooth(nowMs, error) {
    if (this.#smoothedS === null) {
      this.#smoothedS = error;
    } else {
      const share = 1 - Math.exp(-(nowMs - this.#smoothedAtMs) / SMOOTHING_MS);
      this.#smoothedS += share * (error - this.#smoothedS);
    }
    this.#smoothedAtMs = nowMs;
    if (Math.abs(this.#smoothedS) < CORRECT_BEYOND_S) this.#joiningUntilMs = 0;
  }

  #forgetError() {
    this.#smoothedS = null;
    this.#correcting = false;
  }

  #maySeek(nowMs) {
    return nowMs - this.#lastSeekMs >= SEEK_GAP_MS;
  }

  #mustSeek(nowMs) {
    const joining = nowMs < this.#joiningUntilMs;
    const beyond = joining ? SEEK_BEYOND_JOINING_S : SEEK_BEYOND_S;
    return Math.abs(this.#smoothedS) > beyond && this.#maySeek(nowMs);
  }

  #correctedRate(baseRate) {
    const gap = Math.abs(this.#smoothedS);
    this.#correcting = gap > (this.#correcting ? CORRECT_UNTIL_S : CORRECT_BEYOND_S);
    if (!this.#correcting) return baseRate;
    const share = -this.#smoothedS * RATE_SHARE_PER_S;
    return baseRate * (1 + Math.min(RATE_SHARE_MAX, Math.max(-RATE_SHARE_MAX, share)));
  }

  #baseRate(target, player) {
    return player.rate === target.rate ? null : { type: 'rate', rate: target.rate };
  }

  // Players may settle a hair beside what was asked; asking again would not help.
  #seekExactly(nowMs, target, player) {
    if (player.seeking || Math.abs(player.position - target.position) <= EXACT_S) return null;
    if (this.#exactTried === target.position && !this.#maySeek(nowMs)) return null;
    this.#exactTried = target.position;
    this.#lastSeekMs = nowMs;
    return { type: 'seek', position: target.position, play: false, rate: target.rate };
  }
}

function learnt(latencyS, residualS, maxS) {
  const bounded = Math.min(1, Math.max(-1, residualS));
  return Math.min(maxS, Math.max(0, latencyS - LEARNING_SHARE * bounded));
}

function isRunningOut(target, player) {
  return player.ended || (!player.paused && target.durationS - player.position < RUN_OUT_S);
}
