// The library in the room: posters and a search, to add a film to what comes next or, for whoever controls, to show it
// to everybody now. A film is chosen by its buttons alone: no key that looks through the list changes anything.
import { byId, make, setText } from '../../dom.js';
import { lengthOf } from '../../format.js';
import { nameInSeason, seasonOf } from '../../season.js';
import { strings } from '../../strings.js';

const words = strings.queue;
const SEARCH_AFTER_MS = 200; // of rest
const LOOK_AGAIN_AFTER_MS = [2_000, 5_000, 15_000];

export class Picker {
  #room;
  #inputs;
  #playback;
  #toast;
  #library;
  #lookAgain = null; // a timer
  #cards = new Map(); // video id -> {of: what it was made of, element}

  // shelf: a VideoList of the picker's own; inputs, playback: PageInputs, SharedPlayback.
  constructor({ room, shelf, inputs, playback, toast }) {
    this.#library = shelf;
    this.#room = room;
    this.#inputs = inputs;
    this.#playback = playback;
    this.#toast = toast;
    let timer = null;
    byId('picker-search').addEventListener('input', ({ target }) => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#library.search(target.value), SEARCH_AFTER_MS);
    });
    this.#library.addEventListener('change', () => this.#render());
    room.addEventListener('phase', ({ detail }) => detail.name === 'closed' && byId('picker').close());
  }

  async open() {
    byId('picker').showModal();
    this.#render();
    await this.#library.refresh();
    this.#render();
    clearTimeout(this.#lookAgain);
    this.#awaitPosters(LOOK_AGAIN_AFTER_MS);
  }

  // A server that has just met a film still makes its poster.
  #awaitPosters([afterMs, ...later]) {
    if (afterMs === undefined || this.#library.list.every(({ poster }) => poster)) return;
    this.#lookAgain = setTimeout(async () => {
      if (!byId('picker').open) return;
      await this.#library.refresh();
      this.#awaitPosters(later);
    }, afterMs);
  }

  #render() {
    const { list, isPart } = this.#library;
    setText(byId('picker-words'), list.length === 0 ? words.nothingFound : isPart ? words.moreBySearch(list.length) : '');
    const cards = new Map(list.map((video) => [video.id, this.#cardOf(video)]));
    for (const [id, { element }] of this.#cards) if (cards.get(id)?.element !== element) element.remove();
    [...cards.values()].forEach(({ element }, place) => {
      const there = byId('picker-list').children[place];
      if (there !== element) byId('picker-list').insertBefore(element, there ?? null); // moved, it would lose the focus
    });
    this.#cards = cards;
  }

  #cardOf(video) {
    const of = JSON.stringify([video, this.#room.mayControl]);
    const known = this.#cards.get(video.id);
    return known?.of === of ? known : { of, element: this.#makeCard(video) };
  }

  #makeCard(video) {
    const name = [seasonOf(video), nameInSeason(video)].filter(Boolean).join(': ');
    const picture = video.poster
      ? make('img', { class: 'picker-poster', src: video.poster, alt: '', loading: 'lazy', width: 160, height: 90 })
      : make('span', { class: 'picker-poster', 'aria-hidden': 'true' });
    const facts = [video.year, lengthOf(video)].filter(Boolean).join(' · ');
    const version = makeVersions(video, name);
    const chosen = () => version?.value ?? video.id;
    const buttons = [makeButton(words.add, words.addThis(name), () => this.#add(chosen(), name))];
    if (this.#room.mayControl) buttons.unshift(makeButton(words.showNow, words.showThis(name), () => this.#show(chosen())));
    return make('li', { class: 'picker-card' }, picture,
      make('span', { class: 'picker-words' }, make('strong', { text: name }), make('span', { class: 'muted', text: facts }), ...(version ? [version] : [])),
      make('span', { class: 'picker-buttons' }, ...buttons));
  }

  // What the server refuses it says itself.
  #add(video, name) {
    this.#toast(this.#room.send('enqueue', { video }) ? words.added(name) : strings.controls.offline);
  }

  #show(video) {
    const { act } = this.#inputs;
    if (act) this.#playback.load(act, video);
    byId('picker').close();
  }
}

function makeButton(text, label, act) {
  const button = make('button', { type: 'button', class: 'button small', text, 'aria-label': label });
  button.addEventListener('click', act);
  return button;
}

// A list of its versions, the listed one chosen; null where there is but one.
function makeVersions({ id, versions = [] }, name) {
  if (versions.length < 2) return null;
  const list = make('select', { 'aria-label': strings.home.version(name) },
    ...versions.map((one) => make('option', { value: one.id, text: one.label || one.id })));
  list.value = id;
  return list;
}
