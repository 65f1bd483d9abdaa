// The door, for the host: who may come in, and who waits to be let in.
import { byId, make, setText } from '../../dom.js';
import { joinNames } from '../../names.js';
import { strings } from '../../strings.js';
import { bindSettings } from './setting_controls.js';

const words = strings.door;
const DOORS = /** @type {const} */ (['open', 'knock', 'locked']);
const LOOK_EVERY_MS = 5_000;

export class Door {
  /** @type {Room} */
  #room;
  #rows = new Map(); // id -> the row's element

  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room }) {
    this.#room = room;
    const choose = bindSettings(room, (settings) => {
      for (const door of DOORS) byId(`door-${door}`).checked = settings.door === door;
    });
    for (const door of DOORS) byId(`door-${door}`).addEventListener('change', () => choose({ door }));
    for (const type of /** @type {const} */ (['settings', 'people', 'phase', 'refused', 'knocks'])) room.addEventListener(type, () => this.render());
    setInterval(() => room.forgetSilentKnocks(), LOOK_EVERY_MS);
    this.render();
  }

  render() {
    const list = this.#room.knocks.list;
    const gone = new Set(this.#rows.keys());
    for (const { id, name } of list) {
      if (!gone.delete(id)) this.#add(id, name);
    }
    const heir = this.#handOn(gone);
    for (const id of gone) this.#remove(id);
    byId('knocks').hidden = list.length === 0;
    heir?.focus({ preventScroll: true });
    setText(byId('knocks-live'), list.length > 0 ? words.waiting(joinNames(list.map(({ name }) => name))) : '');
  }

  #add(id, name) {
    const button = (type, text, said, ...looks) => {
      const made = make('button', { type: 'button', class: ['button', 'small', ...looks].join(' '), text, 'aria-label': said });
      made.addEventListener('click', () => this.#room.send(type, { id }));
      return made;
    };
    const row = make('li', { class: 'knock' },
      make('span', { class: 'knock-name', text: words.wants(name) }),
      button('admit', words.admit, words.admitThis(name), 'primary'),
      button('refuse', words.refuse, words.refuseThis(name)));
    this.#rows.set(id, row);
    byId('knocks-list').append(row);
  }

  #remove(id) {
    this.#rows.get(id).remove();
    this.#rows.delete(id);
  }

  // Where a row that goes has the focus: who has it then; null elsewhere.
  #handOn(gone) {
    const holder = [...gone].find((id) => this.#rows.get(id).contains(document.activeElement));
    if (holder === undefined) return null;
    const next = [...this.#rows].find(([id]) => !gone.has(id));
    return next ? next[1].querySelector('button') : byId('status');
  }
}
