// Clicks on the picture by mouse: one plays or pauses, two fill the screen or leave it.
//
// What the first one means is known only when no second one has come. A pause that is taken back at once
// would be one for everybody, so the first waits; the keyboard, the buttons and fingers do not. Most double
// clicks take less than 200 ms. The button in the middle is a part of the picture for a mouse.

const SECOND_WITHIN_MS = 250;

export class PictureClicks {
  #inputs;
  #onSingle;
  #onDouble;
  #timers;
  #timer = null;

  // player: the element around the picture; picture: the ids of what counts as such in it.
  // onSingle(act), onDouble(): what they do. timers: other ones for tests.
  constructor({
    player, picture, inputs, onSingle, onDouble,
    timers = { setTimeout: (act, ms) => setTimeout(act, ms), clearTimeout: (id) => clearTimeout(id) },
  }) {
    this.#inputs = inputs;
    this.#onSingle = onSingle;
    this.#onDouble = onDouble;
    this.#timers = timers;
    let byMouse = true;
    const isPicture = (event) => byMouse && event.detail > 0 && picture.includes(event.target.id);
    player.addEventListener('pointerdown', (event) => (byMouse = event.pointerType !== 'touch'), { capture: true });
    player.addEventListener('click', (event) => isPicture(event) && this.#onClick(event), { capture: true });
    player.addEventListener('dblclick', (event) => isPicture(event) && this.#onDoubleClick(), { capture: true });
  }

  #onClick(event) {
    event.stopPropagation();
    if (event.detail > 1) return;
    const { act } = this.#inputs;
    this.#forget();
    this.#timer = this.#timers.setTimeout(() => this.#onSingle(act), SECOND_WITHIN_MS);
  }

  #onDoubleClick() {
    this.#forget();
    this.#onDouble();
  }

  #forget() {
    if (this.#timer !== null) this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
