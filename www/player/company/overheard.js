// What is said while the picture fills the window: the last lines lie over it for a moment. Where the chat is in sight
// the style sheet hides them; to be heard they are in the chat alone.
import { byId, make } from '../../dom.js';
import { strings } from '../../strings.js';
import { hueOf } from './name_colour.js';

const LINES_MAX = 3;
const SHOWN_MS = 8_000;

export class Overheard {
  /** @type {Room} */
  #room;

  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room }) {
    this.#room = room;
    room.addEventListener('chat', ({ detail }) => this.#show(detail));
  }

  #show({ from, name, text }) {
    if (document.hidden) return;
    const { presence } = this.#room;
    const shown = presence.nameOf(from) === name ? presence.shownNameOf(from) : name;
    const who = make('span', { class: 'overheard-name', text: shown || strings.people.unnamed });
    who.style.setProperty('--hue', String(hueOf(from)));
    const line = make('p', {}, who, ' ', make('span', { text }));
    const lines = byId('overheard');
    lines.append(line);
    while (lines.children.length > LINES_MAX) lines.firstChild.remove();
    setTimeout(() => line.remove(), SHOWN_MS);
  }
}
