// What begins by itself when a film is over: its name over the picture and how long until then, with a way to have it
// now, and one to stop it, for whoever controls.
import { byId, setText } from '../../dom.js';
import { strings } from '../../strings.js';

const words = strings.queue;

export class UpNext {
  /** @type {Room} */
  #room;

  // inputs, playback: PageInputs, SharedPlayback.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, inputs, playback }) {
    this.#room = room;
    byId('next-now').addEventListener('click', () => inputs.act && playback.jump(inputs.act, room.upNext.item));
    byId('next-cancel').addEventListener('click', () => inputs.act && playback.cancelNext(inputs.act));
    for (const type of /** @type {const} */ (['upNext', 'people', 'settings', 'phase'])) room.addEventListener(type, () => this.render());
  }

  // Cheap enough for four times a second.
  render() {
    const { upNext, mayControl, connection } = this.#room;
    const isShown = upNext !== null && connection.phase.name === 'open';
    const box = byId('next');
    if (box.contains(document.activeElement) && !isShown) byId('player').focus({ preventScroll: true });
    box.hidden = !isShown;
    if (!isShown) return;
    setText(byId('next-title'), words.upNext(upNext.title || upNext.video));
    setText(byId('next-when'), words.inSeconds(Math.max(0, Math.ceil((upNext.atMs - this.#room.serverTimeMs()) / 1_000))));
    byId('next-buttons').hidden = !mayControl;
  }
}
