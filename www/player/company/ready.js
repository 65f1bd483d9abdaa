// Before it begins: everybody says whether they are ready, and whoever controls may have all players count down.
import { byId, setAttribute } from '../../dom.js';

const COUNT_MS = 3_000;

export class Ready {
  /** @type {Room} */
  #room;
  #follower;

  // inputs, playback: PageInputs, SharedPlayback.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, follower, inputs, playback }) {
    this.#room = room;
    this.#follower = follower;
    byId('ready').addEventListener('click', () => room.setReady(!room.youAreReady));
    byId('count-down').addEventListener('click', () => inputs.act && playback.countDown(inputs.act, COUNT_MS));
    for (const type of /** @type {const} */ (['ready', 'state', 'people', 'settings', 'phase', 'welcome', 'upNext'])) room.addEventListener(type, () => this.render());
    follower.addEventListener('change', () => this.render());
    this.render();
  }

  // Alone nobody waits for anybody; and what begins by itself waits for nobody.
  render() {
    const { timeline, presence, youAreReady, mayControl, connection, upNext } = this.#room;
    const isOpen = connection.phase.name === 'open' && Boolean(timeline.state) && !this.#follower.detached;
    const waits = isOpen && !timeline.state.playing && timeline.state.video !== '' && upNext === null && presence.count > 1;
    show(byId('ready'), waits);
    show(byId('count-down'), waits && mayControl);
    setAttribute(byId('ready'), 'aria-pressed', String(youAreReady));
  }
}

// A button that goes hands the focus on.
function show(button, isShown) {
  if (button.hidden !== isShown) return;
  const hadFocus = document.activeElement === button;
  button.hidden = !isShown;
  if (hadFocus) byId('player').focus({ preventScroll: true });
}
