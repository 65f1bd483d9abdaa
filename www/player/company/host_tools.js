// What the host decides for everybody besides playback: the video, the settings, the end.
import { byId, make } from '../../dom.js';
import { strings } from '../../strings.js';

export class HostTools {
  #room;
  #library;

  // library: the server's videos; confirm(words, yes): asks, resolves to whether it shall be.
  constructor({ room, library, confirm }) {
    this.#room = room;
    this.#library = library;
    byId('load').replaceChildren(...library.map(({ id, title }) => make('option', { value: id, text: title || id })));
    byId('load').addEventListener('change', () => room.send('load', { video: byId('load').value }));
    byId('set-everyone').addEventListener('change', ({ target }) =>
      room.send('settings', { control: target.checked ? 'everyone' : 'host' }));
    byId('set-wait').addEventListener('change', ({ target }) =>
      room.send('settings', { onStall: target.checked ? 'wait' : 'continue' }));
    byId('end').addEventListener('click', async () => {
      if (await confirm(strings.events.endSure, byId('end').textContent)) room.send('end');
    });
    for (const type of ['people', 'settings', 'state', 'phase']) room.addEventListener(type, () => this.render());
    this.render();
  }

  render() {
    const { settings, timeline, youAreHost } = this.#room;
    const { name: phase } = this.#room.connection.phase;
    byId('host-tools').hidden = !youAreHost || phase === 'closed';
    byId('load-field').hidden = this.#library.length < 2;
    if (timeline.state) byId('load').value = timeline.state.video;
    byId('set-everyone').checked = settings.control === 'everyone';
    byId('set-wait').checked = settings.onStall === 'wait';
  }
}
