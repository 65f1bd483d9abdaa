// The size of the picture, as the menu of qualities tells it. Emits 'change'.
//
// It stands still while that menu is open: the library builds the menu anew for each size, under the
// finger that chooses, and closes it when the item with the focus goes.

export class PictureSize extends EventTarget {
  width = 0;
  height = 0;
  #video;
  #isHeld = false;

  constructor(video) {
    super();
    this.#video = video;
    video.addEventListener('resize', () => this.#read());
    this.#read();
  }

  hold(isHeld) {
    this.#isHeld = isHeld;
    this.#read();
  }

  #read() {
    if (this.#isHeld) return;
    this.width = this.#video.videoWidth;
    this.height = this.#video.videoHeight;
    this.dispatchEvent(new Event('change'));
  }
}
