// Shows what the showing is of, and learns when that has become another film than it was: a file that was cut short and
// is whole by now, one whose length nobody knew. The server tells sessions and no page, so a page asks where the
// showing is not where the film that it knows can be: beyond its end, or at an end elsewhere. All pages of a showing
// see that at once, so each asks at a moment of its own.
import { isWebFilm, webFilm } from '../web_film.js';

const ELSEWHERE_S = 1;
const END_HEARD_MS = 1_000; // after the end; by then `ended` has come, where it is one
const SPREAD_MS = 3_000; // within which the pages ask

export class ShownVideo {
  #key;
  #room;
  #source;
  #library;
  #askSession;
  #onShow;
  #timers;
  #random;
  #id = null; // the newest that was asked for
  #learning = null; // {id, promise} of the question that is on its way
  #askTimer = null; // set while a state that tells of another film waits for its question
  #endTimer = null;

  // askSession(): resolves to the entry of the session's video, or null. onShow(entry): it is this one from now on.
  // timers, random: other ones for tests.
  constructor({
    key, room, source, library, askSession, onShow, random = Math.random,
    timers = { setTimeout: (act, ms) => setTimeout(act, ms), clearTimeout: (id) => clearTimeout(id) },
  }) {
    this.#key = key;
    this.#room = room;
    this.#source = source;
    this.#library = library;
    this.#askSession = askSession;
    this.#onShow = onShow;
    this.#timers = timers;
    this.#random = random;
    room.addEventListener('state', ({ detail: { state, previous } }) => {
      if (state.video !== previous?.video) this.#show(state.video, room.timeline.positionAt(room.serverTimeMs()));
      else this.#judge(state);
      this.#awaitEnd(state);
    });
  }

  // What the film is by now, which is played anew where the file has become another. Resolves to whether it has.
  learn() {
    const id = this.#id;
    if (this.#learning?.id === id) return this.#learning.promise;
    const learning = { id, promise: this.#learnOf(id).finally(() => this.#learning === learning && (this.#learning = null)) };
    this.#learning = learning;
    return learning.promise;
  }

  // By what is played: the list may have been told of the change already, or not have the film at all.
  async #learnOf(id) {
    const entry = await this.#learnFromSession(id);
    const { current } = this.#source;
    if (!entry || this.#id !== id || current?.id !== id) return false;
    const isOther = isOtherFile(entry, current);
    this.#source.renew(entry, { isOther });
    return isOther;
  }

  // positionS: where the showing is.
  async #show(id, positionS) {
    if (!id) return;
    this.#id = id;
    this.#timers.clearTimeout(this.#askTimer);
    this.#askTimer = null;
    const entry = await this.#entryOf(id);
    if (this.#id !== id) return; // another one was loaded meanwhile
    this.#source.load(entry, positionS);
    this.#onShow(entry);
  }

  // The gate may have loaded it already. A video that came into the library after this page did is looked
  // up anew.
  async #entryOf(id) {
    const { current } = this.#source;
    if (isWebFilm(id)) return webFilm(id);
    if (current?.id === id) {
      if (!this.#library.find(id)) this.#library.learn(current);
      return current;
    }
    if (!this.#library.find(id)) await this.#library.refresh();
    if (!this.#library.find(id)) await this.#learnFromSession(id);
    return this.#library.find(id) ?? { id, title: id, url: `/api/video?session=${encodeURIComponent(this.#key)}`, captions: [] };
  }

  // The list has a part of a large library; the session tells of the video that it shows. Null where it shows another.
  async #learnFromSession(id) {
    const entry = await this.#askSession();
    if (entry?.id !== id) return null;
    this.#library.learn(entry);
    return entry;
  }

  get #lengthS() {
    return this.#library.find(this.#id)?.duration ?? Infinity;
  }

  #judge({ cause, position }) {
    const isBeyond = position > this.#lengthS + ELSEWHERE_S;
    const isOtherEnd = cause === 'ended' && !(Math.abs(position - this.#lengthS) < ELSEWHERE_S);
    if (isBeyond || isOtherEnd) this.#learnSoon();
  }

  // Whatever comes meanwhile: what was seen was no film as this page knows it.
  #learnSoon() {
    this.#askTimer ??= this.#timers.setTimeout(() => {
      this.#askTimer = null;
      this.learn();
    }, this.#random() * SPREAD_MS);
  }

  // It plays on beyond what was its end.
  #awaitEnd(state) {
    this.#timers.clearTimeout(this.#endTimer);
    if (!state.playing || !Number.isFinite(this.#lengthS)) return;
    const leftS = (this.#lengthS - state.position) / state.rate;
    const untilMs = state.atMs + leftS * 1_000 - this.#room.serverTimeMs();
    if (!(untilMs < 2 ** 31 - 1 - END_HEARD_MS - SPREAD_MS)) return;
    const delayMs = Math.max(0, untilMs) + END_HEARD_MS + this.#random() * SPREAD_MS;
    this.#endTimer = this.#timers.setTimeout(() => this.#room.timeline.state?.playing && this.learn(), delayMs);
  }
}

// The URLs of what is made of a film name its file's version; a film of which nothing is made is told by its size.
function isOtherFile(entry, played) {
  const [version, playedVersion] = [versionOf(entry), versionOf(played)];
  return version && playedVersion ? version !== playedVersion : entry.bytes !== played.bytes;
}

function versionOf({ forms = [] }) {
  return forms.find(({ form }) => form !== 'file')?.url.replace(/[^/]*$/, '');
}
