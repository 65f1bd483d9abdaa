// What the host decides for everybody besides playback: the video, the settings, the end.
import { byId, make } from '../../dom.js';
import { strings } from '../../strings.js';

export class HostTools {
  #room;
  #library;
  #inputs;
  #playback;
  #chosen = null; // the id of a video that is chosen in the list, and not yet shown to everybody

  // library: the server's videos; inputs, playback: PageInputs, SharedPlayback; confirm(words, yes): asks,
  // resolves to whether it shall be.
  constructor({ room, inputs, playback, library, confirm }) {
    this.#room = room;
    this.#library = library;
    this.#inputs = inputs;
    this.#playback = playback;
    this.#bindLoad();
    byId('set-everyone').addEventListener('change', ({ target }) =>
      room.send('settings', { control: target.checked ? 'everyone' : 'host' }));
    byId('set-wait').addEventListener('change', ({ target }) =>
      room.send('settings', { onStall: target.checked ? 'wait' : 'continue' }));
    byId('end').addEventListener('click', async () => {
      if (await confirm(strings.events.endSure, byId('end').textContent)) room.send('end');
    });
    for (const type of ['people', 'settings', 'phase']) room.addEventListener(type, () => this.render());
    room.addEventListener('state', ({ detail: { state, previous } }) => {
      if (state.video !== previous?.video) this.#chosen = null;
      this.render();
    });
    this.render();
  }

  // A list is looked through with the arrows, and each step tells of a change: only the button, or
  // Enter, takes what is chosen.
  #bindLoad() {
    const list = byId('load');
    list.replaceChildren(...this.#library.map(({ id, title }) => make('option', { value: id, text: title || id })));
    list.addEventListener('change', () => this.#choose(list.value));
    list.addEventListener('keydown', (event) => {
      if (this.#chosen === null) return;
      if (event.key === 'Enter') this.#take();
      else if (event.key === 'Escape') this.#choose(null);
      else return;
      event.preventDefault();
    });
    byId('load-take').addEventListener('click', () => {
      list.focus({ preventScroll: true });
      this.#take();
    });
  }

  #choose(id) {
    this.#chosen = id === this.#room.timeline.state?.video ? null : id;
    this.render();
  }

  #take() {
    const { act } = this.#inputs;
    if (act) this.#playback.load(act, this.#chosen);
    this.#choose(null);
  }

  render() {
    const { settings, timeline, youAreHost } = this.#room;
    const { name: phase } = this.#room.connection.phase;
    byId('host-tools').hidden = !youAreHost || phase === 'closed';
    byId('load-field').hidden = this.#library.length < 2;
    if (timeline.state) byId('load').value = this.#chosen ?? timeline.state.video;
    byId('load-take').hidden = this.#chosen === null;
    byId('set-everyone').checked = settings.control === 'everyone';
    byId('set-wait').checked = settings.onStall === 'wait';
  }
}
