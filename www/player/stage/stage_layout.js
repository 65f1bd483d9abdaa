// How much room the picture takes: beside the panels, alone in the window (theatre, or a phone on its
// side), or alone on the screen. Alone, the panels are at hand: they come beside it when asked for.
import { byId } from '../../dom.js';
import { preference, setPreference } from '../../memory.js';

const ON_ITS_SIDE = '(max-height: 480px) and (orientation: landscape)';

export class StageLayout extends EventTarget {
  #app = byId('app');
  #onItsSide = matchMedia(ON_ITS_SIDE);
  #theatre = preference('theatre') === 'yes';
  #panels = false; // shown while the picture is alone

  // Emits 'change' when any of the three below turns.
  constructor() {
    super();
    document.addEventListener('fullscreenchange', () => this.#update());
    this.#onItsSide.addEventListener('change', () => this.#update());
    this.#update();
  }

  get full() {
    return document.fullscreenElement === this.#app;
  }

  // The picture has the window or the screen for itself.
  get alone() {
    return this.#theatre || this.full || this.#onItsSide.matches;
  }

  get panels() {
    return !this.alone || this.#panels;
  }

  toggleTheatre() {
    if (this.full) return document.exitFullscreen();
    this.#theatre = !this.#theatre;
    setPreference('theatre', this.#theatre ? 'yes' : null);
    return this.#update();
  }

  togglePanels() {
    if (!this.alone) return;
    this.#panels = !this.#panels;
    this.#update();
  }

  #update() {
    if (!this.alone) this.#panels = false;
    this.#app.classList.toggle('alone', this.alone);
    this.#app.classList.toggle('with-panels', this.panels);
    this.dispatchEvent(new Event('change'));
  }
}
