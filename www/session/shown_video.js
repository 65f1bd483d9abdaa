// Shows what the showing is of, and learns when that has become another film than it was: a file that was cut short and
// is whole by now, one whose length nobody knew. The server tells sessions and no page, so a page asks where the
// showing is not where the film that it knows can be: beyond its end, or at an end elsewhere.

const ELSEWHERE_S = 1;
const END_HEARD_MS = 1_000; // after the end; by then `ended` has come, where it is one

export class ShownVideo {
  #key;
  #room;
  #source;
  #library;
  #askSession;
  #onShow;
  #timers;
  #id = null; // the newest that was asked for
  #endTimer = null;

  // askSession(): resolves to the entry of the session's video, or null. onShow(entry): it is this one from now on.
  // timers: other ones for tests.
  constructor({ key, room, source, library, askSession, onShow, timers = { setTimeout: (...a) => setTimeout(...a), clearTimeout: (id) => clearTimeout(id) } }) {
    this.#key = key;
    this.#room = room;
    this.#source = source;
    this.#library = library;
    this.#askSession = askSession;
    this.#onShow = onShow;
    this.#timers = timers;
    room.addEventListener('state', ({ detail: { state, previous } }) => {
      if (state.video !== previous?.video) this.#show(state.video, room.timeline.positionAt(room.serverTimeMs()));
      else this.#judge(state);
      this.#awaitEnd(state);
    });
  }

  // What the film is by now, which is played anew where the file has become another. Resolves to whether it has.
  async learn() {
    const id = this.#id;
    const before = this.#library.find(id);
    await this.#learnFromSession(id);
    const entry = this.#library.find(id);
    if (!entry || entry.id !== this.#source.current?.id) return false;
    const isOther = entry.bytes !== before?.bytes;
    this.#source.renew(entry, { isOther });
    return isOther;
  }

  // positionS: where the showing is.
  async #show(id, positionS) {
    if (!id) return;
    this.#id = id;
    const entry = await this.#entryOf(id);
    if (this.#id !== id) return; // another one was loaded meanwhile
    this.#source.load(entry, positionS);
    this.#onShow(entry);
  }

  // The gate may have loaded it already. A video that came into the library after this page did is looked
  // up anew.
  async #entryOf(id) {
    const { current } = this.#source;
    if (current?.id === id) {
      if (!this.#library.find(id)) this.#library.learn(current);
      return current;
    }
    if (!this.#library.find(id)) await this.#library.refresh();
    if (!this.#library.find(id)) await this.#learnFromSession(id);
    return this.#library.find(id) ?? { id, title: id, url: `/api/video?session=${encodeURIComponent(this.#key)}`, captions: [] };
  }

  // The list has a part of a large library; the session tells of the video that it shows.
  async #learnFromSession(id) {
    const entry = await this.#askSession();
    if (entry?.id === id) this.#library.learn(entry);
  }

  get #lengthS() {
    return this.#library.find(this.#id)?.duration ?? Infinity;
  }

  #judge({ cause, position }) {
    const isBeyond = position > this.#lengthS + ELSEWHERE_S;
    const isOtherEnd = cause === 'ended' && !(Math.abs(position - this.#lengthS) < ELSEWHERE_S);
    if (isBeyond || isOtherEnd) this.learn();
  }

  // It plays on beyond what was its end.
  #awaitEnd(state) {
    this.#timers.clearTimeout(this.#endTimer);
    if (!state.playing || !Number.isFinite(this.#lengthS)) return;
    const leftS = (this.#lengthS - state.position) / state.rate;
    const untilMs = state.atMs + leftS * 1_000 - this.#room.serverTimeMs();
    if (!(untilMs < 2 ** 31 - 1 - END_HEARD_MS)) return;
    this.#endTimer = this.#timers.setTimeout(() => this.#room.timeline.state?.playing && this.learn(), Math.max(0, untilMs) + END_HEARD_MS);
  }
}
