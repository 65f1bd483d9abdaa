// What the viewer may choose of how captions look, in a small panel on the picture, opened from the captions' menu;
// and the same by keys, which tell what has become of it.
import { byId, make, setText } from '../../dom.js';
import { strings } from '../../strings.js';
import { PLACES } from './caption_look.js';

const words = strings.captionLook;

export class CaptionPanel extends EventTarget {
  #captions;
  #look;
  #tell;
  #panel = byId('caption-look');
  #opener = byId('captions');

  // Emits 'toggle' when it opens or closes. captions, look: Captions, CaptionLook. menu: the <media-captions-menu>.
  // tell(text): says it for a moment.
  constructor({ captions, look, menu, tell }) {
    super();
    this.#captions = captions;
    this.#look = look;
    this.#tell = tell;
    this.#offerIn(menu);
    this.#bind();
    look.addEventListener('change', () => this.#render());
    this.#render();
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  resize(steps) {
    if (!this.#mayPlace()) return;
    this.#look.resize(steps);
    this.#tell(words.sizeIs(this.#look.size));
  }

  moveOn() {
    if (!this.#mayPlace()) return;
    this.#look.moveOn();
    this.#tell(words.placeIs[this.#look.place]);
  }

  delayBy(steps) {
    if (this.#captions.shown === null) return;
    this.#look.delayBy(steps);
    this.#tell(words.delayIs(this.#look.delayMs));
  }

  // What is not seen is not changed by a key, and pictures are as they are.
  #mayPlace() {
    const { shown, arePictures } = this.#captions;
    if (arePictures) this.#tell(words.pictures);
    return shown !== null && !arePictures;
  }

  // The library fills the menu anew for each list of captions and each choice.
  #offerIn(menu) {
    const item = make('media-chrome-menu-item', { part: 'menu-item look-item', 'aria-haspopup': 'dialog' }, make('span', { text: words.open }));
    const offer = () => menu.defaultSlot.lastElementChild !== item && menu.defaultSlot.append(item);
    new MutationObserver(offer).observe(menu.defaultSlot, { childList: true });
    offer();
    const open = (event) => {
      event.preventDefault();
      menu.hidden = true;
      this.#opener.focus(); // or the menu, as it loses the focus, takes it back
      this.#setOpen(true);
    };
    item.addEventListener('click', open);
    item.addEventListener('keydown', (event) => [' ', 'Enter'].includes(event.key) && open(event));
  }

  #bind() {
    const acts = {
      smaller: () => this.#look.resize(-1),
      larger: () => this.#look.resize(1),
      earlier: () => this.#look.delayBy(-1),
      later: () => this.#look.delayBy(1),
      'no-delay': () => this.#look.setDelay(0),
      close: () => this.#close(),
    };
    for (const name of /** @type {Array<keyof typeof acts>} */ (Object.keys(acts))) byId(`look-${name}`).addEventListener('click', acts[name]);
    for (const place of PLACES) byId(`look-${place}`).addEventListener('click', () => this.#look.moveTo(place));
    this.#panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.#close();
    });
    document.addEventListener('pointerdown', ({ target }) => !this.#panel.contains(/** @type {Node} */ (target)) && this.#setOpen(false));
  }

  #close() {
    this.#setOpen(false);
    this.#opener.focus();
  }

  #setOpen(isOpen) {
    if (isOpen === this.isOpen) return;
    this.#panel.hidden = !isOpen;
    this.#render();
    if (isOpen) /** @type {HTMLElement} */ (this.#panel.querySelector('button:not([hidden] *)')).focus();
    this.dispatchEvent(new Event('toggle'));
  }

  #render() {
    const { size, place, delayMs } = this.#look;
    for (const id of /** @type {const} */ (['look-size-row', 'look-place-row'])) byId(id).hidden = this.#captions.arePictures;
    setText(byId('look-size'), words.percent(size));
    setText(byId('look-delay'), words.delay(delayMs));
    for (const one of PLACES) byId(`look-${one}`).setAttribute('aria-pressed', String(one === place));
  }
}
