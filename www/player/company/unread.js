// How many messages came that nobody saw: the panel was not on the screen, scrolled up, or the page
// was in the background. Shown over the list, and in the page's title while it is hidden.
import { byId, setText } from '../../dom.js';
import { strings } from '../../strings.js';
import { setUnreadCount } from '../../title.js';

const NEAR_END_PX = 40;
const MOSTLY = 0.5; // of the list has to be on the screen

export class Unread {
  #list;
  #count = 0;
  #following = true; // the newest line is to be seen; false while somebody scrolled up to read
  #onScreen = true;
  #heightPx;

  // list: the scrolling element.
  constructor(list) {
    this.#list = list;
    this.#heightPx = list.clientHeight;
    this.#follow();
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.#onScreen = isIntersecting;
      this.#look();
    }, { threshold: MOSTLY }).observe(list);
    document.addEventListener('visibilitychange', () => this.#look());
    byId('unread').addEventListener('click', () => {
      this.#following = true;
      list.focus({ preventScroll: true });
      list.scrollIntoView({ block: 'nearest' });
      this.#look();
    });
  }

  // append: puts a line into the list; isMessage: that somebody said.
  takeLine(append, isMessage) {
    this.#judge(); // the list's own word that it was scrolled comes a frame late
    append();
    if (isMessage) this.#count += 1;
    this.#look();
  }

  // What is followed stays in sight, and is seen if anything of it can be.
  #look() {
    if (this.#following) this.#list.scrollTop = this.#list.scrollHeight;
    if (this.#following && this.#onScreen && !document.hidden) this.#count = 0;
    byId('unread').hidden = this.#count === 0;
    setText(byId('unread-words'), strings.chat.unread(this.#count));
    setUnreadCount(document.hidden ? this.#count : 0);
  }

  // The list shrinks when another panel opens: what is followed stays in sight. That is no
  // scrolling up, so the end counts only while the height is the one last seen. A list that is not
  // shown is nowhere.
  #judge() {
    const list = this.#list;
    if (list.clientHeight === 0 || list.clientHeight !== this.#heightPx) return;
    this.#following = list.scrollHeight - list.scrollTop - this.#heightPx < NEAR_END_PX;
  }

  #follow() {
    this.#list.addEventListener('scroll', () => {
      this.#judge();
      if (this.#following) this.#look();
    });
    new ResizeObserver(() => {
      this.#heightPx = this.#list.clientHeight;
      this.#look();
    }).observe(this.#list);
  }
}
