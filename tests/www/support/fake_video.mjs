// A <video> that does what it is told at once, has its whole film, and otherwise becomes what a test says.

export class FakeVideo extends EventTarget {
  paused = true;
  ended = false;
  error = null;
  isConnected = true;
  seeking = false;
  readyState = 4;
  duration = 60;
  playbackRate = 1;
  currentTime = 0;
  bufferedToS = 60;
  buffered = { length: 1, start: () => 0, end: () => this.bufferedToS };
  calls = []; // 'play' and 'pause', where it has changed anything
  refuses = null; // the error with which a play is refused
  #onFrame = () => {};

  // state: what is other than above.
  constructor(state = {}) {
    super();
    Object.assign(this, state);
  }

  get played() {
    return this.calls.filter((call) => call === 'play').length;
  }

  async play() {
    if (this.refuses) throw this.refuses;
    this.calls.push('play');
    this.paused = false;
  }

  pause() {
    if (!this.paused) this.calls.push('pause');
    this.paused = true;
  }

  become(type, state = {}) {
    Object.assign(this, state);
    this.dispatchEvent(new Event(type));
  }

  requestVideoFrameCallback(onFrame) {
    this.#onFrame = onFrame;
  }

  // At local time `nowMs` that frame appears.
  showFrame(mediaTime, nowMs) {
    this.#onFrame(nowMs, { mediaTime, expectedDisplayTime: nowMs });
  }
}
