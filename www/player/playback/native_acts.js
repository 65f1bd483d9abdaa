// Tells what a viewer did to the element behind our back: a browser's own controls (a picture in a
// picture, a phone's full screen, a context menu) pause, play and seek it without asking anybody.
//
// What we do ourselves is announced here first. A player that runs dry fires other events, one that has
// run out has ended, and what a hidden page's browser does to save power is nobody's wish; hls.js nudges
// by less than a second, and only while the player is stuck.

const SEEK_LEAST_S = 1;
const HAVE_FUTURE_DATA = 3;

export class NativeActs {
  #video;
  #isHidden;
  #onAct;
  #ours = { pause: 0, play: 0, seeking: 0 }; // events of our own that are still to come
  #lastS = 0; // where it was before the seek
  #wasStuck = false;

  // onAct(type, fields): 'play', 'pause' or 'seek' with {position}, as the command would be.
  constructor(video, onAct, isHidden = () => document.visibilityState === 'hidden') {
    this.#video = video;
    this.#onAct = onAct;
    this.#isHidden = isHidden;
    video.addEventListener('pause', () => this.#on('pause', () => !video.ended && this.#say('pause')));
    video.addEventListener('play', () => this.#on('play', () => this.#say('play')));
    video.addEventListener('seeking', () => this.#on('seeking', () => this.#onSeek()));
    video.addEventListener('timeupdate', () => this.#remember());
    for (const type of ['emptied', 'loadstart']) video.addEventListener(type, () => this.#forget());
  }

  // Before we pause, play or seek the element ourselves.
  willPause() {
    if (!this.#video.paused) this.#ours.pause += 1;
  }

  willPlay() {
    if (this.#video.paused) this.#ours.play += 1;
  }

  // The browser refused, and will say nothing more of it.
  didNotPlay() {
    this.#ours.play = Math.max(0, this.#ours.play - 1);
  }

  willSeek() {
    this.#ours.seeking += 1;
  }

  #on(type, isForeign) {
    if (this.#ours[type] > 0) this.#ours[type] -= 1;
    else isForeign();
    if (type === 'seeking') this.#lastS = this.#video.currentTime;
  }

  #onSeek() {
    const { currentTime } = this.#video;
    if (this.#wasStuck || Math.abs(currentTime - this.#lastS) < SEEK_LEAST_S) return;
    this.#say('seek', { position: currentTime });
  }

  #say(type, fields = {}) {
    if (!this.#isHidden()) this.#onAct(type, fields);
  }

  #remember() {
    if (this.#video.seeking) return;
    this.#lastS = this.#video.currentTime;
    this.#wasStuck = this.#video.readyState < HAVE_FUTURE_DATA;
  }

  #forget() {
    this.#ours = { pause: 0, play: 0, seeking: 0 };
    this.#lastS = 0;
    this.#wasStuck = true;
  }
}
