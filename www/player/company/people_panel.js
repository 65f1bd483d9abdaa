// The list of viewers, with what the host may do to each, and one's own name to be changed.
import { byId, setText } from '../../dom.js';
import { strings } from '../../strings.js';
import { PersonRow } from './person_row.js';
import { askForName } from './rename_form.js';
import { closeMenusOf } from './row_menu.js';

const words = strings.people;

export class PeoplePanel {
  /** @type {Room} */
  #room;
  #follower;
  #source;
  #confirm;
  #rows = new Map(); // member id -> PersonRow
  #awaited = new Set(); // ids that playback waits for
  #shownState = null; // the viewer's own
  #acts = {
    give: (id) => this.#room.send('give', { to: id }),
    allow: (id) => this.#allow(id),
    remove: (id) => this.#remove(id, words.remove),
    removeAndLock: (id) => this.#remove(id, words.removeAndLock, () => this.#room.send('settings', { door: 'locked' })),
    rename: (row) => this.#rename(row),
  };

  // confirm(words, yes): asks, resolves to whether it shall be. toast(text): tells for a moment.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, follower, source, confirm, toast }) {
    this.#room = room;
    this.#follower = follower;
    this.#source = source;
    this.#acts.explain = toast;
    this.#confirm = confirm;
    for (const type of /** @type {const} */ (['people', 'viewers', 'phase', 'settings', 'ready'])) room.addEventListener(type, () => this.render());
    room.addEventListener('waiting', ({ detail }) => this.#setAwaited(detail.members));
    room.addEventListener('state', () => this.#awaited.size > 0 && this.#setAwaited([]));
    follower.addEventListener('change', () => this.render());
    source.addEventListener('problem', () => this.render());
    closeMenusOf(byId('people'));
  }

  render() {
    const { presence, viewers, youAreHost, connection, settings } = this.#room;
    const members = presence.list();
    const gone = new Set(this.#rows.keys());
    this.#shownState = this.#ownState();
    const mayRule = youAreHost && connection.phase.name === 'open';
    members.forEach((member, place) => {
      gone.delete(member.id);
      const row = this.#rowOf(member.id);
      const isNext = presence.hostAway?.next === member.id;
      const report = youAreHost && !member.isYou ? viewers.get(member.id) : undefined;
      const mayControl = settings.controllers.includes(member.id) && !member.isHost;
      row.fill({ ...member, isNext, mayControl, isReady: this.#isReady(member, report) }, report, { state: this.#stateOf(member), mayRule, isLocked: settings.door === 'locked' });
      putAt(byId('people'), row.element, place);
    });
    for (const id of gone) this.#removeRow(id);
    this.#renderCounts(presence.count, members.length);
  }

  // What the own player lacks turns without a word. Cheap enough for four times a second.
  renderOwn() {
    if (this.#ownState() !== this.#shownState) this.render();
  }

  #renderCounts(count, listed) {
    const isKnown = count > 0; // whoever is in is a viewer
    setText(byId('viewer-count'), isKnown ? words.count(count) : '');
    setText(byId('people-count'), isKnown ? String(count) : '');
    byId('people-more').hidden = count <= listed;
    setText(byId('people-more'), words.more(count - listed));
    const viewers = [...this.#room.viewers.values()];
    showCount(byId('people-buffering'), viewers.filter(({ buffering, cannotPlay }) => buffering && !cannotPlay).length, words.buffersCount);
    showCount(byId('people-unplayable'), viewers.filter((viewer) => viewer.cannotPlay).length, words.cannotPlayCount);
  }

  // What keeps one from watching: 'cannotPlay', 'preparing', 'buffering', or null. The host is told of everybody; the
  // others know of those that playback waits for, and themselves.
  #stateOf({ id, isYou }) {
    if (isYou) return this.#ownState();
    const report = this.#room.viewers.get(id);
    if (report?.cannotPlay) return 'cannotPlay';
    return this.#awaited.has(id) || report?.buffering ? 'buffering' : null;
  }

  #ownState() {
    const { problem, preparation } = this.#source;
    if (problem) return 'cannotPlay';
    if (!this.#follower.buffering) return null;
    return preparation.isPossible ? 'preparing' : 'buffering';
  }

  // Of others the host alone is told.
  #isReady({ isYou }, report) {
    return isYou ? this.#room.youAreReady : report?.ready === true;
  }

  #setAwaited(ids) {
    this.#awaited = new Set(ids);
    this.render();
  }

  #rowOf(id) {
    const row = this.#rows.get(id) ?? new PersonRow(id, this.#acts);
    this.#rows.set(id, row);
    return row;
  }

  #removeRow(id) {
    this.#rows.get(id).element.remove();
    this.#rows.delete(id);
  }

  // Or no longer.
  #allow(id) {
    const { controllers } = this.#room.settings;
    const others = controllers.filter((one) => one !== id);
    this.#room.send('settings', { controllers: others.length < controllers.length ? others : [...others, id] });
  }

  // before(): what comes first, so that nobody who goes comes back at once.
  async #remove(id, how, before = () => {}) {
    const name = this.#room.presence.nameOf(id) || words.unnamed;
    if (!(await this.#confirm(words.removeSure(name), how))) return;
    before();
    this.#room.send('kick', { id });
  }

  async #rename(row) {
    const { presence, you } = this.#room;
    const name = await askForName(row, presence.nameOf(you.id) ?? you.name);
    if (name) this.#room.rename(name);
  }
}

function showCount(tag, count, say) {
  tag.hidden = count === 0;
  setText(tag, say(count));
}

// Moving a row would take the focus out of its menu.
function putAt(list, element, place) {
  if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
}
