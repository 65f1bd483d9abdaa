// The menu of speeds: one item for each, which stay. The library builds them anew for each speed that
// the menu is told, also while it is open and somebody else chose one: the item would go under the
// finger that chooses, and the menu with the item that has the focus.

// menu: the <media-playback-rate-menu>. What it is told only moves its mark, and asks for nothing. A speed
// that has no item gets one once the menu is closed.
export function keepItems(menu) {
  const { get, set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(menu), 'mediaPlaybackRate');
  let told = get.call(menu);
  const show = () => {
    const value = String(Math.round(told * 100) / 100); // as the library names it
    for (const item of menu.items) item.checked = item.value === value;
    if (menu.hidden && menu.checkedItems.length === 0) set.call(menu, told);
  };
  const tell = (rate) => {
    told = rate;
    show();
  };
  Object.defineProperty(menu, 'mediaPlaybackRate', { get: () => told, set: tell });
  menu.addEventListener('toggle', show);
}
