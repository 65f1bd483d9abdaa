// Whether a person may just have used the browser's own controls of a <video>. No event tells of that: what the
// element does then it also does for a call, another player or headphones pulled out. So controls must be at hand,
// and where the page would see a hand on them, it must have seen it:
//
//   a phone's full screen, a picture in a picture   has controls that nobody sees from here: being shown is all there is
//   controls in the page                            an input of the page, just now
//   the element's context menu                      is open, or has just been closed: while it is open the page sees no
//                                                   pointer, and no key
//   a picture in a picture that no page is told of  (Firefox, before it had the standard one) but its window takes the
//                                                   focus: with what the element does, or from a pointer on the
//                                                   picture, where its button is. From then on, until the focus is back

const INPUTS = ['pointerdown', 'pointerup', 'click', 'touchend', 'keydown', 'keyup'];
const NEAR_MS = 500; // what an input makes of the element follows it so soon
const MENU_MS = 10_000; // longer nobody looks at a context menu
const OPENS_MS = 2_000; // from the way to the button until its window is there

export class NativeControls {
  #video;
  #page;
  #now;
  #inputMs = -Infinity;
  #menu = null; // {openedMs, closedMs, x, y}
  #overMs = -Infinity; // when a pointer was last seen on the picture
  #blurMs = -Infinity;
  #changedMs = -Infinity; // when somebody else than the page last changed the element
  #isElsewhere = false; // the focus is on a window that has this picture

  // page, now: the browser's own, other ones for tests.
  constructor(video, { page = document, now = () => performance.now() } = {}) {
    this.#video = video;
    this.#page = page;
    this.#now = now;
    for (const type of INPUTS) page.addEventListener(type, () => (this.#inputMs = now()), { capture: true });
    this.#watchMenu();
    if (this.mayShowSoon) this.#watchFocus(page.defaultView ?? page);
  }

  // The element has changed, by no word of ours.
  noteChange() {
    this.#changedMs = this.#now();
    if (this.#isNear(this.#blurMs)) this.#isElsewhere = true;
  }

  // What was chosen from a menu was chosen.
  noteUse() {
    this.#menu = null;
  }

  // Whether the last change that was noted may be a person's.
  get mayBeUsed() {
    const { controls, webkitDisplayingFullscreen } = this.#video;
    if (webkitDisplayingFullscreen || this.isInPicture || this.#isElsewhere || this.#isFromMenu) return true;
    const areInPage = controls || this.#page.fullscreenElement === this.#video;
    return areInPage && this.#isNear(this.#inputMs);
  }

  // Whether what speaks for it may come after the change: a focus that goes, where that is all there is to see.
  get mayShowSoon() {
    return !('pictureInPictureElement' in this.#page);
  }

  get isInPicture() {
    const { webkitPresentationMode } = this.#video;
    return this.#page.pictureInPictureElement === this.#video || webkitPresentationMode === 'picture-in-picture';
  }

  get #isFromMenu() {
    if (!this.#menu) return false;
    const { openedMs, closedMs } = this.#menu;
    return closedMs === null ? this.#changedMs - openedMs < MENU_MS : this.#isNear(closedMs);
  }

  // It is gone when the page sees an input again. Some browsers tell of a pointer that has not moved.
  #watchMenu() {
    const hasMoved = ({ screenX, screenY }) => screenX !== this.#menu?.x || screenY !== this.#menu?.y;
    this.#video.addEventListener('contextmenu', ({ screenX: x, screenY: y }) => {
      this.#menu = { openedMs: this.#now(), closedMs: null, x, y };
    });
    for (const type of ['pointerdown', 'keydown', 'wheel', 'pointermove']) {
      const isPointers = type === 'pointermove';
      this.#page.addEventListener(type, (event) => {
        if (this.#menu && (!isPointers || hasMoved(event))) this.#menu.closedMs ??= this.#now();
      }, { capture: true, passive: true });
    }
  }

  #watchFocus(view) {
    this.#video.addEventListener('pointermove', () => (this.#overMs = this.#now()));
    view.addEventListener('blur', () => {
      this.#blurMs = this.#now();
      this.#isElsewhere = this.#isNear(this.#changedMs) || this.#now() - this.#overMs < OPENS_MS;
    });
    view.addEventListener('focus', () => {
      this.#blurMs = -Infinity;
      this.#isElsewhere = false;
    });
  }

  // By the time of the change, however late it is judged.
  #isNear(atMs) {
    return Math.abs(this.#changedMs - atMs) < NEAR_MS;
  }
}
