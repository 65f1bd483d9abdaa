// Where the shared showing is: the newest playback state and the position it means at a time.
//
// Pure. Positions and durations are seconds of media time, times are server time in milliseconds.

export class Timeline {
  /** @type {Contract.State | null} */
  #state = null;
  #durationS = Infinity;

  // Takes a state that is newer by (epoch, seq) than the one held. Returns false, with nothing
  // changed, for an older or equal one and for one that is not a playback state. A film that is not of the library has
  // no id: its address stands for one.
  /** @param {Contract.State} state */
  accept(state) {
    if (!isPlaybackState(state) || !isNewer(state, this.#state)) return false;
    const named = state.url ? { ...state, video: state.url } : state;
    if (named.video !== this.#state?.video) this.#durationS = Infinity;
    this.#state = named;
    return true;
  }

  get state() {
    return this.#state;
  }

  // Whether the held state is one that a take-over left behind: it does not count any more. takenOver:
  // the protocol's [{epoch, after: {epoch, seq}}], oldest first, of which the first that the held
  // state has not seen decides: the later ones went on from what that one began.
  /** @param {Contract.FromServer.welcome['takenOver']} takenOver */
  isUndoneBy(takenOver) {
    const held = this.#state;
    const first = held && takenOver.find(({ epoch }) => epoch > held.epoch);
    return Boolean(first) && isNewer(held, first.after);
  }

  // The film's length, once it is known: more than 0. Loading another video forgets it.
  setDuration(seconds) {
    this.#durationS = seconds;
  }

  get durationS() {
    return this.#durationS;
  }

  // A scheduled start stays on its position until its time has come.
  positionAt(serverMs) {
    if (!this.#state) return 0;
    const { playing, position, rate, atMs } = this.#state;
    const elapsedS = playing ? Math.max(0, serverMs - atMs) / 1000 : 0;
    return Math.min(Math.max(0, position + rate * elapsedS), this.#durationS);
  }

  // Milliseconds until a scheduled start; 0 when there is none or it has passed.
  startsInMs(serverMs) {
    return this.#state?.playing ? Math.max(0, this.#state.atMs - serverMs) : 0;
  }

  isRunningAt(serverMs) {
    return Boolean(this.#state?.playing) && serverMs >= this.#state.atMs && !this.isOverAt(serverMs);
  }

  isOverAt(serverMs) {
    return this.positionAt(serverMs) >= this.#durationS;
  }
}

// Of two states, or their places alone; held: null for none.
/** @param {StatePlace} state @param {StatePlace | null} held */
export function isNewer(state, held) {
  if (!held) return true;
  return state.epoch !== held.epoch ? state.epoch > held.epoch : state.seq > held.seq;
}

function isPlaybackState(state) {
  return (
    typeof state?.playing === 'boolean' &&
    [state.epoch, state.seq, state.position, state.rate, state.atMs].every(Number.isFinite) &&
    state.rate > 0
  );
}
