// How captions are shown to this viewer: how large, where, and how much later than their film says. Size and place are
// remembered in this browser; a delay for its film alone, for it mends what is wrong with that one's subtitles.
// Emits 'change'.
import { preference, setPreference } from '../../memory.js';

export const SIZES = [50, 75, 100, 125, 150, 200]; // percent of what the browser takes
export const PLACES = /** @type {const} */ (['bottom', 'raised', 'top']);
const STEP_MS = 100;
const DELAY_MAX_MS = 60_000;
const DELAYS = 'captionsDelays'; // [[film's id, ms]], the newest last
const DELAYS_MAX = 100;

export class CaptionLook extends EventTarget {
  #size = chosenOf(SIZES, Number(preference('captionsSize')), 100);
  #place = chosenOf(PLACES, preference('captionsPlace'), 'bottom');
  #film = null;
  #delayMs = 0;

  get size() {
    return this.#size;
  }

  get place() {
    return this.#place;
  }

  get delayMs() {
    return this.#delayMs;
  }

  // id: of the film that is loaded.
  open(id) {
    if (id === this.#film) return;
    this.#film = id;
    this.#delayMs = keptDelays().find(([film]) => film === id)?.[1] ?? 0;
    this.#changed();
  }

  // steps: 1 or -1. At the largest and the smallest nothing changes.
  resize(steps) {
    const next = SIZES[SIZES.indexOf(this.#size) + steps];
    if (next === undefined) return;
    this.#size = next;
    setPreference('captionsSize', next === 100 ? null : next);
    this.#changed();
  }

  moveTo(place) {
    this.#place = place;
    setPreference('captionsPlace', place === PLACES[0] ? null : place);
    this.#changed();
  }

  moveOn() {
    this.moveTo(PLACES[(PLACES.indexOf(this.#place) + 1) % PLACES.length]);
  }

  // steps: of a tenth of a second; positive: they come later.
  delayBy(steps) {
    this.setDelay(this.#delayMs + steps * STEP_MS);
  }

  setDelay(delayMs) {
    this.#delayMs = Math.max(-DELAY_MAX_MS, Math.min(delayMs, DELAY_MAX_MS));
    if (this.#film !== null) keepDelay(this.#film, this.#delayMs);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

function chosenOf(all, wanted, usual) {
  return all.includes(wanted) ? wanted : usual;
}

function keptDelays() {
  try {
    const kept = JSON.parse(preference(DELAYS) ?? '[]');
    return kept.filter(([film, ms]) => typeof film === 'string' && Math.abs(ms) <= DELAY_MAX_MS);
  } catch {
    return [];
  }
}

function keepDelay(film, delayMs) {
  const others = keptDelays().filter(([one]) => one !== film);
  const all = delayMs === 0 ? others : [...others, [film, delayMs]].slice(-DELAYS_MAX);
  setPreference(DELAYS, all.length > 0 ? JSON.stringify(all) : null);
}
