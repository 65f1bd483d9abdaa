// A film of one's own: whoever hosts, with the token to show for it, drops a file on the room or chooses one, where the
// server takes films; everybody sees how far it is.
import { byId, setText } from '../../dom.js';
import { describeFault } from '../../faults.js';
import { loadPart } from '../../load_part.js';
import { strings } from '../../strings.js';

const words = strings.bring;
const TRIES_MAX = 3;
const SILENT_MS = 45_000; // so long nothing is heard of one that goes on: it is cut
const DONE_SHOWN_MS = 15_000;
const LOOK_AFTER_MS = [500, 1_500, 3_000, 6_000]; // the library takes it in soon

export class Bringing {
  #room;
  #key;
  #library;
  #toast;
  #takesFilms; // a promise: whether the server does; null before anybody who may has come
  #bytesMax = null;
  #stop = null; // () => ..., of the one that this page brings
  #hiding = null; // a timer

  // key: of the session. uploadBytesMax(): resolves to how large a film may be, null where none are taken.
  constructor({ room, key, library, uploadBytesMax, toast }) {
    this.#room = room;
    this.#key = key;
    this.#library = library;
    this.#toast = toast;
    for (const type of ['people', 'phase']) room.addEventListener(type, () => this.#render(uploadBytesMax));
    room.addEventListener('upload', ({ detail }) => this.#onHeard(detail));
    byId('bring').addEventListener('click', () => byId('bring-file').click());
    byId('bring-file').addEventListener('change', ({ target }) => {
      const [file] = target.files;
      target.value = '';
      if (file) this.#bring(file);
    });
    byId('bringing-stop').addEventListener('click', () => this.#stop?.());
    this.#takeDrops();
  }

  get #mayBring() {
    return this.#room.mayBring && this.#bytesMax !== null && this.#room.connection.phase.name !== 'closed';
  }

  async #render(uploadBytesMax) {
    if (this.#room.mayBring) this.#takesFilms ??= uploadBytesMax().then((bytes) => (this.#bytesMax = bytes), () => (this.#takesFilms = null));
    await this.#takesFilms;
    byId('bring').hidden = !this.#mayBring;
    byId('bringing-stop').hidden = !this.#stop;
  }

  #takeDrops() {
    const hasFile = (event) => this.#mayBring && event.dataTransfer?.types.includes('Files');
    addEventListener('dragover', (event) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      byId('app').classList.add('takes-film');
    });
    for (const type of ['dragleave', 'drop']) addEventListener(type, () => byId('app').classList.remove('takes-film'));
    addEventListener('drop', (event) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (file) this.#bring(file);
    });
  }

  async #bring(file) {
    if (this.#stop) return this.#toast(words.oneAtATime);
    if (file.size > this.#bytesMax) return this.#toast(words.refused('upload_too_large'));
    this.#stop = () => {};
    this.#show(file.name, 0);
    const code = await this.#send(file).catch((trouble) => this.#tellTrouble(trouble));
    this.#stop = null;
    byId('bringing-stop').hidden = true;
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
      onStart: (stop) => {
        this.#stop = stop;
        byId('bringing-stop').hidden = false;
      },
    });
  }

  #tellTrouble({ needsReload, ...trouble }) {
    this.#toast(needsReload ? strings.parts.reload : describeFault(trouble));
    return 'stopped';
  }

  #onHeard({ name, percent, gone }) {
    if (gone) return this.#hide();
    if (percent === 100) return this.#onWhole(name);
    this.#show(name, percent);
  }

  #onWhole(name) {
    this.#show(name, 100);
    this.#look(LOOK_AFTER_MS);
  }

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
    byId('bringing').hidden = false;
    byId('bringing-bar').hidden = isWhole;
    byId('bringing-bar').value = percent;
    setText(byId('bringing-words'), isWhole ? words.isThere(name) : words.comes(name, percent));
    if (isWhole || !this.#stop) this.#hiding = setTimeout(() => this.#hide(), isWhole ? DONE_SHOWN_MS : SILENT_MS);
  }

  #hide() {
    clearTimeout(this.#hiding);
    byId('bringing').hidden = true;
  }
}
