// The parts of subtitles that are pictures: exactly those that are wanted now are held, or on their way. What is not
// wanted any more is let go, its request too. A part that cannot be had for now is asked for again, when the server
// says (Retry-After), or else ever less often; one that cannot be had at all (4xx) is not, while it is wanted.
import { refusalOf } from '../playback/refusal_of_film.js';

const RETRY_FIRST_MS = 2_000;
const RETRY_LONGEST_MS = 30_000; // without a word of the server's

async function imageOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: 'image/png' }));
}

// Resolves to {width, height, cues}; rejects with a `refusal` {status, retryAfterMs} where the server has said no.
async function fetchPart(url, signal) {
  const response = await fetch(url, { signal });
  if (!response.ok) throw Object.assign(new Error(url), { refusal: whatItSaid(response) });
  const part = await response.json();
  const cues = await Promise.all(part.cues.map(async (cue) => ({ ...cue, image: await imageOf(cue.image) })));
  return { ...part, cues };
}

function whatItSaid(response) {
  const { status, retryAfterMs } = refusalOf(response);
  return { status, retryAfterMs: response.headers.has('Retry-After') ? retryAfterMs : null };
}

export class PictureParts {
  #onCame;
  #fetchPart;
  #timers;
  #random;
  #held = new Map(); // url -> {part: null until it is there, abort, failures, timer}

  // onCame(): another one is there. The rest: other ones for tests.
  constructor(onCame, { fetchPart: fetchOne = fetchPart, random = Math.random, timers = globalThis } = {}) {
    this.#onCame = onCame;
    this.#fetchPart = fetchOne;
    this.#random = random;
    this.#timers = timers;
  }

  // {width, height, cues: [{from, to, x, y, w, h, image}]}, or null.
  get(url) {
    return this.#held.get(url)?.part ?? null;
  }

  // These, and no others.
  want(urls) {
    for (const url of [...this.#held.keys()]) if (!urls.includes(url)) this.#drop(url);
    for (const url of urls) if (!this.#held.has(url)) this.#add(url);
  }

  #add(url) {
    const one = { part: null, abort: new AbortController(), failures: 0, timer: null };
    this.#held.set(url, one);
    this.#load(url, one);
  }

  async #load(url, one) {
    try {
      const part = await this.#fetchPart(url, one.abort.signal);
      if (this.#held.get(url) !== one) return close(part); // nobody wants it any more
      one.part = part;
      this.#onCame();
    } catch ({ refusal }) {
      if (this.#held.get(url) === one) this.#loadLater(url, one, refusal);
    }
  }

  #loadLater(url, one, refusal) {
    if (refusal?.status < 500) return;
    const ownMs = Math.min(RETRY_FIRST_MS * 2 ** one.failures, RETRY_LONGEST_MS);
    const delayMs = (refusal?.retryAfterMs ?? ownMs) * (0.5 + this.#random());
    one.failures += 1;
    one.timer = this.#timers.setTimeout(() => this.#load(url, one), delayMs);
  }

  #drop(url) {
    const one = this.#held.get(url);
    this.#held.delete(url);
    one.abort.abort();
    this.#timers.clearTimeout(one.timer);
    close(one.part);
  }
}

function close(part) {
  for (const { image } of part?.cues ?? []) image.close();
}
