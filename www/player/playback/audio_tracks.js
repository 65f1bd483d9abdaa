// Which of a film's sounds is heard. Emits 'change' when what is read here may have changed, and 'choice' with the
// language, when the viewer chose one.
//
// A choice is one of a language, so that it holds in the next film, too. What the viewer chose on this page counts
// first, then what the host chose for all, then what the viewer chose on another day, then the film's own default.
// A browser plays one sound of a file, and each takes another one; so a file is played as it is only where that must
// be the right one (forms.js), and else as a stream, whose sounds are told apart.
import { preference, setPreference } from '../../memory.js';

const NAME = 'audioLanguage';

// tag: as a film has it ('ger', 'de-AT'). '' where it says nothing.
export function languageOf(tag) {
  try {
    const { language } = new Intl.Locale(tag);
    return language === 'und' ? '' : (language ?? '');
  } catch {
    return '';
  }
}

export class AudioTracks extends EventTarget {
  #list = []; // of the film, [{index?, lang, label, isDefault}]
  #hls = null;
  #chosen = null; // on this page: {language, list, place}
  #shared = ''; // by the host

  // [{id, lang, label, codec?, channels?}], in the film's order.
  get tracks() {
    return this.#list.map(({ lang, label, codec, channels }, i) => ({ id: String(i), lang, label, codec, channels }));
  }

  // The place of the one that is to be heard; 0 where there is none.
  get wanted() {
    if (this.#chosen?.list === this.#list) return this.#chosen.place;
    for (const language of [this.#chosen?.language, this.#shared, preference(NAME)]) {
      const place = language ? this.#list.findIndex(({ lang }) => languageOf(lang) === language) : -1;
      if (place >= 0) return place;
    }
    return Math.max(0, this.#list.findIndex(({ isDefault }) => isDefault));
  }

  // tracks: of the library's entry.
  open(tracks) {
    this.#list = (tracks?.audio ?? []).map((one) => ({ ...one, isDefault: one.default }));
    this.#changed();
  }

  // id: of `tracks`.
  select(id) {
    const place = Number(id);
    if (!this.#list[place] || place === this.wanted) return;
    const language = languageOf(this.#list[place].lang);
    this.#chosen = { language, list: this.#list, place };
    if (language) setPreference(NAME, language);
    this.#changed();
    this.dispatchEvent(new CustomEvent('choice', { detail: language }));
  }

  // language: the host's choice; '' or undefined: none.
  share(language) {
    const now = languageOf(language ?? '');
    if (now === this.#shared) return;
    this.#shared = now;
    this.#changed();
  }

  // hls: the hls.js player that is loading, null for none; events: Hls.Events.
  follow(hls, events) {
    this.#hls = hls;
    if (!hls) return;
    hls.on(events.AUDIO_TRACKS_UPDATED, () => {
      if (this.#hls !== hls) return;
      // What is known of the film tells more than its playlist; a packaged stream has its playlist alone.
      if (this.#list.length === 0) this.#list = hls.audioTracks.map(ofPlaylist);
      this.#changed();
    });
  }

  #changed() {
    const hls = this.#hls;
    const place = hls?.audioTracks.length > 1 ? this.#placeIn(hls.audioTracks) : -1;
    if (place >= 0 && place !== hls.audioTrack) hls.audioTrack = place;
    this.dispatchEvent(new Event('change'));
  }

  // The server names a sound after its place in the file.
  #placeIn(audioTracks) {
    const { index } = this.#list[this.wanted] ?? {};
    if (index === undefined) return this.wanted;
    return audioTracks.findIndex(({ url }) => new RegExp(`/sound-${index}(-6)?/`).test(url));
  }
}

const ofPlaylist = ({ lang = '', name, default: isDefault }) => ({ lang, label: name, isDefault });

// Whether every browser that plays this file as it is plays the sound at that place. Some take the first one, some
// that which is marked, some the first that they know.
export function isHeardAlone({ audio = [] }, place) {
  return audio.length < 2 || (place === 0 && audio.every((one, i) => i === 0 || !one.default));
}
