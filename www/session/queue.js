// What the session is going to watch, as the server last told it.
//
// Pure. Queues are ordered by (epoch, version); a long one comes in several messages, each but the first with
// `from`: how many items come before its list.

export class Queue {
  /** @type {Contract.FromServer.queue['list']} */
  #list = [];
  /** @type {{epoch: number, version: number} | null} */
  #place = null; // null: nothing was told on this connection

  // [{item, video, title, by}]; by: {id, name}, or null where the service has added it.
  get list() {
    return this.#list;
  }

  // A new connection begins with nothing.
  clear() {
    this.#list = [];
    this.#place = null;
  }

  // Returns whether it changed anything.
  /** @param {Contract.FromServer.queue} message */
  accept({ epoch, version, list, from }) {
    const order = this.#place ? epoch - this.#place.epoch || version - this.#place.version : 1;
    if (from !== undefined) {
      if (order !== 0 || from !== this.#list.length) return false;
      this.#list = [...this.#list, ...list];
      return true;
    }
    if (order <= 0) return false;
    this.#place = { epoch, version };
    this.#list = list;
    return true;
  }
}
