// The chat: what people say, with who and when, and what happened meanwhile.
//
// Nothing that somebody wrote becomes HTML: text goes in as text, links as elements of their own.
import { byId, icon, make, setText } from '../../dom.js';
import { describePartTrouble } from '../../faults.js';
import { loadPart } from '../../load_part.js';
import { joinNames } from '../../names.js';
import { locale, strings } from '../../strings.js';
import { Arrivals } from './arrivals.js';
import { splitLinks } from './links.js';
import { hueOf } from './name_colour.js';
import { Unread } from './unread.js';

const words = strings.chat;
const LINES_MAX = 200;
const IDS_MAX = 1_000;
const TEXT_MAX = 500;
const TELL_LEFT_BELOW = 100;
const TRIES_MAX = 3; // of the emoji, then it is told
const SAME_BREATH_MS = 120_000; // lines of one person within it share a name and a time

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });

export class ChatPanel {
  /** @type {Room} */
  #room;
  #list = byId('messages');
  #field = byId('chat-text');
  #unread = new Unread(this.#list);
  #last = { from: null, atMs: 0 }; // who spoke last, unless something was announced since
  #pending = ''; // what was said here and has not come back yet
  #unsent = ''; // what could not leave, for want of a connection
  #shown = new Set(); // ids of lines: one may come a second time

  #jump;

  // jump(seconds): somebody wants the film to go there, by a click on a time that was said.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, jump }) {
    this.#room = room;
    this.#jump = jump;
    byId('chat-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say();
    });
    this.#field.addEventListener('input', () => {
      this.#showLeft();
      if (this.#unsent === '') return;
      this.#unsent = '';
      this.#complain('');
    });
    room.addEventListener('welcome', () => this.#unsent !== '' && this.#say());
    this.#bindEmoji(byId('emoji'));
    const arrivals = new Arrivals(({ joined, left }) => {
      if (joined.length > 0) this.announce(words.joined(joinNames(joined.map(nameOrGuest))));
      if (left.length > 0) this.announce(words.gone(joinNames(left.map(nameOrGuest))));
    });
    room.addEventListener('chat', ({ detail }) => {
      arrivals.beforeWordsOf(detail.from);
      this.#show(detail);
    });
    room.addEventListener('history', ({ detail }) => detail.forEach((line) => this.#show(line, { isOld: true })));
    room.addEventListener('people', ({ detail }) => arrivals.note(detail, room.presence.count, room.you?.id));
  }

  // A line that nobody said.
  announce(text) {
    this.#last = { from: null, atMs: 0 };
    this.#append(make('p', { class: 'event', text }), false);
  }

  // What cannot leave stays in the field, and leaves with the next connection unless it is changed.
  #say() {
    const text = this.#field.value.trim();
    if (!text) return;
    this.#unsent = this.#room.send('chat', { text }) ? '' : text;
    if (this.#unsent !== '') return this.#complain(words.notSent);
    this.#pending = text;
    this.#field.value = '';
    this.#showLeft();
    this.#complain('');
  }

  // Whether a refusal (room.js) is the chat's affair. What was refused for haste alone does not say
  // what it was: then it may have been what was said last. That is not lost: it stands in the field
  // again, unless something else does.
  takeRefusal({ code, re }) {
    const isOurs = this.#pending !== '' && (re === 'chat' || (re === '' && code === 'rate_limited'));
    if (!isOurs) return false;
    this.#complain(code === 'rate_limited' ? words.tooFast : (strings.refusals[code] ?? strings.refusals.other(code)));
    if (this.#field.value === '') this.#field.value = this.#pending;
    this.#showLeft();
    return true;
  }

  // The press that closes the menu, as any outside of it, does not open it anew.
  #bindEmoji(button) {
    let isClosing = false;
    button.addEventListener('pointerdown', () => (isClosing = byId('emoji-menu') !== null));
    button.addEventListener('click', () => {
      if (!isClosing) this.#offerEmoji(button);
      isClosing = false;
    });
  }

  async #offerEmoji(button) {
    if (byId('emoji-menu')) return byId('emoji-menu').hidePopover();
    try {
      const { openEmojiMenu } = await loadPart(() => import('./emoji_menu.js'), { triesMax: TRIES_MAX });
      openEmojiMenu(button, this.#field, (emoji) => this.#insert(emoji));
    } catch (trouble) {
      this.#complain(describePartTrouble(trouble));
    }
  }

  #insert(emoji) {
    const { selectionStart: from, selectionEnd: to, value } = this.#field;
    if (value.length - (to - from) + emoji.length > TEXT_MAX) return;
    this.#field.setRangeText(emoji, from, to, 'end');
    this.#showLeft();
  }

  #onOwnLine(text) {
    if (text !== this.#pending) return;
    if (this.#field.value === text && !byId('chat-fault').hidden) this.#field.value = '';
    this.#pending = '';
    this.#showLeft();
    this.#complain('');
  }

  #complain(text) {
    byId('chat-fault').hidden = text === '';
    setText(byId('chat-fault'), text);
  }

  #showLeft() {
    const left = TEXT_MAX - this.#field.value.length;
    byId('chat-left').hidden = left > TELL_LEFT_BELOW;
    byId('chat-left').dataset.full = String(left === 0);
    setText(byId('chat-left'), words.left(left));
  }

  // isOld: it was said before this page came, or while it was not connected.
  #show({ id, from, name, text, atMs }, { isOld = false } = {}) {
    if (this.#shown.has(id)) return;
    if (id !== undefined) this.#note(id);
    const isYou = from === this.#room.you?.id;
    const goesOn = from === this.#last.from && atMs - this.#last.atMs < SAME_BREATH_MS;
    this.#last = { from, atMs };
    const at = new Date(atMs);
    const head = make('span', { class: goesOn ? 'said-head unseen' : 'said-head' }, this.#nameOf(from, name), ' ',
      make('time', { class: 'said-at', datetime: at.toISOString(), text: clock.format(at) }), ' ');
    const said = make('span', { class: 'said-text' }, ...splitLinks(text).map((part) => this.#partOf(part)));
    const line = make('p', { class: isYou ? 'said by-you' : 'said' }, head, said);
    line.classList.toggle('goes-on', goesOn);
    this.#append(line, !isYou && !isOld);
    if (isYou && !isOld) this.#onOwnLine(text);
  }

  // In the colour of who it is, which stays theirs.
  #nameOf(from, name) {
    const { presence } = this.#room;
    const shown = presence.nameOf(from) === name ? presence.shownNameOf(from) : name;
    const label = make('span', { class: 'said-name', text: nameOrGuest(shown) });
    label.style.setProperty('--hue', String(hueOf(from)));
    if (from === presence.hostId) label.append(' ', make('span', { class: 'said-host', role: 'img', 'aria-label': strings.people.host, title: strings.people.host }, icon('host')));
    return label;
  }

  // What comes a second time is not far behind.
  #note(id) {
    this.#shown.add(id);
    if (this.#shown.size > IDS_MAX) this.#shown.delete(this.#shown.values().next().value);
  }

  #partOf({ text, href, seconds }) {
    if (href) return make('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow ugc', title: words.newTab(href), text });
    if (seconds === undefined) return text;
    const time = make('button', { type: 'button', class: 'said-time', title: words.goTo(text), text });
    time.addEventListener('click', () => this.#jump(seconds));
    return time;
  }

  #append(line, isNews) {
    this.#unread.takeLine(() => {
      this.#list.append(line);
      while (this.#list.children.length > LINES_MAX) this.#list.firstChild.remove();
    }, isNews);
  }
}

function nameOrGuest(name) {
  return name || strings.people.unnamed;
}
