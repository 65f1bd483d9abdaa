// Whether what a player lacks is still being made ready by the server, and since when.
//
// A form of a film is made when somebody asks: a first byte that does not come is then no slow line. Where the machine
// has too much to do, or the film's file cannot be read for now, the server says so (503), and it goes on later.
// Emits 'change' when the server refuses, or does not any more.

const SLOW_AFTER_MS = 800; // what is there already comes faster, over most lines

const PLAYLISTS = { manifest: 'MANIFEST', level: 'LEVEL', audioTrack: 'AUDIO_TRACK' }; // by hls.js's word for each

export class Preparation extends EventTarget {
  #asked = new Map(); // kind of what was asked for -> {stats?, sinceMs}, the newest of its kind
  #refused = null; // {reason, sinceMs} since the server last said no
  #hls = null;
  #now;

  constructor({ now = () => performance.now() } = {}) {
    super();
    this.#now = now;
  }

  // null, or {reason, sinceMs}: 'preparing', 'busy' (too much is being made) or 'unreadable' (the file, for now).
  get state() {
    if (this.#refused) return this.#refused;
    const sinceMs = Math.min(...this.#unanswered.map((one) => one.sinceMs));
    return this.#now() - sinceMs >= SLOW_AFTER_MS ? { reason: 'preparing', sinceMs } : null;
  }

  // Whether it may be so: the server has not begun to answer, however soon it may.
  get isPossible() {
    return this.#refused !== null || this.#unanswered.length > 0;
  }

  get #unanswered() {
    return [...this.#asked.values()].filter(({ stats }) => !stats?.loading.first);
  }

  // hls: the hls.js player that is loading what is made on demand, null for none; events: Hls.Events.
  follow(hls, events) {
    this.#hls = hls;
    this.#asked.clear();
    if (!hls) return;
    const on = (type, act) => hls.on(events[type], (_, data) => this.#hls === hls && act(data));
    for (const kind of ['MANIFEST', 'LEVEL', 'AUDIO_TRACK']) {
      on(`${kind}_LOADING`, () => this.#ask(kind));
      on(`${kind}_LOADED`, () => this.#came(kind));
    }
    on('FRAG_LOADING', ({ frag }) => this.#ask(frag.type, frag.stats));
    on('FRAG_LOADED', ({ frag }) => this.#came(frag.type));
    on('ERROR', (data) => this.#asked.delete(kindThatFailed(data)));
  }

  // The server said no, for `reason`.
  refuse(reason) {
    if (this.#refused?.reason === reason) return;
    this.#refused = { reason, sinceMs: this.#refused?.sinceMs ?? this.#now() };
    this.dispatchEvent(new Event('change'));
  }

  // It has answered again, or is asked no more.
  relent() {
    if (!this.#refused) return;
    this.#refused = null;
    this.dispatchEvent(new Event('change'));
  }

  // A seek leaves one behind without a word: the next of its kind takes its place.
  #ask(kind, stats) {
    this.#asked.set(kind, { stats, sinceMs: this.#now() });
  }

  #came(kind) {
    this.#asked.delete(kind);
    this.relent();
  }
}

// What an error is of: the playlist that its request was for, or its segment; some say it by their name alone.
function kindThatFailed({ context, frag, details }) {
  const [, named] = /^(manifest|level|audioTrack)(?:Load|Parsing|Empty|Incompatible)/.exec(details ?? '') ?? [];
  return PLAYLISTS[context?.type] ?? frag?.type ?? PLAYLISTS[named];
}
