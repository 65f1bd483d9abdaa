// The videos as posters; choosing one begins a session with it.
import { byId, make, setText } from '../dom.js';
import { describeFault } from '../faults.js';
import { formatTime } from '../format.js';
import { videos } from '../session/api.js';
import { strings } from '../strings.js';

const words = strings.home;
// A server that has just met a video still makes its poster.
const LOOK_AGAIN_AFTER_MS = [2_000, 5_000, 15_000, 60_000];

export class Library {
  #onChoose;
  #cards = new Map(); // video id -> {item, button, picture, title, length}
  #lookedAgain = 0;

  // onChoose(video): one was clicked.
  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  // Resolves to the videos, [] where they cannot be had.
  async show() {
    let fault = null;
    const list = await videos().catch((error) => void (fault = error));
    if (list) this.#render(list);
    setText(byId('library-words'), fault ? describeFault(fault) : list.length ? words.libraryWords : words.libraryEmpty);
    const isComplete = list?.every(({ poster, duration }) => poster && duration);
    if (!isComplete && this.#lookedAgain < LOOK_AGAIN_AFTER_MS.length) {
      setTimeout(() => this.show(), LOOK_AGAIN_AFTER_MS[this.#lookedAgain++]);
    }
    return list ?? [];
  }

  #render(list) {
    const gone = new Set(this.#cards.keys());
    list.forEach((video, place) => {
      gone.delete(video.id);
      const card = this.#cards.get(video.id) ?? this.#addCard(video.id);
      card.video = video;
      setText(card.title, video.title || video.id);
      setText(card.length, video.duration ? formatTime(video.duration) : '');
      if (video.poster && card.picture.getAttribute('src') !== video.poster) card.picture.src = video.poster;
      const others = byId('library').children;
      // Moving a card would take the focus off it.
      if (others[place] !== card.item) byId('library').insertBefore(card.item, others[place] ?? null);
    });
    for (const id of gone) {
      this.#cards.get(id).item.remove();
      this.#cards.delete(id);
    }
  }

  #addCard(id) {
    const picture = make('img', { class: 'poster-picture', alt: '', width: 640, height: 360, decoding: 'async', hidden: true });
    picture.addEventListener('load', () => (picture.hidden = false));
    picture.addEventListener('error', () => (picture.hidden = true));
    const length = make('span', { class: 'poster-length' });
    const title = make('span', { class: 'poster-title' });
    const button = make('button', { type: 'button', class: 'poster' },
      make('span', { class: 'visually-hidden', text: `${words.createWith} ` }),
      title,
      make('span', { class: 'poster-frame' }, picture, make('span', { class: 'poster-play', 'aria-hidden': 'true' }), length));
    const card = { item: make('li', {}, button), picture, title, length, video: null };
    button.addEventListener('click', () => this.#onChoose(card.video));
    this.#cards.set(id, card);
    return card;
  }
}
