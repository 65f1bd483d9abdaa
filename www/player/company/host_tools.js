// What is decided for everybody besides playback: the video, by whoever controls (picker.js); the settings and the
// end, by the host.
import { byId } from '../../dom.js';
import { strings } from '../../strings.js';
import { bindSettings } from './setting_controls.js';

export class HostTools {
  /** @type {Room} */
  #room;
  #library;

  // library: the server's videos (video_list.js); confirm(words, yes): asks, resolves to whether it shall be.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, library, confirm }) {
    this.#room = room;
    this.#library = library;
    const choose = bindSettings(room, (settings) => {
      byId('set-everyone').checked = settings.control === 'everyone';
      byId('set-wait').checked = settings.onStall === 'wait';
      byId('set-queue').checked = settings.queue === 'everyone';
    });
    byId('set-everyone').addEventListener('change', () => choose({ control: byId('set-everyone').checked ? 'everyone' : 'host' }));
    byId('set-wait').addEventListener('change', () => choose({ onStall: byId('set-wait').checked ? 'wait' : 'continue' }));
    byId('set-queue').addEventListener('change', () => choose({ queue: byId('set-queue').checked ? 'everyone' : 'host' }));
    byId('end').addEventListener('click', async () => {
      if (await confirm(strings.events.endSure, byId('end').textContent)) room.send('end');
    });
    for (const type of /** @type {const} */ (['people', 'settings', 'phase', 'refused', 'state'])) room.addEventListener(type, () => this.render());
    library.addEventListener('change', () => this.render());
    byId('host-tools').addEventListener('toggle', () => library.refresh()); // there may be videos by now
    this.render();
  }

  render() {
    const { youAreHost, mayControl } = this.#room;
    const isOver = this.#room.connection.phase.name === 'closed';
    const { list, isPart } = this.#library;
    const mayChoose = mayControl && (isPart || list.length > 0);
    byId('host-tools').hidden = isOver || !(youAreHost || mayChoose);
    byId('choose').hidden = !mayChoose;
    byId('host-only').hidden = !youAreHost;
  }
}
