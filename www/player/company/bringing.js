// A film of one's own: whoever hosts, with the token to show for it, drops a file on the room or chooses one; everybody
// sees how far it is. Fetched by film_watch.js.
import { byId, make, setText } from '../../dom.js';
import { describeFault } from '../../faults.js';
import { loadPart } from '../../load_part.js';
import { language, strings } from '../../strings.js';
import { bringingWords } from '../../strings/bringing.js';

const words = bringingWords[language];
const KINDS = 'video/*,.mkv,.m2ts,.ts,.vob,.divx,.ogm';
const TRIES_MAX = 3;
const SILENT_MS = 45_000; // so long nothing is heard of one that goes on: it is cut
const DONE_SHOWN_MS = 15_000;
const LOOK_AFTER_MS = [500, 1_500, 3_000, 6_000]; // the library takes it in soon

// For whoever may: the button, and the dialog behind it.
const field = make('input', { id: 'bring-file', type: 'file', accept: KINDS, hidden: true });
const button = make('button', { id: 'bring', class: 'button', type: 'button', hidden: true, text: words.choose });
byId('choose').after(button, field);

// For all: how far it is.
const says = make('p', { id: 'bringing-words', class: 'bringing-words' });
const bar = make('progress', { id: 'bringing-bar', class: 'bringing-bar', max: 100, value: 0, 'aria-labelledby': says.id });
const stop = make('button', { id: 'bringing-stop', class: 'button small', type: 'button', hidden: true, text: words.stop });
const panel = make('div', { id: 'bringing', class: 'panel bringing', hidden: true }, says, bar, stop);
byId('side').prepend(panel);

export class Bringing {
  /** @type {Room} */
  #room;
  #key;
  #library;
  #toast;
  #bytesMax;
  #stop = null; // () => ..., of the one that this page brings
  #hiding = null; // a timer

  // key: of the session. bytesMax: how large a film may be; null where only others bring one.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, key, library, toast }, bytesMax) {
    this.#room = room;
    this.#key = key;
    this.#library = library;
    this.#toast = toast;
    this.#bytesMax = bytesMax;
    for (const type of /** @type {const} */ (['people', 'phase'])) room.addEventListener(type, () => this.#render());
    button.addEventListener('click', () => field.click());
    field.addEventListener('change', () => {
      const [file] = field.files;
      field.value = '';
      if (file) this.bring(file);
    });
    stop.addEventListener('click', () => this.#stop?.());
    this.#render();
  }

  // This viewer has become one who may.
  allow(bytesMax) {
    this.#bytesMax = bytesMax;
    this.#render();
  }

  hear({ name, percent, gone }) {
    if (gone) return this.#hide();
    if (percent === 100) return this.#onWhole(name);
    this.#show(name, percent);
  }

  get #mayBring() {
    return this.#room.mayBring && this.#bytesMax !== null && this.#room.connection.phase.name !== 'closed';
  }

  #render() {
    button.hidden = !this.#mayBring;
    stop.hidden = !this.#stop;
  }

  async bring(file) {
    if (!this.#mayBring) return this.#toast(words.refused('uploads_off'));
    if (this.#stop) return this.#toast(words.oneAtATime);
    if (file.size > this.#bytesMax) return this.#toast(words.refused('upload_too_large'));
    this.#stop = () => {};
    this.#show(file.name, 0);
    const code = await this.#send(file).catch((trouble) => this.#tellTrouble(trouble));
    this.#stop = null;
    stop.hidden = true;
    if (code) this.#hide();
    if (code && code !== 'stopped') this.#toast(words.refused(code));
    if (code === null) this.#onWhole(file.name);
  }

  async #send(file) {
    const { bringFilm } = await loadPart(() => import('./film_upload.js'), { triesMax: TRIES_MAX });
    return bringFilm({
      file,
      key: this.#key,
      hostToken: this.#room.hostToken,
      onStart: (end) => {
        this.#stop = end;
        stop.hidden = false;
      },
    });
  }

  #tellTrouble({ needsReload, ...trouble }) {
    this.#toast(needsReload ? strings.parts.reload : describeFault(trouble));
    return 'stopped';
  }

  #onWhole(name) {
    this.#show(name, 100);
    this.#look(LOOK_AFTER_MS);
  }

  /** @param {number[]} waitsMs */
  async #look([afterMs, ...later]) {
    if (afterMs === undefined) return;
    const before = JSON.stringify(this.#library.list);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await this.#library.refresh();
    if (JSON.stringify(this.#library.list) === before) this.#look(later);
  }

  #show(name, percent) {
    clearTimeout(this.#hiding);
    const isWhole = percent === 100;
    panel.hidden = false;
    bar.hidden = isWhole;
    bar.value = percent;
    setText(says, isWhole ? words.isThere(name) : words.comes(name, percent));
    if (isWhole || !this.#stop) this.#hiding = setTimeout(() => this.#hide(), isWhole ? DONE_SHOWN_MS : SILENT_MS);
  }

  #hide() {
    clearTimeout(this.#hiding);
    panel.hidden = true;
  }
}
