// The panel "By ear": how far this viewer's sound and picture are shifted against the room, remembered for
// the device, and the tick to judge it by.
import { byId, setAttribute, setText } from '../../dom.js';
import { preference, setPreference } from '../../memory.js';
import { strings } from '../../strings.js';
import { boundShift } from '../../sync/shift.js';
import { Tick } from './tick.js';

const words = strings.ear;
const NAME = 'shiftMs';

export class ByEar {
  #follower;
  #slider = byId('ear-shift');
  #tick;

  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, follower }) {
    this.#follower = follower;
    const light = byId('ear-light');
    this.#tick = new Tick({
      serverTimeMs: (nowMs) => room.clock.serverTimeMs(nowMs),
      shiftMs: () => follower.shiftMs,
      show: (isLit) => light.classList.toggle('lit', isLit),
    });
    follower.shiftBy(boundShift(preference(NAME)));
    this.#slider.addEventListener('input', () => this.#choose(this.#slider.valueAsNumber));
    byId('ear-zero').addEventListener('click', () => {
      this.#choose(0);
      this.#slider.focus();
    });
    byId('ear-tick').addEventListener('click', () => this.#turn(!this.#tick.isOn));
    byId('ear-panel').addEventListener('toggle', () => byId('ear-panel').open || this.#turn(false));
    document.addEventListener('visibilitychange', () => document.hidden && this.#turn(false));
    room.addEventListener('phase', ({ detail }) => detail.name === 'closed' && this.#turn(false));
    this.#render();
  }

  #choose(ms) {
    this.#follower.shiftBy(ms);
    const { shiftMs } = this.#follower;
    setPreference(NAME, shiftMs === 0 ? null : String(shiftMs));
    this.#render();
  }

  #turn(isOn) {
    if (isOn) this.#tick.start();
    else this.#tick.stop();
    this.#render();
  }

  #render() {
    const { shiftMs } = this.#follower;
    const said = shiftMs === 0 ? words.none : shiftMs > 0 ? words.ahead(shiftMs) : words.behind(-shiftMs);
    this.#slider.valueAsNumber = shiftMs;
    setAttribute(this.#slider, 'aria-valuetext', said);
    setText(byId('ear-value'), said);
    byId('ear-tag').hidden = shiftMs === 0;
    setText(byId('ear-tag'), words.signed(shiftMs));
    byId('ear-zero').disabled = shiftMs === 0;
    setAttribute(byId('ear-tick'), 'aria-pressed', String(this.#tick.isOn));
  }
}
