// What is decided for everybody besides playback: the video, by whoever controls; the settings and the
// end, by the host.
import { byId, make } from '../../dom.js';
import { nameInSeason, seasonOf } from '../../season.js';
import { strings } from '../../strings.js';

const words = strings.session;
const SEARCH_AFTER_MS = 200; // of rest

export class HostTools {
  #room;
  #library;
  #inputs;
  #playback;
  #chosen = null; // the id of a video that is chosen in the list, and not yet shown to everybody

  // library: the server's videos (video_list.js); inputs, playback: PageInputs, SharedPlayback;
  // confirm(words, yes): asks, resolves to whether it shall be.
  constructor({ room, inputs, playback, library, confirm }) {
    this.#room = room;
    this.#library = library;
    this.#inputs = inputs;
    this.#playback = playback;
    byId('set-everyone').addEventListener('change', ({ target }) =>
      room.send('settings', { control: target.checked ? 'everyone' : 'host' }));
    byId('set-wait').addEventListener('change', ({ target }) =>
      room.send('settings', { onStall: target.checked ? 'wait' : 'continue' }));
    byId('set-queue').addEventListener('change', ({ target }) =>
      room.send('settings', { queue: target.checked ? 'everyone' : 'host' }));
    byId('end').addEventListener('click', async () => {
      if (await confirm(strings.events.endSure, byId('end').textContent)) room.send('end');
    });
    for (const type of ['people', 'settings', 'phase', 'refused']) room.addEventListener(type, () => this.render());
    room.addEventListener('state', ({ detail: { state, previous } }) => {
      if (state.video === previous?.video) return this.render();
      this.#chosen = null;
      this.#listVideos();
    });
    library.addEventListener('change', () => this.#listVideos());
    // Before a hand is on the list, which does not change under it then.
    for (const type of ['toggle', 'pointerenter', 'focusin']) byId('host-tools').addEventListener(type, () => library.refresh());
    this.#bindLoad();
    this.#bindSearch();
    this.#listVideos();
  }

  // A list is looked through with the arrows, and each step tells of a change: only the button, or
  // Enter, takes what is chosen.
  #bindLoad() {
    const list = byId('load');
    list.addEventListener('change', () => this.#choose(list.value));
    list.addEventListener('keydown', (event) => {
      if (this.#chosen === null) return;
      if (event.key === 'Enter') this.#take();
      else if (event.key === 'Escape') this.#choose(null);
      else return;
      event.preventDefault();
    });
    byId('load-take').addEventListener('click', () => {
      list.focus({ preventScroll: true });
      this.#take();
    });
  }

  #bindSearch() {
    let timer = null;
    byId('load-search').addEventListener('input', ({ target }) => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#library.search(target.value), SEARCH_AFTER_MS);
    });
  }

  // What is on is among them, also where the list has other ones.
  #listVideos() {
    const { list } = this.#library;
    if (!list.some((entry) => isOf(entry, this.#chosen))) this.#chosen = null;
    const isOn = this.#library.find(this.#room.timeline.state?.video);
    const offered = isOn && !list.some((entry) => isOf(entry, isOn.id)) ? [isOn, ...list] : list;
    byId('load').replaceChildren(...bySeason(offered));
    this.render();
  }

  #choose(id) {
    this.#chosen = id === this.#room.timeline.state?.video ? null : id;
    this.render();
  }

  #take() {
    const { act } = this.#inputs;
    if (act) this.#playback.load(act, this.#chosen);
    this.#choose(null);
  }

  render() {
    const { settings, timeline, youAreHost, mayControl } = this.#room;
    const isOver = this.#room.connection.phase.name === 'closed';
    const { list, isPart } = this.#library;
    const hasVideos = isPart || list.length > 0;
    byId('host-tools').hidden = isOver || !(youAreHost || (mayControl && hasVideos));
    byId('load-field').hidden = !hasVideos;
    byId('load-search').hidden = !isPart;
    byId('host-only').hidden = !youAreHost;
    if (timeline.state) byId('load').value = this.#chosen ?? timeline.state.video;
    byId('load-take').hidden = this.#chosen === null;
    byId('set-everyone').checked = settings.control === 'everyone';
    byId('set-wait').checked = settings.onStall === 'wait';
    byId('set-queue').checked = settings.queue === 'everyone';
  }
}

// Whether it is that video, or has it as a version.
function isOf({ id, versions = [] }, wanted) {
  return id === wanted || versions.some((version) => version.id === wanted);
}

// One for each of its versions.
function optionsOf(video) {
  const name = nameInSeason(video);
  const { versions = [] } = video;
  if (versions.length < 2) return [make('option', { value: video.id, text: name })];
  return versions.map(({ id, label }) => make('option', { value: id, text: words.versionOf(name, label || id) }));
}

// Options, those of a season's episodes in a group.
function bySeason(videos) {
  const items = [];
  let season = '';
  for (const video of videos) {
    const its = seasonOf(video);
    if (its && its !== season) items.push(make('optgroup', { label: its }));
    if (its) items.at(-1).append(...optionsOf(video));
    else items.push(...optionsOf(video));
    season = its;
  }
  return items;
}
