// The buttons that open the picker, which is fetched when a hand comes near one of them.
import { byId } from '../../dom.js';
import { describePartTrouble } from '../../faults.js';
import { loadPart } from '../../load_part.js';

const BUTTONS = /** @type {const} */ (['choose', 'queue-add']);
const TRIES_MAX = 3; // then it is told, and the button tries anew

export class PickerButtons {
  /** @type {Room} */
  #room;
  #parts;
  #toast;
  #picker = null; // a promise, while it is on its way and from then on

  // parts: what the Picker is made of.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, toast, ...parts }) {
    this.#room = room;
    this.#parts = { room, ...parts };
    this.#toast = toast;
    for (const button of BUTTONS.map((id) => byId(id))) {
      for (const type of ['pointerenter', 'focus']) button.addEventListener(type, () => this.#fetch().catch(() => {}));
      button.addEventListener('click', () => this.#open(button));
    }
  }

  #fetch() {
    this.#picker ??= this.#make().catch((trouble) => {
      this.#picker = null;
      throw trouble;
    });
    return this.#picker;
  }

  async #make() {
    const { Picker } = await loadPart(() => import('./picker.js'), { triesMax: TRIES_MAX });
    return new Picker(this.#parts);
  }

  async #open(button) {
    const picker = await this.#fetch().catch((trouble) => this.#toast(describePartTrouble(trouble)));
    if (!picker || this.#room.connection.phase.name === 'closed') return;
    button.focus({ preventScroll: true }); // which a click does not do in Safari; a dialog that closes returns it
    picker.open();
  }
}
