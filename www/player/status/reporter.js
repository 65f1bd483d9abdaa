// Tells the server how this player does: at the pace it asked for, and when buffering, the form or a problem turns.
//
// What the server itself is still making ready is no fault of this viewer's: nobody is told that they buffer, unless the
// host wants such to be waited for.

const TURN_GAP_MS = 500; // a player that flickers does not talk all the time

export class Reporter {
  /** @type {Room} */
  #room;
  #follower;
  #source;
  #firstFrame;
  #timer = null;
  #lastMs = -Infinity;

  /** @param {Room} room @param {any} follower @param {any} source @param {any} firstFrame */
  constructor(room, follower, source, firstFrame) {
    this.#firstFrame = firstFrame;
    this.#room = room;
    this.#follower = follower;
    this.#source = source;
    room.addEventListener('welcome', () => this.#schedule(room.reportEveryMs));
    const onTurn = () => this.#schedule(Math.max(0, this.#lastMs + TURN_GAP_MS - performance.now()));
    follower.addEventListener('change', onTurn);
    for (const type of ['form', 'problem']) source.addEventListener(type, onTurn);
  }

  // Who cannot play is not waited for.
  get #isBuffering() {
    if (this.#source.problem) return false;
    const isAwaited = this.#room.settings.onStall === 'wait';
    return this.#follower.buffering && (isAwaited || !this.#source.preparation.isPossible);
  }

  #schedule(delayMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#report(), delayMs);
  }

  #report() {
    this.#lastMs = performance.now();
    const { errorMs, positionS } = this.#follower.measure();
    const { untoldMs } = this.#firstFrame;
    const isSent = this.#room.send('report', {
      driftMs: round(errorMs ?? 0),
      rttMs: round(this.#room.clock.rttMs),
      buffering: this.#isBuffering,
      position: positionS,
      ...(this.#source.form && { form: this.#source.form }),
      ...(this.#source.problem && { cannotPlay: true }),
      ...(this.#follower.detached && { ownPace: true }),
      ...(untoldMs !== null && { firstFrameMs: untoldMs }),
    });
    if (isSent) this.#firstFrame.untoldMs = null;
    this.#schedule(this.#room.reportEveryMs);
  }
}

function round(ms) {
  return Math.round(ms * 10) / 10;
}
