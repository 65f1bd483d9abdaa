// The library in the room: posters and a search, to add a film to what comes next or, for whoever controls, to show it
// to everybody now. A film is chosen by its buttons alone: no key that looks through the list changes anything.
import { byId, make, setAttribute, setText } from '../../dom.js';
import { formatTime, lengthOf } from '../../format.js';
import { rememberedPlaces } from '../../memory.js';
import { offerPassword } from '../../password.js';
import { nameInSeason, seasonOf } from '../../season.js';
import { language, strings } from '../../strings.js';
import { pickerWords } from '../../strings/picker.js';
import { AddressField } from './address_field.js';
import { makeDialog } from './picker_dialog.js';

const words = pickerWords[language].picker;
const SEARCH_AFTER_MS = 200; // of rest
const ORDER_FROM = 13; // videos: fewer are seen at a glance
const LOOK_AGAIN_AFTER_MS = [2_000, 5_000, 15_000];

export class Picker {
  /** @type {Room} */
  #room;
  #inputs;
  #playback;
  #library;
  #address;
  #searching = null; // a timer, as the next one
  #lookAgain = null;
  #cards = new Map(); // video id -> card, of those that are shown
  #groups = []; // in their order, those that are not needed at the end

  // library: the server's videos (video_list.js); inputs, playback: PageInputs, SharedPlayback.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, library, inputs, playback }) {
    this.#room = room;
    this.#library = library;
    this.#inputs = inputs;
    this.#playback = playback;
    document.body.append(makeDialog());
    this.#address = new AddressField({ room, inputs, playback, onShown: () => byId('picker').close() });
    const search = byId('picker-search');
    search.addEventListener('input', () => {
      clearTimeout(this.#searching);
      this.#searching = setTimeout(() => library.search(search.value), SEARCH_AFTER_MS);
    });
    // Of a search field WebKit keeps the key for itself, also where there is nothing to clear.
    search.addEventListener('keydown', ({ key }) => key === 'Escape' && !search.value && byId('picker').close());
    const order = byId('picker-order');
    order.value = 'title'; // a browser may remember another one across a reload
    order.addEventListener('change', () => library.sort(order.value));
    offerPassword(byId('picker-locked'), () => library.refresh());
    byId('picker').addEventListener('close', () => this.#onClosed());
    library.addEventListener('change', () => this.#render());
    room.addEventListener('state', ({ detail: { state, previous } }) => state.video !== previous?.video && this.#arrange());
    for (const type of /** @type {const} */ (['people', 'settings'])) room.addEventListener(type, () => this.#renew());
    // While the dialog is open, what is told beside it is neither seen nor heard.
    room.addEventListener('refused', ({ detail: { code } }) => this.#say(strings.refusals[code] ?? strings.refusals.other(code)));
  }

  async open() {
    if (byId('picker').open) return;
    byId('picker').showModal();
    // The keyboard of a phone would hide the list.
    if (matchMedia('(pointer: fine)').matches) byId('picker-search').focus();
    this.#render();
    await this.#library.search('');
    this.#awaitPosters(LOOK_AGAIN_AFTER_MS);
  }

  #onClosed() {
    clearTimeout(this.#searching);
    clearTimeout(this.#lookAgain);
    byId('picker-list').replaceChildren();
    this.#cards.clear();
    this.#groups = [];
    this.#say('');
    this.#address.clear();
    if (!byId('picker-search').value) return;
    byId('picker-search').value = '';
    this.#library.search('');
  }

  // A server that has just met a film still makes its poster.
  /** @param {number[]} waitsMs */
  #awaitPosters([afterMs, ...later]) {
    clearTimeout(this.#lookAgain);
    if (afterMs === undefined || this.#library.list.every(({ poster }) => poster)) return;
    this.#lookAgain = setTimeout(async () => {
      if (!byId('picker').open) return;
      await this.#library.refresh();
      this.#awaitPosters(later);
    }, afterMs);
  }

  #render() {
    const { list, hasMore, asksPassword } = this.#library;
    byId('picker-order').hidden = !hasMore && list.length < ORDER_FROM;
    this.#say(asksPassword ? '' : list.length === 0 ? words.nothingFound : hasMore ? words.moreBySearch(list.length) : '');
    this.#showLocked(asksPassword);
    this.#arrange();
  }

  // The keyboard was in the search, which is of no use then.
  #showLocked(isLocked) {
    if (byId('picker-locked').hidden === !isLocked) return;
    byId('picker-locked').hidden = !isLocked;
    byId('picker-find').hidden = isLocked;
    /** @type {HTMLElement} */ (byId(isLocked ? 'picker-locked' : 'picker-find').querySelector('button, input')).focus();
  }

  #say(text) {
    setText(byId('picker-words'), text);
  }

  #arrange() {
    if (!byId('picker').open) return;
    const activeElement = /** @type {HTMLElement} */ (document.activeElement);
    const videos = this.#offered();
    this.#cards = new Map(videos.map((video) => [video.id, this.#cardOf(video)]));
    this.#arrangeGroups(bySeason(videos));
    if (activeElement !== document.activeElement && activeElement.isConnected) activeElement.focus({ preventScroll: true });
    this.#renew();
  }

  // What may be done with them, and which one is on.
  #renew() {
    for (const { renew } of this.#cards.values()) renew();
    this.#address.renew();
    if (!this.#room.mayQueue) byId('picker').close(); // nor control, then
  }

  // Where the list is a part of the library, what is on is among them, too, unless something else is looked for.
  #offered() {
    const { list, isPart } = this.#library;
    const on = this.#library.find(this.#room.timeline.state?.video);
    const isLeftOut = isPart && on && !byId('picker-search').value.trim() && !list.some((entry) => isOf(entry, on.id));
    return isLeftOut ? [on, ...list] : list;
  }

  #arrangeGroups(seasons) {
    seasons.forEach(({ season, videos }, place) => {
      const { heading, cards } = (this.#groups[place] ??= makeGroup(place));
      const title = season || (place > 0 ? strings.season.others : '');
      heading.hidden = title === '';
      setText(heading, title);
      setAttribute(cards, 'aria-labelledby', title ? heading.id : null);
      arrange(cards, videos.map(({ id }) => this.#cards.get(id).element));
    });
    arrange(byId('picker-list'), this.#groups.slice(0, seasons.length).map(({ element }) => element));
  }

  #cardOf(video) {
    const of = JSON.stringify(video);
    const known = this.#cards.get(video.id);
    return known?.of === of ? known : { of, ...this.#makeCard(video) };
  }

  // {element, renew()}
  #makeCard(video) {
    const name = [seasonOf(video), nameInSeason(video)].filter(Boolean).join(': ');
    const isOn = make('span', { class: 'tag picker-on', text: words.onNow });
    const version = makeVersions(video, name, this.#room.timeline.state?.video);
    const chosen = () => version?.value ?? video.id;
    const show = makeButton(words.show, words.showThis(name), () => this.#show(chosen()));
    const add = makeButton(words.add, words.addThis(name), () => this.#add(chosen(), name));
    const renew = () => {
      const on = this.#room.timeline.state?.video;
      isOn.hidden = !isOf(video, on);
      show.hidden = !this.#room.mayControl || chosen() === on;
    };
    version?.addEventListener('change', renew);
    const element = make('li', { class: 'picker-card' }, makePoster(video),
      make('span', { class: 'picker-words' },
        make('strong', { text: nameInSeason(video) }),
        make('span', { class: 'muted', text: [video.year, lengthOf(video), stoppedIn(video)].filter(Boolean).join(' · ') }),
        ...(version ? [version] : [])),
      make('span', { class: 'picker-buttons' }, isOn, show, add));
    return { element, renew };
  }

  // What the server refuses it says itself.
  #add(video, name) {
    this.#say(this.#room.send('enqueue', { video }) ? words.added(name) : strings.controls.offline);
  }

  #show(video) {
    const { act } = this.#inputs;
    if (act) this.#playback.load(act, video);
    byId('picker').close();
  }
}

// Whether it is that video, or has it as a version.
function isOf({ id, versions = [] }, wanted) {
  return id === wanted || versions.some((version) => version.id === wanted);
}

// Where the viewer had stopped in it, in words; '' where that is not known.
function stoppedIn(video) {
  const place = rememberedPlaces().find(({ id }) => isOf(video, id));
  return place ? strings.goOn.stopped(formatTime(place.positionS)) : '';
}

// [{season, videos}]; season: '' of what is no episode.
function bySeason(videos) {
  const groups = [];
  for (const video of videos) {
    const season = seasonOf(video);
    if (groups.at(-1)?.season !== season) groups.push({ season, videos: [] });
    groups.at(-1).videos.push(video);
  }
  return groups;
}

function makeGroup(place) {
  const heading = make('h3', { class: 'picker-season', id: `picker-season-${place}` });
  const cards = make('ul', { class: 'picker-cards' });
  return { heading, cards, element: make('div', {}, heading, cards) };
}

// Makes them the children of `parent`. What stays in its place is not touched: moved, it would lose the focus.
function arrange(parent, elements) {
  const staying = new Set(elements);
  for (const child of [...parent.children]) if (!staying.has(child)) child.remove();
  elements.forEach((element, place) => {
    const there = parent.children[place];
    if (there !== element) parent.insertBefore(element, there ?? null);
  });
}

function makePoster({ poster }) {
  if (!poster) return make('span', { class: 'picker-poster', 'aria-hidden': 'true' });
  return make('img', { class: 'picker-poster', src: poster, alt: '', loading: 'lazy', width: 160, height: 90 });
}

function makeButton(text, label, act) {
  const button = make('button', { type: 'button', class: 'button small', text, 'aria-label': label });
  button.addEventListener('click', act);
  return button;
}

// A list of its versions; the one that is on is chosen, or else the listed one. Null where there is but one.
function makeVersions({ id, versions = [] }, name, on) {
  if (versions.length < 2) return null;
  const list = make('select', { class: 'input picker-version', 'aria-label': words.version(name) },
    ...versions.map((one) => make('option', { value: one.id, text: one.label || one.id })));
  list.value = versions.some((one) => one.id === on) ? on : id;
  return list;
}
