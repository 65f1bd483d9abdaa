// Asks whether the rest of a film that breaks off has come meanwhile: for as long as somebody looks at that end, ever
// less often, and not in step with the others, for all viewers of a showing come to such an end at once.

const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;

export class RestWatch {
  #breaksOff;
  #mayAsk;
  #learn;
  #page;
  #timers;
  #random;
  #timer = null;
  #unchanged = 0; // answers, one after the other, that said what was known

  // breaksOff(): whether the film does, here. mayAsk(): whether this page wants to know. learn(): asks; resolves to
  // whether the film has become another one. page, timers, random: other ones for tests.
  constructor({
    breaksOff, mayAsk, learn, page = document, random = Math.random,
    timers = { setTimeout: (act, ms) => setTimeout(act, ms), clearTimeout: (id) => clearTimeout(id) },
  }) {
    this.#breaksOff = breaksOff;
    this.#mayAsk = mayAsk;
    this.#learn = learn;
    this.#page = page;
    this.#timers = timers;
    this.#random = random;
    // Who comes back looks at it anew.
    page.addEventListener('visibilitychange', () => !page.hidden && this.#begin());
    this.#begin();
  }

  #begin() {
    this.#unchanged = 0;
    this.#wait();
  }

  #wait() {
    this.#timers.clearTimeout(this.#timer);
    const delayMs = Math.min(FIRST_MS * 2 ** this.#unchanged, LONGEST_MS) * (0.5 + this.#random());
    const timer = this.#timers.setTimeout(() => this.#look(timer), delayMs);
    this.#timer = timer;
  }

  async #look(timer) {
    if (!this.#breaksOff()) this.#unchanged = 0;
    else if (!this.#page.hidden && this.#mayAsk()) this.#unchanged = (await this.#learn()) ? 0 : this.#unchanged + 1;
    if (timer === this.#timer) this.#wait(); // else it was begun anew meanwhile
  }
}
