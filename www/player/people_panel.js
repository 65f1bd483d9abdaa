// The list of viewers, with what the host may do to each.
import { byId, icon, make, setText } from '../dom.js';
import { strings } from '../strings.js';

const words = strings.people;
const WORTH_TELLING_MS = 100;

export class PeoplePanel {
  #room;
  #confirm;
  #rows = new Map(); // member id -> {row, name, mark, drift, menu}
  #reports = new Map(); // member id -> the newest of `viewers`

  constructor({ room, confirm }) {
    this.#room = room;
    this.#confirm = confirm;
    room.addEventListener('people', () => this.render());
    room.addEventListener('viewers', ({ detail }) => {
      this.#reports = new Map(detail.list.map((report) => [report.id, report]));
      this.render();
    });
    document.addEventListener('click', ({ target }) => this.#closeMenus(target));
    document.addEventListener('scroll', ({ target }) => target.contains(byId('people')) && this.#closeMenus(null), true);
    addEventListener('resize', () => this.#closeMenus(null));
    byId('people').addEventListener('keydown', ({ key }) => key === 'Escape' && this.#closeMenus(null));
  }

  render() {
    const { presence, youAreHost } = this.#room;
    const members = presence.list();
    const gone = new Set(this.#rows.keys());
    members.forEach((member, place) => {
      gone.delete(member.id);
      const parts = this.#rows.get(member.id) ?? this.#addRow(member.id);
      this.#fill(parts, member, youAreHost);
      const list = byId('people');
      // Moving a row would take the focus out of its menu.
      if (list.children[place] !== parts.row) list.insertBefore(parts.row, list.children[place] ?? null);
    });
    for (const id of gone) this.#removeRow(id);
    setText(byId('viewer-count'), words.count(presence.count));
    const more = presence.count - members.length;
    byId('people-more').hidden = more <= 0;
    setText(byId('people-more'), words.more(more));
  }

  #addRow(id) {
    const name = make('span', { class: 'person-name' });
    const mark = make('span', { class: 'tag' });
    const drift = make('span', { class: 'drift muted' });
    const menu = this.#makeMenu(id);
    const row = make('li', { class: 'person' }, make('span', { class: 'avatar', 'aria-hidden': 'true' }), name, mark, drift, menu);
    const parts = { row, name, mark, drift, menu };
    this.#rows.set(id, parts);
    return parts;
  }

  #removeRow(id) {
    this.#rows.get(id).row.remove();
    this.#rows.delete(id);
  }

  #fill({ row, name, mark, drift, menu }, { id, name: given, isHost, isYou }, youAreHost) {
    const shown = given || words.unnamed;
    const tags = [isHost && words.host, isYou && words.you].filter(Boolean).join(', ');
    setText(name, shown);
    setText(row.firstChild, [...shown][0].toUpperCase());
    setText(mark, tags);
    mark.hidden = tags === '';
    setText(drift, youAreHost && !isYou ? this.#describe(id) : '');
    menu.hidden = !youAreHost || isYou;
    const label = words.menu(shown);
    if (menu.firstChild.getAttribute('aria-label') !== label) menu.firstChild.setAttribute('aria-label', label);
  }

  #describe(id) {
    const report = this.#reports.get(id);
    if (!report) return '';
    if (report.buffering) return words.buffering;
    const ms = Math.round(report.driftMs / 10) * 10;
    if (Math.abs(ms) < WORTH_TELLING_MS) return '';
    return ms > 0 ? words.ahead(ms) : words.behind(-ms);
  }

  #makeMenu(id) {
    const give = make('button', { type: 'button', class: 'menu-item', text: words.give });
    const remove = make('button', { type: 'button', class: 'menu-item', text: words.remove });
    const menu = make('details', { class: 'menu', hidden: true }, make('summary', { class: 'control' }, icon('more')),
      make('div', { class: 'menu-items' }, give, remove));
    menu.addEventListener('toggle', () => menu.open && placeBelow(menu.firstChild, menu.lastChild));
    give.addEventListener('click', () => {
      menu.open = false;
      this.#room.send('give', { to: id });
    });
    remove.addEventListener('click', async () => {
      menu.open = false;
      const name = this.#room.presence.nameOf(id) || words.unnamed;
      if (await this.#confirm(words.removeSure(name), words.remove)) this.#room.send('kick', { id });
    });
    return menu;
  }

  #closeMenus(exceptAround) {
    for (const menu of byId('people').querySelectorAll('details[open]')) {
      if (menu.contains(exceptAround)) continue;
      if (menu.contains(document.activeElement)) menu.firstChild.focus({ preventScroll: true });
      menu.open = false;
    }
  }
}

// Outside of the list's flow, for that scrolls: below its button, or above where there is no room.
function placeBelow(button, items) {
  const { top, bottom, right } = button.getBoundingClientRect();
  const fits = bottom + items.offsetHeight <= innerHeight;
  items.style.top = `${fits ? bottom : top - items.offsetHeight}px`;
  items.style.right = `${document.documentElement.clientWidth - right}px`;
}
