// Who came and who went, as few lines: gathered for a moment, so that many at once are one line and
// who comes right back is none.

const GATHER_MS = 1_500;
const CROWD = 50; // in a session beyond this size the lines would be all there is

export class Arrivals {
  #say;
  #timers;
  #joined = new Map(); // id -> name
  #left = new Map();
  #timer = null;

  // say({joined, left}): lists of names, at least one of them not empty.
  constructor(say, timers = { setTimeout: (act, ms) => setTimeout(act, ms) }) {
    this.#say = say;
    this.#timers = timers;
  }

  // joined, left: lists of {id, name}; count: of members by now; youId is not told of.
  note({ joined, left }, count, youId) {
    if (count > CROWD) return;
    for (const { id, name } of left) if (!this.#joined.delete(id)) this.#left.set(id, name);
    for (const { id, name } of joined) {
      if (id !== youId && !this.#left.delete(id)) this.#joined.set(id, name);
    }
    if (this.#joined.size + this.#left.size > 0) this.#timer ??= this.#timers.setTimeout(() => this.#onTime(), GATHER_MS);
  }

  // Before what `id` says is shown: who has just come is told of first.
  beforeWordsOf(id) {
    if (this.#joined.has(id)) this.#tell();
  }

  #onTime() {
    this.#timer = null;
    this.#tell();
  }

  #tell() {
    const [joined, left] = [[...this.#joined.values()], [...this.#left.values()]];
    this.#joined.clear();
    this.#left.clear();
    if (joined.length + left.length > 0) this.#say({ joined, left });
  }
}
