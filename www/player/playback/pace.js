// Leaving the others and coming back: "at my own pace", "back to the others", "resync".
//
// Whoever rules the showing cannot leave it, and another video brings everybody back. When the
// session is over for this viewer, or does not let them in, the picture stops, and nothing follows any more.
import { byId } from '../../dom.js';
import { strings } from '../../strings.js';

export class Pace {
  /** @type {Room} */
  #room;
  #follower;
  #source;
  #isOver = false;

  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, follower, source, toast }) {
    this.#room = room;
    this.#follower = follower;
    this.#source = source;
    byId('own-pace').addEventListener('click', () => (follower.detached ? follower.attach() : follower.detach()));
    byId('resync').addEventListener('click', () => {
      this.resync();
      toast(strings.pace.resynced);
    });
    follower.addEventListener('change', () => this.render());
    room.addEventListener('state', ({ detail: { state, previous } }) => {
      if (previous && state.video !== previous.video) follower.attach();
    });
    room.addEventListener('phase', ({ detail: { name } }) => {
      if (name === 'closed' || (name === 'waiting' && !room.you)) this.#stop();
    });
    room.addEventListener('welcome', () => this.#isOver && this.#goOn());
    for (const type of /** @type {const} */ (['host', 'welcome', 'phase'])) room.addEventListener(type, () => this.#onRoom());
    this.render();
  }

  // The clock, the place, and the video where it does not come.
  resync() {
    this.#room.measureClock();
    this.#source.retry();
    this.#follower.resync();
  }

  #stop() {
    this.#isOver = true;
    this.#follower.detach();
    this.#follower.act('pause');
  }

  #goOn() {
    this.#isOver = false;
    this.#follower.attach();
  }

  #onRoom() {
    if (this.#room.youAreHost && !this.#isOver) this.#follower.attach();
    this.render();
  }

  render() {
    byId('own-pace').hidden = this.#room.youAreHost || this.#isOver;
    byId('own-pace').setAttribute('aria-pressed', String(this.#follower.detached));
    byId('resync').hidden = this.#isOver || this.#follower.detached;
  }
}
