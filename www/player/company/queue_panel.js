// What comes next, for everybody to see and add to, and for whoever controls to order.
import { byId, make, setText } from '../../dom.js';
import { strings } from '../../strings.js';
import { closeMenusOf, makeRowMenu } from './row_menu.js';

const words = strings.queue;
const DRAGGED = 'application/x-videosync-item';

export class QueuePanel {
  /** @type {Room} */
  #room;
  #acts;
  #rows = new Map(); // item -> {element, menu, title, by}

  // inputs, playback: PageInputs, SharedPlayback.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, inputs, playback }) {
    this.#room = room;
    this.#acts = {
      play: (item) => inputs.act && playback.jump(inputs.act, item),
      up: (item) => this.#move(item, -1),
      down: (item) => this.#move(item, 1),
      remove: (item) => room.send('dequeue', { item }),
    };
    for (const type of /** @type {const} */ (['queue', 'settings', 'people', 'phase'])) room.addEventListener(type, () => this.render());
    this.#bindDragging();
    closeMenusOf(byId('queue'));
    this.render();
  }

  render() {
    const { list } = this.#room.queue;
    const isOpen = this.#room.connection.phase.name === 'open';
    const gone = new Set(this.#rows.keys());
    list.forEach((entry, place) => {
      gone.delete(entry.item);
      const row = this.#rowOf(entry.item);
      this.#fill(row, entry, { place, isLast: place === list.length - 1, isOpen });
      const there = byId('queue').children[place];
      if (there !== row.element) byId('queue').insertBefore(row.element, there ?? null); // moved, it would lose the focus
    });
    for (const item of gone) this.#removeRow(item);
    byId('queue-panel').hidden = this.#room.connection.phase.name === 'closed' || !(this.#room.mayQueue || list.length > 0);
    setText(byId('queue-count'), list.length > 0 ? String(list.length) : '');
    byId('queue-empty').hidden = list.length > 0;
    byId('queue-add').hidden = !this.#room.mayQueue;
  }

  #fill({ element, menu, title, by }, entry, { place, isLast, isOpen }) {
    const { mayControl } = this.#room;
    const name = entry.title || entry.video;
    setText(title, name);
    setText(by, entry.by ? words.by(entry.by.id === this.#room.you?.id ? strings.status.you : entry.by.name) : words.byItself);
    element.draggable = mayControl && isOpen;
    menu.call(words.menu(name));
    for (const act of Object.keys(this.#acts)) setText(menu.items[act], words[act]);
    menu.items.play.hidden = !mayControl;
    menu.items.up.hidden = !mayControl || place === 0;
    menu.items.down.hidden = !mayControl || isLast;
    menu.items.remove.hidden = !this.#room.mayDequeue(entry);
    menu.element.hidden = !isOpen || Object.values(menu.items).every(({ hidden }) => hidden);
  }

  #rowOf(item) {
    const known = this.#rows.get(item);
    if (known) return known;
    const menu = makeRowMenu(Object.entries(this.#acts).map(([name, act]) => [name, () => act(item)]));
    const title = make('span', { class: 'queue-title' });
    const by = make('span', { class: 'queue-by muted' });
    const element = make('li', { class: 'queue-item', 'data-item': item }, make('span', { class: 'queue-words' }, title, by), menu.element);
    const row = { element, menu, title, by };
    this.#rows.set(item, row);
    return row;
  }

  #removeRow(item) {
    const { element } = this.#rows.get(item);
    if (element.contains(document.activeElement)) byId('queue-add').focus({ preventScroll: true });
    element.remove();
    this.#rows.delete(item);
  }

  #move(item, steps) {
    const place = this.#room.queue.list.findIndex((entry) => entry.item === item);
    if (place >= 0) this.#room.send('move', { item, at: place + steps });
  }

  // By mouse, too: a row goes where it is dropped.
  #bindDragging() {
    const queue = byId('queue');
    const rowAt = (target) => /** @type {Element} */ (target).closest?.('.queue-item');
    const mark = (row) => {
      for (const one of queue.children) one.classList.toggle('drop-here', one === row);
    };
    queue.addEventListener('dragstart', ({ target, dataTransfer }) => {
      const row = /** @type {HTMLElement} */ (target);
      if (!row.matches?.('.queue-item')) return; // words that were selected, for example
      dataTransfer.setData(DRAGGED, row.dataset.item);
      dataTransfer.effectAllowed = 'move';
    });
    queue.addEventListener('dragover', (event) => {
      if (!event.dataTransfer.types.includes(DRAGGED)) return;
      event.preventDefault();
      mark(rowAt(event.target));
    });
    for (const type of ['dragleave', 'dragend', 'drop']) queue.addEventListener(type, () => mark(null));
    queue.addEventListener('drop', (event) => {
      const item = event.dataTransfer.getData(DRAGGED);
      const row = rowAt(event.target);
      event.preventDefault();
      if (item && row) this.#room.send('move', { item, at: [...queue.children].indexOf(row) });
    });
  }
}
