// The keys of keyboards, headphones and lock screens, by the browser's Media Session: what they ask
// for is asked of the shared playback, and what the system shows is the showing.
import { onMediaKey } from './act.js';

const STEP_S = 10; // where the system does not say how far
const REFRESH_MS = 5_000; // how long the system may run on by itself

export class MediaKeys {
  /** @type {Room} */
  #room;
  #playback;
  #source;
  #session;

  // playback: a SharedPlayback; source: its `current` entry has title and poster.
  // session, every(action, ms): navigator.mediaSession and setInterval, other ones for tests.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, playback, source, session = navigator.mediaSession, every = (act, ms) => setInterval(act, ms) }) {
    this.#room = room;
    this.#playback = playback;
    this.#source = source;
    this.#session = session;
    if (!session) return;
    this.#bind();
    room.addEventListener('state', () => this.#show());
    playback.addEventListener('change', () => session.playbackState !== this.#playbackState && this.#show());
    every(() => this.#show(), REFRESH_MS);
  }

  #bind() {
    const playback = this.#playback;
    const on = (action, handler) => onMediaKey(this.#session, action, handler);
    on('play', (act) => playback.play(act));
    on('pause', (act) => playback.pause(act));
    on('stop', (act) => playback.pause(act));
    on('seekbackward', (act, { seekOffset }) => playback.seekBy(act, -(seekOffset || STEP_S)));
    on('seekforward', (act, { seekOffset }) => playback.seekBy(act, seekOffset || STEP_S));
    on('seekto', (act, { seekTime, fastSeek }) => !fastSeek && playback.seekTo(act, seekTime));
  }

  #show() {
    if (!this.#room.timeline.state) return;
    this.#showTitle();
    this.#session.playbackState = this.#playbackState;
    const { position, rate, durationS } = this.#playback;
    if (!Number.isFinite(durationS) || !(position >= 0 && position <= durationS)) return;
    this.#session.setPositionState?.({ duration: durationS, position, playbackRate: rate });
  }

  get #playbackState() {
    return this.#playback.playing ? 'playing' : 'paused';
  }

  #showTitle() {
    const { title = '', poster } = this.#source.current ?? {};
    if (this.#session.metadata?.title === title || typeof MediaMetadata === 'undefined') return;
    const artwork = poster ? [{ src: new URL(poster, location.href).href }] : [];
    this.#session.metadata = new MediaMetadata({ title, artist: 'VideoSync', artwork });
  }
}
