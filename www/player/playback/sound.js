// The viewer's own sound: how loud, or silent; the loudness is remembered in this browser.
import { preference, setPreference } from '../../memory.js';

const AUDIBLE = 0.5; // what a volume of nothing becomes when sound is asked for

export class Sound {
  #video;
  #follower;

  constructor(video, follower) {
    this.#video = video;
    this.#follower = follower;
    const remembered = Number.parseFloat(preference('volume'));
    if (remembered > 0 && remembered <= 1) video.volume = remembered;
  }

  get silent() {
    return this.#video.muted || this.#video.volume === 0;
  }

  toggle() {
    if (this.silent) this.unmute();
    else this.mute();
  }

  mute() {
    this.#video.muted = true;
    this.#follower.soundChosen();
  }

  unmute() {
    if (this.#follower.blocked === 'sound') this.#follower.unblock();
    this.#video.muted = false;
    if (this.#video.volume === 0) this.setVolume(AUDIBLE);
  }

  setVolume(volume) {
    this.#video.volume = Math.min(1, Math.max(0, volume));
    this.#video.muted = this.#video.volume === 0;
    this.#follower.soundChosen();
    if (this.#video.volume > 0) setPreference('volume', this.#video.volume.toFixed(2));
  }

  changeVolume(step) {
    this.setVolume(this.#video.volume + step);
  }
}
