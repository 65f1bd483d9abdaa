// Under the library: a field for the address of a film elsewhere, where the operator allows some site's. It is looked at
// here first, so that a film that does not play disturbs nobody.
import { byId, setText } from '../../dom.js';
import { language } from '../../strings.js';
import { pickerWords } from '../../strings/picker.js';
import { webAddress } from '../../web_film.js';

const words = pickerWords[language].address;

export class AddressField {
  /** @type {Room} */
  #room;
  #playback;
  #onShown;
  #asked = 0; // what comes of an older question does not count

  // inputs, playback: PageInputs, SharedPlayback. onShown(): a film that was asked for here is.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, inputs, playback, onShown }) {
    this.#room = room;
    this.#playback = playback;
    this.#onShown = onShown;
    // Enter in the field clicks the button, too; `submit` follows when that is over, and is nobody's act any more.
    byId('address-show').addEventListener('click', (event) => {
      event.preventDefault();
      this.#look(inputs.act, byId('address-url').value);
    });
  }

  // As the room is now.
  renew() {
    byId('address').hidden = this.#room.sources.length === 0 || !this.#room.mayControl;
  }

  clear() {
    this.#asked += 1;
    byId('address-url').value = '';
    this.#say('');
  }

  #say(text) {
    setText(byId('address-words'), text);
  }

  async #look(act, text) {
    const url = webAddress(text);
    if (!url) return this.#say(words.noAddress);
    if (!this.#room.sources.includes(url.origin)) return this.#say(words.notAllowed(this.#room.sources));
    this.#asked += 1;
    const question = this.#asked;
    this.#say(words.looking);
    const isStillWanted = () => question === this.#asked;
    const problem = await this.#playback.loadFromWeb(act, url.href, isStillWanted);
    if (!isStillWanted()) return undefined;
    this.#say(problem ? words.problems[problem] : '');
    if (!problem) this.#onShown();
  }
}
