// Before joining: the picture waits where the showing is, so that what it must show first is there by the
// time one joins. A browser fetches what follows the place where a player stands.
//
// Who reads the gate for long does not fetch the whole film: the place is kept up for a while, and in a
// page that is looked at.
import { isBuffered } from './data_watch.js';
import { FilmLength } from './film_length.js';

const LOOK_MS = 500;
const KEPT_UP_MS = 60_000;
const HAVE_METADATA = 1;

export class Standby {
  #video;
  #positionS;
  #length;
  #page;
  #timers;
  #untilMs;
  #now;
  #timer = null;
  #look = () => this.#tick();

  // positionS(): where the showing is. libraryS: how long the library says the film is. page, timers, now: the browser's own, other ones for tests.
  /** @param {HTMLVideoElement} video @param {() => number} positionS @param {{libraryS?: number, page?: Document, now?: () => number, timers?: any}} [means] */
  constructor(video, positionS, {
    libraryS, page = document, now = () => performance.now(),
    timers = { setTimeout: (act, ms) => setTimeout(act, ms), clearTimeout: (id) => clearTimeout(id) },
  } = {}) {
    this.#video = video;
    this.#positionS = positionS;
    this.#length = new FilmLength(video, () => libraryS);
    this.#page = page;
    this.#timers = timers;
    this.#now = now;
    this.#untilMs = now() + KEPT_UP_MS;
    video.addEventListener('loadedmetadata', this.#look);
    this.#tick();
  }

  // Somebody else moves the element from now on.
  stop() {
    this.#timers.clearTimeout(this.#timer);
    this.#video.removeEventListener('loadedmetadata', this.#look);
  }

  #tick() {
    this.#timers.clearTimeout(this.#timer);
    if (this.#now() > this.#untilMs) return this.stop();
    this.#timer = this.#timers.setTimeout(this.#look, LOOK_MS);
    const video = this.#video;
    if (video.readyState < HAVE_METADATA || video.seeking || this.#page.visibilityState === 'hidden') return;
    const lengthS = this.#length.seconds;
    const position = Math.min(this.#positionS(), lengthS);
    const isFar = Math.abs(video.currentTime - position) > 1;
    if (isFar && !isBuffered(video, position, lengthS)) video.currentTime = position;
  }
}
