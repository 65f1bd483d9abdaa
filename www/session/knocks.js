// Who waits at the door until the host lets them in, as the server tells its host. Pure.

const KNOWN_FOR_MS = 30_000; // the server tells of each again and again while they wait

export class Knocks {
  /** @type {Map<string, {name: string, heardMs: number}>} */
  #waiting = new Map();

  // [{id, name}], in the order in which they came.
  get list() {
    return [...this.#waiting].map(([id, { name }]) => ({ id, name }));
  }

  // Returns whether the list is another.
  /** @param {Contract.FromServer.knock} message @param {number} nowMs */
  accept({ id, name, gone }, nowMs) {
    if (gone) return this.#waiting.delete(id);
    const before = this.#waiting.get(id);
    this.#waiting.set(id, { name, heardMs: nowMs });
    return before?.name !== name;
  }

  // Of whom nothing has been heard for long. Returns as accept().
  forgetSilent(nowMs) {
    const silent = [...this.#waiting].filter(([, { heardMs }]) => nowMs - heardMs > KNOWN_FOR_MS);
    for (const [id] of silent) this.#waiting.delete(id);
    return silent.length > 0;
  }

  clear() {
    const wasEmpty = this.#waiting.size === 0;
    this.#waiting.clear();
    return !wasEmpty;
  }
}
