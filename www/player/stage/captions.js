// Which captions are shown. The choice is remembered in this browser and made again for every video
// that has the language.
import { preference, setPreference } from '../../memory.js';

const OFF = 'off';

export class Captions {
  #video;

  constructor(video) {
    this.#video = video;
    video.textTracks.addEventListener('addtrack', () => this.#restore());
    this.#restore();
  }

  get tracks() {
    return [...this.#video.textTracks].filter(({ kind }) => kind === 'captions' || kind === 'subtitles');
  }

  get shown() {
    return this.tracks.find(({ mode }) => mode === 'showing') ?? null;
  }

  // Whether what is shown is pictures (PictureCaptions).
  get arePictures() {
    const { shown } = this;
    return [...this.#video.querySelectorAll('track[data-pictures]')].some(({ track }) => track === shown);
  }

  // Off, or those that were last chosen, or those in a language of the viewer's, or the first.
  toggle() {
    const next = this.shown ? null : (this.#remembered() ?? this.#understood() ?? this.tracks[0] ?? null);
    this.#show(next);
    this.remember();
  }

  remember() {
    if (this.tracks.length === 0) return;
    setPreference('captions', this.shown ? languageOf(this.shown) : OFF);
    if (this.shown) setPreference('captionsLanguage', languageOf(this.shown));
  }

  #restore() {
    const wanted = preference('captions');
    if (wanted === null || wanted === OFF) return;
    const track = this.tracks.find((one) => languageOf(one) === wanted);
    if (track) this.#show(track);
  }

  #remembered() {
    const wanted = preference('captionsLanguage');
    return this.tracks.find((track) => languageOf(track) === wanted);
  }

  #understood() {
    const spoken = (globalThis.navigator?.languages ?? []).map(primaryOf);
    const found = spoken.map((one) => this.tracks.find(({ language }) => primaryOf(language) === one));
    return found.find((track) => track !== undefined);
  }

  #show(track) {
    for (const one of this.tracks) one.mode = one === track ? 'showing' : 'disabled';
  }
}

// The language of a tag such as "pt-BR", whatever its script and region.
const primaryOf = (tag) => tag.split('-', 1)[0].toLowerCase();

function languageOf({ language, label }) {
  return language || label;
}
