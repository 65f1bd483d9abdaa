// Three, two, one over the picture, where a start was asked for so far ahead that people can count along.
import { byId, setText } from '../../dom.js';

const WORTH_COUNTING_MS = 1_000; // what is sooner is no countdown, but the start of any play

export class Countdown {
  /** @type {Room} */
  #room;
  #follower;
  #timer = null;

  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, follower }) {
    this.#room = room;
    this.#follower = follower;
    for (const type of /** @type {const} */ (['state', 'phase'])) room.addEventListener(type, () => this.#begin());
    follower.addEventListener('change', () => follower.detached && this.#stop());
  }

  #begin() {
    this.#stop();
    if (this.#leftMs() > WORTH_COUNTING_MS) this.#count();
  }

  #leftMs() {
    if (this.#follower.detached || this.#room.connection.phase.name === 'closed') return 0;
    return this.#room.timeline.startsInMs(this.#room.serverTimeMs());
  }

  #count() {
    const leftMs = this.#leftMs();
    if (leftMs <= 0) return this.#stop();
    const seconds = Math.ceil(leftMs / 1_000);
    byId('count').hidden = false;
    setText(byId('count'), String(seconds));
    this.#timer = setTimeout(() => this.#count(), leftMs - (seconds - 1) * 1_000 + 1);
  }

  #stop() {
    clearTimeout(this.#timer);
    byId('count').hidden = true;
    setText(byId('count'), '');
  }
}
