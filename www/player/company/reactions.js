// Reactions: the buttons below the picture, and what floats over it.
import { byId, make } from '../../dom.js';
import { strings } from '../../strings.js';

const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🎉'];
const FLOATING_MAX = 30;
const FLOATING_MS = 3_000;
const GAP_MS = 150; // a button held down would use up what a member may send

export class Reactions {
  /** @type {Room} */
  #room;
  #toast;
  #lastMs = -Infinity;

  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, toast }) {
    this.#room = room;
    this.#toast = toast;
    byId('reactions').replaceChildren(...EMOJI.map((emoji, i) => this.#makeButton(emoji, strings.chat.emojiNames[i])));
    room.addEventListener('reaction', ({ detail }) => float(detail.emoji, room.presence.shownNameOf(detail.from)));
  }

  #makeButton(emoji, name) {
    const button = make('button', { type: 'button', class: 'reaction', 'aria-label': name, title: name, text: emoji });
    button.addEventListener('click', () => this.#send(emoji));
    return button;
  }

  #send(emoji) {
    const nowMs = performance.now();
    if (nowMs - this.#lastMs < GAP_MS) return;
    this.#lastMs = nowMs;
    if (!this.#room.send('reaction', { emoji })) this.#toast(strings.controls.offline);
  }
}

// With whose it is, where that is known. On a hidden page nothing moves, and nothing is kept for later.
function float(emoji, name) {
  if (document.hidden) return;
  const layer = byId('floating');
  if (layer.children.length >= FLOATING_MAX) layer.firstChild.remove();
  const bubble = make('span', { class: 'bubble', text: emoji }, ...(name ? [make('span', { class: 'bubble-name', text: name })] : []));
  bubble.style.setProperty('--at', `${8 + Math.random() * 76}%`);
  bubble.style.setProperty('--sway', `${Math.round((Math.random() - 0.5) * 50)}px`);
  layer.append(bubble);
  setTimeout(() => bubble.remove(), FLOATING_MS);
}
