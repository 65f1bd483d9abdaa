// Chat and reactions: what people say to each other beside and over the picture.
import { byId, make } from '../dom.js';
import { strings } from '../strings.js';

const MESSAGES_MAX = 200;
const NEAR_END_PX = 40;
const FLOATING_MAX = 30;
const FLOATING_MS = 3_000;
const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

export class ChatPanel {
  #room;
  #toast;
  #following = true; // the newest line is to be seen; false while somebody scrolled up to read

  constructor({ room, toast }) {
    this.#room = room;
    this.#toast = toast;
    byId('chat-form').addEventListener('submit', (event) => this.#say(event));
    byId('reactions').replaceChildren(...EMOJI.map((emoji, i) => this.#makeButton(emoji, strings.chat.emojiNames[i])));
    this.#follow(byId('messages'));
    room.addEventListener('chat', ({ detail }) => this.#show(detail));
    room.addEventListener('reaction', ({ detail }) => this.#float(detail.emoji));
  }

  // A line that nobody said.
  announce(text) {
    this.#append(make('p', { class: 'event', text }));
  }

  #say(event) {
    event.preventDefault();
    const field = byId('chat-text');
    const text = field.value.trim();
    if (!text) return;
    if (this.#room.send('chat', { text })) field.value = '';
    else this.#toast(strings.controls.offline);
  }

  #show({ from, name, text }) {
    const isYou = from === this.#room.you?.id;
    this.#append(
      make('p', { class: isYou ? 'said by-you' : 'said' },
        make('span', { class: 'said-name', text: name || strings.people.unnamed }),
        make('span', { class: 'said-text', text })),
    );
  }

  #append(line) {
    const list = byId('messages');
    list.append(line);
    while (list.children.length > MESSAGES_MAX) list.firstChild.remove();
    this.#showNewest(list);
  }

  // The list shrinks when another panel opens: what is followed stays in sight. That is no
  // scrolling up, so the end counts only while the height is the one last seen.
  #follow(list) {
    let heightPx = list.clientHeight;
    list.addEventListener('scroll', () => {
      if (list.clientHeight !== heightPx) return;
      this.#following = list.scrollHeight - list.scrollTop - heightPx < NEAR_END_PX;
    });
    new ResizeObserver(() => {
      heightPx = list.clientHeight;
      this.#showNewest(list);
    }).observe(list);
  }

  #showNewest(list) {
    if (this.#following) list.scrollTop = list.scrollHeight;
  }

  #makeButton(emoji, name) {
    const button = make('button', { type: 'button', class: 'reaction', 'aria-label': name, title: name, text: emoji });
    button.addEventListener('click', () => {
      if (!this.#room.send('reaction', { emoji })) this.#toast(strings.controls.offline);
    });
    return button;
  }

  #float(emoji) {
    const layer = byId('floating');
    if (layer.children.length >= FLOATING_MAX) layer.firstChild.remove();
    const bubble = make('span', { class: 'bubble', text: emoji });
    bubble.style.setProperty('--at', `${8 + Math.random() * 70}%`);
    layer.append(bubble);
    setTimeout(() => bubble.remove(), FLOATING_MS);
  }
}
