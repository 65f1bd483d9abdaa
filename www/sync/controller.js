// Decides what one player must do to be where the showing is.
//
// Pure: no clock, no video element. Positions and gaps are seconds of media time, a gap above zero
// means that the player is ahead. One decision at a time:
//
//   {type:'none'}                       in step, or nothing to be done
//   {type:'wait', forMs?}               the player is busy, or its moment is still to come
//   {type:'play', rate} {type:'pause'}
//   {type:'seek', position, play, rate} go there; play: run on, otherwise stand
//   {type:'rate', rate}                 close a small gap unnoticed
//
// Whoever is far off arrives like this: it seeks as far ahead as seeks have been seen to take at most,
// stands there, and starts when the showing is about to come by, earlier by as much as starts have been
// seen to take. So it does not matter how long this seek takes, and starts are alike. A seek that came
// too late, or has not come at all, is made once more, as far ahead as it took: nobody has seen anything of it yet,
// and behind a slow network the next one will not be quicker. Who then comes far too early is sought back.
//
// In mid-play gaps are closed by rate (rate_control.js): nobody hears 5 %, everybody notices a skip. What
// that would take ten seconds for is closed by one skip, and further ones are bounded by what they achieve
// (seek_budget.js).
import { GapObserver } from './gap_observer.js';
import { LearntLatency } from './latency.js';
import { RateControl } from './rate_control.js';
import { SeekBudget } from './seek_budget.js';

const EXACT_S = 0.0005; // at rest all players stand on the same position
const SEEK_BEYOND_S = 0.5; // a gap that rate would close too slowly
const SEEK_BEYOND_JOINING_S = 0.1; // a newcomer, or after a command: nothing to be skipped yet
const SEEK_BEYOND_RATELESS_S = 0.04; // a browser whose rate cannot be used
const JOINING_MS = 5_000;
const LATE_STARTS_MS = 2_000; // longer, where it began to run only then
const LATE_STARTS_MAX = 2; // after one event
const START_MOST_S = 4; // a sound device may take seconds to start
const START_LEAPS_S = 0.5; // ... when it was asleep
const STUCK_MS = 8_000; // buffering for so long: try where the showing is by now
const STUCK_FOR_NOTHING_MS = 3_000; // ... where nothing that is still to come can help
const NO_START_MS = 5_000; // no start takes so long: this one has come to nothing
const NO_START_MOST_MS = 40_000; // ... or does here, where the last ones did not come sooner either
const ARRIVES_LATE_S = 0.03; // an arrival later than that tries again
const STARTS_LATE_S = 0.12; // who stands further behind seeks before it starts
const TRIES_MAX = 3;
const EARLY_BEYOND_S = 0.025; // who came early by so much more than a start takes stands still for a moment
const WAIT_AHEAD_MAX_S = 1; // who is ahead by less may wait for the showing
const MARGIN_S = 0.05;
const SETTLED_AFTER_S = 0.15; // of media played since the start or the seek
const TRIM_AFTER_MS = 600;
const TRIMS_MAX = 3; // after one event
const RUN_OUT_S = 1; // so close to the end a player may run out by itself

const NOTHING = { type: 'none' };
const WAIT = { type: 'wait' };

export class SyncController {
  #observer = new GapObserver();
  #rates = new RateControl();
  #starts = new LearntLatency(0.08, START_MOST_S, { leapS: START_LEAPS_S });
  #seeks = { near: new LearntLatency(0.1, 2), far: new LearntLatency(0.4, 4) };
  #hops = new LearntLatency(0.3, 4); // seeks of a player that runs on
  #budget = new SeekBudget();
  #joiningUntilMs = 0;
  #seekWanted = false; // by the viewer
  #exactTried = null; // the position at rest that was last sought
  #arrival = null; // on the way to where the showing will be: {sinceMs, kind, tries, reached, tookS}; with
  // dueMs it was not sought, but stands still until then
  #settling = null; // after a start or seek: {sinceMs, fromS, mark}; fromS null until it runs
  #baseRate = 1; // the showing's, when a gap was last closed by rate
  #trimAtMs = null; // how close the last event came will be clear by then
  #trimsLeft = 0;
  #mayStandStill = false; // once after each event
  #lateStartsLeft = 0;
  #noStartMs = NO_START_MS; // twice as long each time
  #decidedMs = null; // when the last decision was made
  #busySinceMs = null;
  #mayLeaveEnd = true; // a player that has ended may be sent elsewhere, once after each event

  // A new state came or a new video was loaded: the player may now be far from it.
  targetChanged(nowMs) {
    this.#joiningUntilMs = nowMs + JOINING_MS;
    this.#budget.renew();
    this.#seekWanted = false;
    this.#exactTried = null;
    this.#arrival = null;
    this.#settling = null;
    this.#trimAtMs = nowMs + TRIM_AFTER_MS;
    this.#trimsLeft = TRIMS_MAX;
    this.#mayStandStill = true;
    this.#lateStartsLeft = LATE_STARTS_MAX;
    this.#noStartMs = NO_START_MS;
    this.#mayLeaveEnd = true;
    this.#forgetGap();
  }

  // The target is another one from now on, by no more than the viewer's own shift (shift.js): what is known
  // of the gap is of the old one, and so is what a start or a correction under way would teach. The way
  // there is made by rate, as in mid-play.
  targetMoved(nowMs) {
    if (this.#settling) this.#settling = { ...this.#settling, mark: null, fromS: null };
    this.#trimAtMs = nowMs + TRIM_AFTER_MS;
    this.#trimsLeft = TRIMS_MAX;
    this.#forgetGap();
  }

  // The viewer wants the place sought once more, however near it seems.
  resync(nowMs) {
    this.targetChanged(nowMs);
    this.#seekWanted = true;
  }

  // The smoothed gap, null while there is none (at rest, settling, buffering).
  get errorS() {
    return this.#observer.gapS;
  }

  get learned() {
    const { near, far } = this.#seeks;
    return {
      seekLatencyS: near.meanS, farSeekLatencyS: far.meanS, startLatencyS: this.#starts.meanS,
      rateUsable: this.#rates.usable,
    };
  }

  // target: {position, running, over, startsInMs, rate, durationS}
  // player: {position, paused, seeking, buffering, ended, canSeek, rate, hidden?, pitchKept?,
  // isBuffered?(position)}; position: NaN while it plays and nobody can say where; hidden: the page is, and its
  // timers are slow.
  decide(nowMs, target, player) {
    const elapsedMs = nowMs - (this.#decidedMs ?? nowMs);
    this.#decidedMs = nowMs;
    if (!player.canSeek) return WAIT;
    const action = target.running
      ? this.#whileRunning(nowMs, elapsedMs, target, player)
      : this.#whileStanding(nowMs, target, player);
    if (action.rate !== undefined) this.#rates.asked(action.rate);
    return action;
  }

  #whileStanding(nowMs, target, player) {
    this.#forgetGap();
    if (target.startsInMs > 0) return this.#beforeStart(nowMs, target, player);
    return this.#atRest(nowMs, target, player);
  }

  #atRest(nowMs, target, player) {
    this.#settling = null;
    this.#arrival = null;
    if (target.over && isRunningOut(target, player)) return NOTHING;
    if (!player.paused && !player.ended) return { type: 'pause' };
    return this.#seekExactly(nowMs, target, player) ?? this.#restoreRate(target, player) ?? NOTHING;
  }

  #beforeStart(nowMs, target, player) {
    if (!player.paused) return this.#settling ? WAIT : { type: 'pause' };
    if (this.#arrival) return this.#arrive(nowMs, target, player);
    const isThere = Math.abs(player.position - target.position) <= EXACT_S;
    if (player.seeking) return WAIT;
    if (isThere || this.#exactTried === target.position) return this.#startWhenDue(nowMs, target, player);
    this.#exactTried = target.position;
    return this.#seekAhead(nowMs, target, player);
  }

  #whileRunning(nowMs, elapsedMs, target, player) {
    this.#exactTried = null;
    if (this.#seekWanted) return this.#seekAhead(nowMs, target, player);
    if (player.ended) return this.#pastItsEnd(nowMs, target, player);
    if (this.#arrival) return this.#arrive(nowMs, target, player);
    const gapS = player.position - target.position;
    const isBusy = player.seeking || player.buffering || Number.isNaN(gapS);
    if (isBusy) return this.#whileBusy(nowMs, target, player, gapS);
    this.#busySinceMs = null;
    if (player.paused) return this.#begin(nowMs, target, player);
    this.#mayLeaveEnd = false;
    if (this.#settling && !this.#hasSettled(nowMs, player, gapS)) return this.#whileSettling(nowMs, target, player);
    if (!this.#observer.read(nowMs, gapS, player.rate - target.rate)) this.#rates.forget();
    if (this.#cameEarly(nowMs, target, player)) return this.#standStill(nowMs, target);
    if (this.#mustJump(nowMs)) return this.#jump(nowMs, target, player);
    return this.#closeByRate(nowMs, elapsedMs, target, player);
  }

  // The showing goes on and the player has no more media: it is at the very end, or the film is cut short.
  // It is not started there, for a browser would begin anew at 0; and what it says of its position is no
  // gap, for it says the duration. After an event the showing may be where there still is some.
  #pastItsEnd(nowMs, target, player) {
    this.#forgetGap();
    this.#arrival = null;
    this.#settling = null;
    if (!this.#mayLeaveEnd) return WAIT;
    const action = this.#seekAhead(nowMs, target, player);
    return action.position < target.durationS ? action : WAIT;
  }

  // --- Arriving ----------------------------------------------------------------------------------

  // The showing runs and this player stands.
  #begin(nowMs, target, player) {
    const aheadS = this.#aheadIfStartedS(target, player);
    const isNear = aheadS > -STARTS_LATE_S && aheadS < WAIT_AHEAD_MAX_S;
    if (isNear || !this.#budget.allows(nowMs)) return this.#startWhenDue(nowMs, target, player);
    return this.#seekAhead(nowMs, target, player);
  }

  // On the way: wait for the seek, then for the moment.
  #arrive(nowMs, target, player) {
    const arrival = this.#arrival;
    if (!player.paused) return { type: 'pause' };
    if (player.seeking || player.buffering) {
      if (nowMs - arrival.sinceMs < STUCK_MS * arrival.tries) return WAIT;
      return this.#seekAhead(nowMs, target, player);
    }
    if (!arrival.reached) {
      arrival.reached = true;
      arrival.tookS = (nowMs - arrival.sinceMs) / 1000;
      this.#seeks[arrival.kind].add(arrival.tookS);
    }
    if (arrival.dueMs > nowMs) return { type: 'wait', forMs: arrival.dueMs - nowMs };
    const aheadS = this.#aheadIfStartedS(target, player);
    const missed = aheadS < -ARRIVES_LATE_S || aheadS > WAIT_AHEAD_MAX_S + this.#seeks.far.mostS;
    if (missed && !arrival.dueMs && arrival.tries < TRIES_MAX) return this.#seekAhead(nowMs, target, player);
    return this.#startWhenDue(nowMs, target, player);
  }

  // How many seconds ahead of the showing the player, which stands, would be if it were started now.
  #aheadIfStartedS(target, player) {
    const untilStartS = target.startsInMs / 1000;
    return (player.position - target.position) / target.rate + untilStartS - this.#starts.meanS;
  }

  #startWhenDue(nowMs, target, player) {
    const aheadS = this.#aheadIfStartedS(target, player);
    if (aheadS > 0.001) return { type: 'wait', forMs: aheadS * 1000 };
    const mark = { latency: this.#starts, countedS: this.#starts.meanS, aheadS };
    return this.#settle(nowMs, mark, { type: 'play', rate: target.rate });
  }

  #seekAhead(nowMs, target, player) {
    this.#budget.spend(nowMs, player.position - target.position);
    this.#seekWanted = false;
    this.#mayLeaveEnd = false;
    this.#busySinceMs = null;
    // A hidden page may not be allowed to start again what it stopped: there the player runs on.
    if (player.hidden && !player.paused) return this.#hop(nowMs, target);
    const tries = (this.#arrival?.tries ?? 0) + 1;
    const isNear = player.isBuffered?.(target.position) ?? true;
    const kind = isNear ? 'near' : 'far';
    const usualS = this.#seeks[kind].mostS + MARGIN_S + this.#starts.meanS;
    const likeLastS = this.#lastTryS(nowMs) + MARGIN_S + this.#starts.meanS;
    this.#arrival = { sinceMs: nowMs, kind, tries, reached: false };
    // What would only be there at the film's end may still come sooner.
    const isInFilm = aheadBy(likeLastS, target) < target.durationS;
    return seekTo(aheadBy(isInFilm ? Math.max(usualS, likeLastS) : usualS, target), false, target);
  }

  // How long the seek of this arrival took, or has taken up to now; 0 where there was none. A page may have slept
  // meanwhile: no more than it is waited for.
  #lastTryS(nowMs) {
    if (!this.#arrival) return 0;
    const { sinceMs, tries, tookS = (nowMs - sinceMs) / 1000 } = this.#arrival;
    return Math.min(tookS, (STUCK_MS * tries) / 1000);
  }

  #hop(nowMs, target) {
    const countedS = this.#hops.meanS;
    return this.#settle(nowMs, { latency: this.#hops, countedS, aheadS: 0 }, seekTo(aheadBy(countedS, target), true, target));
  }

  // In mid-play, but too far off for the rate.
  #jump(nowMs, target, player) {
    const aheadS = this.#observer.gapS / target.rate;
    if (aheadS < 0 || aheadS > WAIT_AHEAD_MAX_S || player.hidden) return this.#seekAhead(nowMs, target, player);
    // Not far ahead: standing still for a moment is enough.
    this.#budget.spend(nowMs, this.#observer.gapS);
    return this.#standStill(nowMs, target);
  }

  // A first start is guessed to take as long as Chromium's. Where it takes next to nothing (Firefox, WebKit) a
  // newcomer is ahead by that, for seconds at 5 %; what it takes is known now, and nobody has seen much yet.
  #cameEarly(nowMs, target, player) {
    const isNew = this.#mayStandStill && nowMs < this.#joiningUntilMs && !player.hidden;
    const aheadS = this.#observer.gapS / target.rate;
    return isNew && aheadS > this.#starts.meanS + EARLY_BEYOND_S && aheadS < WAIT_AHEAD_MAX_S;
  }

  // For as long as it is ahead by all that is known; where it stands a player may tell only a moment later (Firefox).
  #standStill(nowMs, target) {
    const forS = this.#observer.gapS / target.rate - this.#starts.meanS;
    this.#mayStandStill = false;
    this.#forgetGap();
    this.#arrival = { sinceMs: nowMs, dueMs: nowMs + forS * 1000, kind: 'near', tries: 1, reached: true, tookS: 0 };
    return { type: 'pause' };
  }

  #whileBusy(nowMs, target, player, gapS) {
    const hasAll = player.isBuffered?.(player.position) ?? true;
    const mayHelpItself = player.seeking || !(hasAll || Number.isNaN(gapS));
    const stuckMs = mayHelpItself ? STUCK_MS : STUCK_FOR_NOTHING_MS;
    if (this.#busySinceMs === null && player.buffering && hasAll) this.#rates.stumbled();
    this.#forgetGap();
    if (this.#settling) Object.assign(this.#settling, { sinceMs: nowMs, fromS: null });
    this.#busySinceMs ??= nowMs;
    const commanded = this.#budget.untouched && nowMs < this.#joiningUntilMs;
    if (commanded && Math.abs(gapS) > SEEK_BEYOND_JOINING_S) return this.#seekAhead(nowMs, target, player);
    if (nowMs - this.#busySinceMs < stuckMs || !this.#budget.allows(nowMs)) return WAIT;
    return this.#seekAhead(nowMs, target, player);
  }

  // mark: {latency, countedS, aheadS}, what was counted on and how far ahead that was to end.
  #settle(nowMs, mark, action) {
    this.#arrival = null;
    this.#settling = { sinceMs: nowMs, mark, fromS: null };
    this.#forgetGap();
    return action;
  }

  // True when the player has run for a moment; by what it missed its mark the next one is earlier
  // or later.
  #hasSettled(nowMs, player, gapS) {
    const settling = this.#settling;
    settling.fromS = Math.min(settling.fromS ?? Infinity, player.position);
    if (player.position - settling.fromS < SETTLED_AFTER_S) return false;
    this.#settling = null;
    this.#noStartMs = NO_START_MS;
    this.#trimAtMs = nowMs + TRIM_AFTER_MS;
    const { mark } = settling;
    if (mark) this.#learn(nowMs, mark, mark.aheadS - gapS / player.rate);
    this.#budget.came(gapS);
    return true;
  }

  // lateS: later than was counted on. Who has not been in place since the last event, and began so late that the time
  // for that is over, has had no chance to be.
  #learn(nowMs, { latency, countedS }, lateS) {
    latency.add(countedS + lateS);
    if (this.#joiningUntilMs === 0 || this.#lateStartsLeft === 0 || lateS < START_LEAPS_S) return;
    this.#lateStartsLeft -= 1;
    this.#joiningUntilMs = Math.max(this.#joiningUntilMs, nowMs + LATE_STARTS_MS);
  }

  // A player may say that it plays, with all it needs, and not begin to, as WebKit's with a sound device on a busy
  // machine. Nobody sees that it is sought.
  #whileSettling(nowMs, target, player) {
    if (nowMs - this.#settling.sinceMs < this.#noStartMs) return WAIT;
    this.#noStartMs = Math.min(NO_START_MOST_MS, 2 * this.#noStartMs);
    return this.#seekAhead(nowMs, target, player);
  }

  // --- In mid-play -------------------------------------------------------------------------------

  #closeByRate(nowMs, elapsedMs, target, player) {
    if (target.rate !== this.#baseRate) return this.#changeBase(nowMs, target);
    const { gapS, noiseS, steady } = this.#observer;
    if (Math.abs(gapS) < SEEK_BEYOND_JOINING_S) this.#joiningUntilMs = 0;
    const { rate, change } = this.#rates.decide({
      nowMs, elapsedMs, gapS, noiseS, steady, costs: this.#observer.costs(target.rate), baseRate: target.rate,
      playedRate: player.rate, pitchKept: player.pitchKept ?? true, trim: this.#mayTrim(nowMs),
    });
    if (change) this.#observer.changeRate(nowMs, change, target.rate);
    if (change === 'return') this.#trimAtMs = nowMs + TRIM_AFTER_MS;
    return this.#rates.differs(rate, player.rate) ? { type: 'rate', rate } : NOTHING;
  }

  // The showing has another rate: what that does to the player is waited for before it is judged.
  #changeBase(nowMs, target) {
    this.#baseRate = target.rate;
    this.#forgetGap();
    this.#settling = { sinceMs: nowMs, mark: null, fromS: null };
    this.#trimAtMs = nowMs + TRIM_AFTER_MS;
    return { type: 'rate', rate: target.rate };
  }

  // After an event, once it is clear how close it came, even a small gap is taken away.
  #mayTrim(nowMs) {
    if (this.#trimsLeft === 0 || this.#trimAtMs === null || nowMs < this.#trimAtMs) return false;
    this.#trimAtMs = null;
    this.#trimsLeft -= 1;
    return true;
  }

  #forgetGap() {
    this.#observer.forget();
    this.#rates.forget();
  }

  #mustJump(nowMs) {
    const joining = nowMs < this.#joiningUntilMs;
    const beyond = joining ? SEEK_BEYOND_JOINING_S : this.#rates.usable ? SEEK_BEYOND_S : SEEK_BEYOND_RATELESS_S;
    return Math.abs(this.#observer.gapS) > beyond && this.#budget.allows(nowMs, joining);
  }

  #restoreRate(target, player) {
    return player.rate === target.rate ? null : { type: 'rate', rate: target.rate };
  }

  // Players may settle a hair beside what was asked; asking again would not help.
  #seekExactly(nowMs, target, player) {
    if (player.seeking || Math.abs(player.position - target.position) <= EXACT_S) return null;
    if (this.#exactTried === target.position && !this.#budget.allows(nowMs)) return null;
    this.#exactTried = target.position;
    this.#budget.spend(nowMs, player.position - target.position);
    return seekTo(target.position, false, target);
  }
}

const seekTo = (position, play, { rate }) => ({ type: 'seek', position, play, rate });

// Where the showing will be when what takes so long is done.
function aheadBy(takesS, target) {
  const missedS = Math.max(0, takesS - target.startsInMs / 1000);
  return Math.min(target.position + target.rate * missedS, target.durationS);
}

function isRunningOut(target, player) {
  return player.ended || (!player.paused && target.durationS - player.position < RUN_OUT_S);
}
