// The menu of a row in a list: a button that opens a few acts. It closes when one was chosen, at a press outside,
// at Escape, and when the list moves under it.
import { icon, label, make } from '../../dom.js';

const placedAt = new WeakMap(); // the button of an open menu -> where it was when the menu was put below it

// acts: [[name, () => ...]]. Returns {element, items: the buttons by name, call(text): what the button is called}.
export function makeRowMenu(acts) {
  const items = {};
  const button = make('summary', { class: 'control' }, icon('more'));
  const list = make('div', { class: 'menu-items' });
  const element = make('details', { class: 'menu' }, button, list);
  for (const [name, act] of acts) {
    items[name] = make('button', { type: 'button', class: 'menu-item' });
    items[name].addEventListener('click', () => {
      element.open = false;
      button.focus({ preventScroll: true });
      act();
    });
    list.append(items[name]);
  }
  element.addEventListener('toggle', () => element.open && placeBelow(button, list));
  return { element, items, call: (text) => label(button, text) };
}

export function closeMenusOf(list) {
  document.addEventListener('click', ({ target }) => closeAll(list, target));
  document.addEventListener('scroll', ({ target }) => /** @type {Node} */ (target).contains(list) && closeMoved(list), true);
  addEventListener('resize', () => closeMoved(list));
  list.addEventListener('keydown', ({ key }) => key === 'Escape' && closeAll(list, null));
}

// A scroll is told a frame after it was: a menu that was opened since has not moved.
function closeMoved(list) {
  for (const menu of list.querySelectorAll('details[open]')) {
    const placed = placedAt.get(menu.firstChild);
    const { top, right } = menu.firstChild.getBoundingClientRect();
    if (placed && (placed.top !== top || placed.right !== right)) close(menu);
  }
}

function closeAll(list, exceptAround) {
  for (const menu of list.querySelectorAll('details[open]')) {
    if (!menu.contains(exceptAround)) close(menu);
  }
}

function close(menu) {
  placedAt.delete(menu.firstChild);
  if (menu.contains(document.activeElement)) menu.firstChild.focus({ preventScroll: true });
  menu.open = false;
}

function placeBelow(button, items) {
  const { top, bottom, right } = button.getBoundingClientRect();
  placedAt.set(button, { top, right });
  const fits = bottom + items.offsetHeight <= innerHeight;
  items.style.top = `${fits ? bottom : top - items.offsetHeight}px`;
  items.style.right = `${document.documentElement.clientWidth - right}px`;
}
