// A <video> as our own hand moves it, and what other hands do to it.
//
// Nothing else of ours plays, pauses or seeks the element, or sets its rate. What is wanted of it is written down first, so
// that an event which fits is our own doing. What does not fit is somebody else's:
//
//   the browser's   where the media has ended, failed or was taken away; in a hidden page, to save power;
//                   for a call, another player or headphones pulled out; when a picture in a picture is
//                   closed; and whatever hls.js nudges while the player is stuck
//   a person's      by the browser's own controls, so only where a hand may have been on such (native_controls.js)
//
// Emits 'native' with {type: 'play'}, {type: 'pause'} or {type: 'seek', position} for a person's.

import { isShortOfData } from './data_watch.js';
import { FilmLength } from './film_length.js';
import { NativeControls } from './native_controls.js';
import { PlaybackRate } from './playback_rate.js';
import { PositionReading } from './position_reading.js';

const SEEK_LEAST_S = 1;
const AT_END_S = 1;
const HAVE_METADATA = 1;
const OVERDUE_MS = 500; // a seek from the end that has not come by then wants waking
const IN_DOUBT_MS = 200; // whoever closes what the controls are on pauses first

export class SteeredVideo extends EventTarget {
  rate; // a PlaybackRate

  #video;
  #reading;
  #length;
  #page;
  #timers;
  #controls;
  #runs = false; // as it was last made to, by us or by a person
  #isInDoubt = false;
  #isRefused = false; // it would not be played just now, and the reason has yet to come
  #soughtS = null; // where we sent it, while it is on the way
  #lastS = 0; // where it was before the seek
  #hadEnded = false;
  #wasStuck = true;

  // reading, length: the PositionReading and the FilmLength of this video, where somebody has them. page, timers, now: the browser's own, other
  // ones for tests.
  constructor(video, {
    reading = new PositionReading(video), length = new FilmLength(video), page = document, now = () => performance.now(), timers = { setTimeout: (act, ms) => setTimeout(act, ms) },
  } = {}) {
    super();
    this.#video = video;
    this.#reading = reading;
    this.#length = length;
    this.#page = page;
    this.#timers = timers;
    this.#controls = new NativeControls(video, { page, now });
    this.rate = new PlaybackRate(video);
    video.addEventListener('pause', () => this.#onPause());
    video.addEventListener('play', () => this.#onPlay());
    video.addEventListener('seeking', () => this.#onSeeking());
    for (const type of ['timeupdate', 'ended']) video.addEventListener(type, () => this.#remember());
    for (const type of ['emptied', 'loadstart']) video.addEventListener(type, () => this.#forget());
  }

  // Whose pause it is will be clear in a moment. An element stands, or runs, before it tells of it: who is about to
  // undo that finds out here that it is somebody's, who is told of first.
  get inDoubt() {
    this.#onPause();
    this.#onPlay();
    return this.#isInDoubt;
  }

  // Resolves to 'plays', 'refused' (the browser wants a gesture first) or 'not'. What has ended is never
  // played: browsers would begin it anew at 0. What has failed cannot be.
  //
  // A refusal may come late, as a task of its own: to play once more before it has come would be refused for the
  // same reason, and that refusal would come when the first one has been seen to.
  async play() {
    const video = this.#video;
    if (video.ended || video.error) return 'not';
    if (!video.paused) return 'plays';
    if (this.inDoubt || this.#isRefused) return 'not';
    this.#runs = true;
    const playing = video.play();
    const isRefused = (this.#isRefused = video.paused);
    try {
      await playing;
      return 'plays';
    } catch (error) {
      // AbortError: a pause came in between. NotSupportedError: the element tells of it itself.
      if (error.name !== 'NotAllowedError' || !video.paused) return 'not';
      this.#runs = false;
      return 'refused';
    } finally {
      if (isRefused) this.#isRefused = false;
    }
  }

  pause() {
    this.#runs = false;
    this.#video.pause();
  }

  seek(position) {
    if (this.#video.readyState >= HAVE_METADATA) this.#soughtS = position;
    if (this.#video.ended) {
      this.#runs = false; // not every browser tells of a pause at the end
      this.#timers.setTimeout(() => this.#wakeSeek(), OVERDUE_MS);
    }
    this.rate.beforeSeek();
    this.#video.currentTime = position;
  }

  // In WebKit with GStreamer a player that stands at the end of a film and is sought elsewhere stays `seeking`
  // until somebody plays it: nobody could watch the film again. Played and paused in one go it seeks, and
  // shows and sounds nothing meanwhile. Elsewhere such a seek is done long before.
  #wakeSeek() {
    if (!this.#video.seeking || !this.#video.paused) return;
    this.play();
    this.pause();
  }

  #onPause() {
    const video = this.#video;
    if (!video.paused || !this.#runs) return;
    this.#runs = false;
    this.#controls.noteChange();
    if (this.#isBrowsers || !(this.#controls.mayBeUsed || this.#controls.mayShowSoon)) return;
    this.#isInDoubt = true;
    this.#timers.setTimeout(() => this.#judgePause(), IN_DOUBT_MS);
  }

  #judgePause() {
    this.#isInDoubt = false;
    if (this.#video.paused) this.#sayIfPersons({ type: 'pause' });
  }

  #onPlay() {
    if (this.#video.paused || this.#runs) return;
    this.#runs = true;
    this.#controls.noteChange();
    this.#sayIfPersons({ type: 'play' });
  }

  // At the end browsers seek by themselves: back to the beginning where they play it again, and to what they
  // take for the end where that turns out to be sooner.
  #onSeeking() {
    const { currentTime } = this.#video;
    const { seconds, elementsS } = this.#length;
    const fromS = this.#lastS;
    this.#lastS = currentTime;
    const isOurs = this.#soughtS !== null && isNear(currentTime, this.#soughtS);
    if (isOurs || this.#wasStuck || isNear(currentTime, fromS)) return;
    const wasAtEnd = this.#hadEnded || fromS > seconds - AT_END_S;
    const isCut = fromS > elementsS && isNear(currentTime, elementsS);
    if (isCut || (wasAtEnd && isNear(currentTime, 0))) return;
    this.#controls.noteChange();
    this.#sayIfPersons({ type: 'seek', position: currentTime });
  }

  // Whatever is at hand.
  get #isBrowsers() {
    const { ended, error, isConnected } = this.#video;
    if (ended || error || !isConnected) return true;
    return this.#page.visibilityState === 'hidden' && !this.#controls.isInPicture;
  }

  #sayIfPersons(detail) {
    if (this.#isBrowsers || !this.#controls.mayBeUsed) return;
    this.#controls.noteUse();
    this.dispatchEvent(new CustomEvent('native', { detail }));
  }

  #remember() {
    if (this.#video.seeking) return;
    this.#soughtS = null;
    this.#lastS = this.#reading.placeS;
    this.#hadEnded = this.#video.ended;
    this.#wasStuck = isShortOfData(this.#video, this.#lastS, this.#length.seconds);
  }

  #forget() {
    this.#runs = false;
    this.#soughtS = null;
    this.#lastS = 0;
    this.#hadEnded = false;
    this.#wasStuck = true;
  }
}

function isNear(oneS, otherS) {
  return Math.abs(oneS - otherS) < SEEK_LEAST_S;
}
