// The videos as posters, a page of them at a time, those with certain words where somebody looks for them;
// choosing one begins a session with it.
import { byId, make, setText } from '../dom.js';
import { describeFault } from '../faults.js';
import { formatTime } from '../format.js';
import { rememberedPlaces } from '../memory.js';
import { offerPassword } from '../password.js';
import { nameInSeason, seasonOf } from '../season.js';
import { videos } from '../session/api.js';
import { strings } from '../strings.js';

const words = strings.home;
const PAGE = 48;
const LIMIT_MAX = 1_000; // the server's
const SEARCH_FROM = 13; // videos: fewer are seen at a glance
const SEARCH_AFTER_MS = 150; // of rest
const NEAR = '600px'; // of the window: what comes into view soon
// A server that has just met a video still makes its poster.
const LOOK_AGAIN_AFTER_MS = [2_000, 5_000, 15_000, 60_000];

export class Library {
  #onChoose;
  #list = []; // what is shown
  #next; // what `after` takes for the page behind it
  #query = '';
  #order = 'title';
  #asked = 0; // only the latest question's answer counts
  #cards = new Map(); // video id -> {item, picture, title, facts, seen, bar, length, version, video, isNear}
  #headings = new Map(); // season and its first video's id -> its item
  #lookedAgain = 0;
  #near;

  // onChoose(video): one was clicked.
  constructor(onChoose) {
    this.#onChoose = onChoose;
    this.#near = new IntersectionObserver((entries) => this.#onNear(entries), { rootMargin: NEAR });
    this.#near.observe(byId('library-more'));
    byId('library-more').addEventListener('click', () => this.#showMore());
    offerPassword(byId('library-locked'), () => this.show());
    const search = byId('library-search');
    let timer = null;
    search.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#search(search.value.trim()), SEARCH_AFTER_MS);
    });
    const order = byId('library-order');
    order.value = this.#order; // a browser may remember another one across a reload
    order.addEventListener('change', () => {
      this.#order = order.value;
      this.#list = [];
      this.show();
    });
  }

  // Resolves to the videos of the first page, or of as much as is shown; to [] where they cannot be had.
  async show() {
    const limit = Math.min(Math.max(this.#list.length, PAGE), LIMIT_MAX);
    const page = await this.#ask({ limit });
    if (page) this.#render(page.videos, page.next);
    const isComplete = page?.videos.every(({ poster, duration }) => poster && duration);
    const mayLook = byId('library-locked').hidden; // else a hand will say when
    if (!isComplete && mayLook && this.#list.length <= LIMIT_MAX && this.#lookedAgain < LOOK_AGAIN_AFTER_MS.length) {
      setTimeout(() => this.show(), LOOK_AGAIN_AFTER_MS[this.#lookedAgain++]);
    }
    return page?.videos ?? [];
  }

  // How far the viewer is in each.
  showPlaces() {
    const places = new Map(rememberedPlaces().map((place) => [place.id, place]));
    for (const card of this.#cards.values()) showPlace(card, places);
  }

  #search(query) {
    if (query === this.#query) return;
    this.#query = query;
    this.#list = [];
    this.show();
  }

  // A page that begins at what has gone is none: then the list begins anew.
  async #showMore() {
    if (this.#next === undefined) return;
    const after = this.#next;
    this.#next = undefined;
    const page = await this.#ask({ after, limit: PAGE });
    if (page) this.#render([...this.#list, ...page.videos], page.next);
    else if (page === null) this.show();
  }

  // A page; null where there is none, undefined where another question was asked meanwhile.
  async #ask(parameters) {
    this.#asked += 1;
    const question = this.#asked;
    let fault = null;
    const page = await videos({ query: this.#query, order: this.#order, ...parameters }).catch((error) => void (fault = error));
    if (question !== this.#asked) return undefined;
    const asksPassword = fault?.code === 'password_required';
    byId('library-locked').hidden = !asksPassword;
    if (fault) setText(byId('library-words'), asksPassword ? '' : describeFault(fault));
    return page ?? null;
  }

  #render(list, next) {
    this.#list = list;
    this.#next = next;
    const gone = new Set(this.#cards.keys());
    const others = byId('library').children;
    let place = 0;
    // Moving a card would take the focus off it.
    const put = (item) => {
      if (others[place] !== item) byId('library').insertBefore(item, others[place] ?? null);
      place += 1;
    };
    const headings = new Set(this.#headings.keys());
    let season = '';
    for (const video of list) {
      gone.delete(video.id);
      const its = seasonOf(video);
      if (its !== season) {
        const key = `${its}\n${video.id}`; // a season may be met twice, as that of the default video
        headings.delete(key);
        put(this.#headings.get(key) ?? this.#addHeading(key, its || strings.season.others));
      }
      const card = this.#cards.get(video.id) ?? this.#addCard(video.id);
      card.video = video;
      setText(card.title, nameInSeason(video));
      setText(card.facts, video.show ? '' : (video.year ?? '')); // it tells films of one title apart
      offerVersions(card);
      setText(card.length, video.duration ? formatTime(video.duration) : '');
      season = its;
      if (card.isNear) showPoster(card);
      put(card.item);
    }
    this.showPlaces();
    for (const key of headings) {
      this.#headings.get(key).remove();
      this.#headings.delete(key);
    }
    for (const id of gone) {
      this.#near.unobserve(this.#cards.get(id).item);
      this.#cards.get(id).item.remove();
      this.#cards.delete(id);
    }
    for (const id of /** @type {const} */ (['library-search', 'library-order'])) byId(id).hidden = !this.#query && list.length < SEARCH_FROM;
    setText(byId('library-words'), this.#words());
    const more = byId('library-more');
    more.hidden = next === undefined;
    // It may be in view still: the observer tells of that only when it begins to look.
    this.#near.unobserve(more);
    this.#near.observe(more);
  }

  #words() {
    if (this.#list.length > 0) return words.libraryWords;
    return this.#query ? words.nothingFound(this.#query) : words.libraryEmpty;
  }

  #onNear(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      if (target.id === 'library-more') {
        this.#showMore();
        continue;
      }
      this.#near.unobserve(target);
      const card = this.#cards.get(target.dataset.id);
      if (!card) continue;
      card.isNear = true;
      showPoster(card);
    }
  }

  #addHeading(key, season) {
    const item = make('li', { class: 'posters-heading' }, make('h3', { text: season }));
    this.#headings.set(key, item);
    return item;
  }

  #addCard(id) {
    const picture = make('img', { class: 'poster-picture', alt: '', width: 640, height: 360, decoding: 'async', hidden: true });
    picture.addEventListener('load', () => (picture.hidden = false));
    picture.addEventListener('error', () => (picture.hidden = true));
    const length = make('span', { class: 'poster-length' });
    const title = make('span', { class: 'poster-title' });
    const facts = make('span', { class: 'poster-facts' });
    const seen = make('span', { class: 'visually-hidden' });
    const bar = make('span', { class: 'poster-seen', 'aria-hidden': 'true', hidden: true });
    const button = make('button', { type: 'button', class: 'poster' },
      make('span', { class: 'visually-hidden', text: `${words.createWith} ` }),
      title,
      facts,
      seen,
      make('span', { class: 'poster-frame' }, picture, make('span', { class: 'poster-play', 'aria-hidden': 'true' }), length, bar));
    const version = make('select', { class: 'input poster-version', hidden: true });
    const card = { item: make('li', { 'data-id': id }, button, version), picture, title, facts, seen, bar, length, version, video: null, isNear: false };
    button.addEventListener('click', () => this.#onChoose({ ...card.video, id: version.value || id }));
    this.#cards.set(id, card);
    this.#near.observe(card.item);
    return card;
  }
}

// places: by id. Of several versions any is the film.
function showPlace({ seen, bar, video: { id, versions = [] } }, places) {
  const place = [id, ...versions.map((one) => one.id)].map((one) => places.get(one)).find(Boolean);
  bar.hidden = !place;
  if (place) bar.style.setProperty('--seen', String(Math.min(1, place.positionS / place.durationS)));
  setText(seen, place ? ` ${strings.goOn.stopped(formatTime(place.positionS))}` : '');
}

// Only of what comes into view: a library may have thousands.
function showPoster({ picture, video: { poster } }) {
  if (poster && picture.getAttribute('src') !== poster) picture.src = poster;
}

// Which of several versions of a film it shall be, the listed one first.
function offerVersions({ version, video: { id, title, versions = [] } }) {
  const all = versions.length > 1 ? versions : [];
  const now = JSON.stringify(all);
  if (version.dataset.all === now) return;
  version.dataset.all = now;
  version.replaceChildren(...all.map((one) => make('option', { value: one.id, text: one.label || one.id })));
  if (all.length > 0) version.value = id;
  version.hidden = all.length === 0;
  version.setAttribute('aria-label', words.version(title || id));
}
