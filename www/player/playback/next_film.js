// Fetches the beginning of what comes next while the last half minute of a film runs, so that it is there when it
// begins: into an element that nobody sees, in the form that this browser would play. What one element has fetched of
// an address a browser has for the next one, by its cache at least.
import { make } from '../../dom.js';
import { VideoSource } from './video_source.js';

const AHEAD_S = 30;
const HAVE_FUTURE_DATA = 3;
const ALIKE_MAX = 50; // films of one title

export class NextFilm {
  /** @type {Room} */
  #room;
  #video;
  #source;
  #playback;
  #library;
  #openSource;
  #search;
  #wanted = null; // {video: its id, title}
  #ahead = null; // {id, source}
  #sought = null; // the id of what the library's list did not have; it is asked for once

  // source, playback: what `video` plays, and how far. library: a VideoList. search({query, limit}): in all of the server's videos.
  // openSource(): another one for tests.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, video, source, playback, library, search, openSource = openUnseen }) {
    this.#room = room;
    this.#video = video;
    this.#source = source;
    this.#playback = playback;
    this.#library = library;
    this.#openSource = openSource;
    this.#search = search;
    // By then it has what was fetched.
    video.addEventListener('loadeddata', () => this.#ahead?.id === source.current?.id && this.#drop());
  }

  // To be called often; cheap.
  look() {
    this.#wanted = this.#next();
    const id = this.#wanted?.video;
    if (this.#ahead && this.#ahead.id !== id && this.#ahead.id !== this.#source.current?.id) this.#drop();
    if (!id || this.#ahead) return;
    if (this.#library.find(id)) this.#fetch(this.#library.find(id));
    else if (this.#sought !== id) this.#lookUp(this.#wanted);
  }

  // What is about to begin; null: nothing so far, or there is enough to do with what is on, or little to spend.
  #next() {
    const { upNext, queue, connection } = this.#room;
    if (connection.phase.name !== 'open' || globalThis.navigator?.connection?.saveData) return null;
    const next = upNext ?? (this.#isAboutOver() ? queue.list[0] : null);
    return next && next.video !== this.#source.current?.id ? next : null;
  }

  #isAboutOver() {
    const leftS = this.#playback.durationS - this.#video.currentTime;
    return leftS < AHEAD_S && (this.#video.readyState >= HAVE_FUTURE_DATA || this.#video.ended);
  }

  // Who shows it will ask the library's list, too.
  async #lookUp({ video, title }) {
    this.#sought = video;
    const answer = await this.#search({ query: title ?? '', limit: ALIKE_MAX }).catch(() => null);
    const entry = answer?.videos.find(({ id }) => id === video);
    if (entry) this.#library.learn(entry);
  }

  #fetch(entry) {
    const source = this.#openSource();
    this.#ahead = { id: entry.id, source };
    source.audio.share(this.#room.settings.audioLanguage);
    source.load(entry);
  }

  #drop() {
    this.#ahead.source.close();
    this.#ahead = null;
  }
}

const openUnseen = () => new VideoSource(make('video', { preload: 'auto', muted: '' }));
