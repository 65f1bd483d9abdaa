// Tells the server how this player does: at the pace it asked for, and when buffering turns.

const TURN_GAP_MS = 500; // a player that flickers does not talk all the time

export class Reporter {
  #room;
  #follower;
  #timer = null;
  #lastMs = -Infinity;

  constructor(room, follower) {
    this.#room = room;
    this.#follower = follower;
    room.addEventListener('welcome', () => this.#schedule(room.reportEveryMs));
    follower.addEventListener('change', () => {
      this.#schedule(Math.max(0, this.#lastMs + TURN_GAP_MS - performance.now()));
    });
  }

  #schedule(delayMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#report(), delayMs);
  }

  #report() {
    this.#lastMs = performance.now();
    const { errorMs, positionS } = this.#follower.measure();
    this.#room.send('report', {
      driftMs: round(errorMs ?? 0),
      rttMs: round(this.#room.clock.rttMs),
      buffering: this.#follower.buffering,
      position: positionS,
    });
    this.#schedule(this.#room.reportEveryMs);
  }
}

function round(ms) {
  return Math.round(ms * 10) / 10;
}
