// Emoji to choose from, for keyboards that have none. Fetched when somebody asks.
import { make } from '../../dom.js';
import { language } from '../../strings.js';
import { emojiWords } from '../../strings/emoji.js';

const words = emojiWords[language];
const COLUMNS = 8;
const GAP_PX = 8;
const EMOJI = {
  faces: ['😀', '😂', '🤣', '😊', '😍', '🥰', '😘', '😎', '🤔', '😏', '🙄', '😴', '😮', '😱', '😳', '🥺', '😢', '😭', '😡', '🤯', '🥳', '🤗', '🤫', '💀'],
  hands: ['👍', '👎', '👏', '🙌', '👋', '🙏', '💪', '🤞', '👌', '✌️', '🤷', '🤦', '👀', '🫣', '🫶', '🤝'],
  hearts: ['❤️', '💔', '💯', '🔥', '✨', '⭐', '🎉', '🎂'],
  evening: ['🎬', '🍿', '🥤', '🍕', '🍷', '🍺', '🛋️', '🌙', '⏸️', '▶️', '🔊', '🔇', '📺', '💤', '👻', '🐱'],
};

// Opens beside `button`. insert(emoji): one was chosen; it stays open for the next. Closed, it gives the focus to `field`.
export function openEmojiMenu(button, field, insert) {
  const items = Object.values(EMOJI).flat().map((emoji) => makeItem(emoji, insert));
  const groups = Object.entries(EMOJI).map(([name, list]) =>
    make('div', { role: 'group', 'aria-label': words[name], class: 'emoji-group' }, ...items.splice(0, list.length)));
  const menu = make('div', { id: 'emoji-menu', class: 'emoji-menu', popover: 'auto', role: 'menu', 'aria-label': button.getAttribute('aria-label') }, ...groups);
  button.after(menu);
  menu.showPopover();
  putAbove(menu, button);
  const all = [...menu.querySelectorAll('button')];
  all[0].focus();
  menu.addEventListener('keydown', (event) => step(event, all));
  const close = () => menu.hidePopover();
  addEventListener('resize', close);
  menu.addEventListener('beforetoggle', () => menu.contains(document.activeElement) && field.focus());
  menu.addEventListener('toggle', ({ newState }) => {
    if (newState !== 'closed') return;
    removeEventListener('resize', close);
    menu.remove();
  });
}

function makeItem(emoji, insert) {
  const item = make('button', { type: 'button', role: 'menuitem', tabindex: '-1', class: 'emoji-item', text: emoji });
  item.addEventListener('click', () => insert(emoji));
  return item;
}

function putAbove(menu, button) {
  const place = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(GAP_PX, Math.min(place.right, innerWidth - GAP_PX) - width)}px`;
  menu.style.top = `${Math.max(GAP_PX, place.top - height - GAP_PX)}px`;
}

function step(event, all) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS, Home: -Infinity, End: Infinity };
  if (!Object.hasOwn(steps, event.key)) return;
  event.preventDefault();
  const to = all.indexOf(document.activeElement) + steps[event.key];
  all[Math.max(0, Math.min(all.length - 1, to))].focus();
}
