// The server's videos as it last told them. A server reads its folder anew when its operator wants it,
// and tells nobody: whoever shows the list refreshes it. Emits 'change' when it is another one.
import { videos } from './api.js';

export class VideoList extends EventTarget {
  #fetchList;
  #list = [];
  #asked = 0;
  #shown = 0; // which of the questions the list answers

  // fetchList(): another one for tests.
  constructor(fetchList = videos) {
    super();
    this.#fetchList = fetchList;
  }

  // [{id, title, url, ...}]
  get list() {
    return this.#list;
  }

  find(id) {
    return this.#list.find((entry) => entry.id === id);
  }

  // Resolves when the list is as the server tells it now; as it was where that cannot be had.
  async refresh() {
    this.#asked += 1;
    const question = this.#asked;
    const list = await this.#fetchList().catch(() => null);
    if (!list || question < this.#shown) return;
    this.#shown = question;
    const isSame = JSON.stringify(list) === JSON.stringify(this.#list);
    this.#list = list;
    if (!isSame) this.dispatchEvent(new Event('change'));
  }
}
