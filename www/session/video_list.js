// The server's videos as it last told them: the first of them, or of those with certain words. A server takes
// new files in by itself and tells nobody: whoever shows the list refreshes it. Emits 'change' when it is another
// one.
import { videos } from './api.js';

const VIDEOS_MAX = 200;

export class VideoList extends EventTarget {
  #fetchList;
  #list = [];
  #hasMore = false;
  #words = '';
  #order = 'title';
  #learned = new Map(); // what is known of videos that the list may not have, by id
  #asked = 0;
  #shown = 0; // which of the questions the list answers
  #asksPassword = false;

  // fetchList({query, order, limit}): another one for tests.
  constructor(fetchList = videos) {
    super();
    this.#fetchList = fetchList;
  }

  // [{id, title, url, ...}]
  get list() {
    return this.#list;
  }

  // Whether there are more that are looked for than it has.
  get hasMore() {
    return this.#hasMore;
  }

  // Whether the server lists them for its password alone, which this browser has not told yet.
  get asksPassword() {
    return this.#asksPassword;
  }

  // Whether it shows a part of the videos.
  get isPart() {
    return this.#hasMore || this.#words !== '';
  }

  find(id) {
    return this.#list.find((entry) => entry.id === id) ?? this.#learned.get(id);
  }

  // A video's entry that came another way, and is newer.
  learn(entry) {
    this.#learned.set(entry.id, entry);
    this.#list = this.#list.map((known) => (known.id === entry.id ? entry : known));
    this.dispatchEvent(new Event('change'));
  }

  // Those whose titles have the words; '' for all. As refresh().
  search(words) {
    this.#words = words.trim();
    return this.refresh();
  }

  // order: 'title' or 'newest'. As refresh().
  sort(order) {
    this.#order = order;
    return this.refresh();
  }

  // Resolves when the list is as the server tells it now; as it was where that cannot be had.
  async refresh() {
    this.#asked += 1;
    const question = this.#asked;
    let fault = null;
    const answer = await this.#fetchList({ query: this.#words, order: this.#order, limit: VIDEOS_MAX }).catch((error) => void (fault = error));
    if (!answer) return this.#hearFault(fault);
    if (question < this.#shown) return;
    this.#shown = question;
    const hasMore = answer.next !== undefined;
    const isSame = !this.#asksPassword && hasMore === this.#hasMore && JSON.stringify(answer.videos) === JSON.stringify(this.#list);
    this.#list = answer.videos;
    this.#hasMore = hasMore;
    this.#asksPassword = false;
    if (!isSame) this.dispatchEvent(new Event('change'));
  }

  #hearFault({ code }) {
    if (code !== 'password_required' || this.#asksPassword) return;
    this.#asksPassword = true;
    this.dispatchEvent(new Event('change'));
  }
}
