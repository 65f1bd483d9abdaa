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

  // list: the scrolling element.
  constructor(list) {
    this.#list = list;
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

  // A line came; isMessage: that somebody said.
  onLine(isMessage) {
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
  // scrolling up, so the end counts only while the height is the one last seen.
  #follow() {
    const list = this.#list;
    let heightPx = list.clientHeight;
    list.addEventListener('scroll', () => {
      if (list.clientHeight !== heightPx) return;
      this.#following = list.scrollHeight - list.scrollTop - heightPx < NEAR_END_PX;
      if (this.#following) this.#look();
    });
    new ResizeObserver(() => {
      heightPx = list.clientHeight;
      this.#look();
    }).observe(list);
  }
}
