// The qualities of an adaptive stream: which there are, which is chosen. Emits 'change'.
//
// A choice takes effect from the next segment on: what is being shown is not thrown away, so the
// picture stays in step. It stays chosen when the stream gets another player, after a connection that
// was lost, in the next film and on another day, by its height.
import { preference, setPreference } from '../../memory.js';

const NAME = 'qualityHeight';

export class Quality extends EventTarget {
  #hls = null;
  #chosenHeight = Number(preference(NAME)) || null; // lines; null: it is found automatically

  // [{id, width, height, bitrate}], the lowest first; empty where there is nothing to choose from.
  get renditions() {
    return (this.#hls?.levels ?? []).map(({ width, height, bitrate }, i) => ({ id: String(i), width, height, bitrate }));
  }

  // The id of the one that the viewer chose, null while it is found automatically.
  get selected() {
    if (!this.#hls || this.#hls.autoLevelEnabled) return null;
    return String(this.#hls.manualLevel);
  }

  // id: of `renditions`, or 'auto'.
  select(id) {
    if (!this.#hls) return;
    this.#chosenHeight = id === 'auto' ? null : this.#hls.levels[Number(id)].height;
    setPreference(NAME, this.#chosenHeight);
    this.#hls.nextLevel = id === 'auto' ? -1 : Number(id);
    this.#changed();
  }

  // hls: the hls.js player that is loading, null for none; events: Hls.Events.
  follow(hls, events) {
    this.#hls = hls;
    if (hls) {
      hls.on(events.MANIFEST_PARSED, () => this.#hls === hls && this.#choose(hls));
      const types = [events.MANIFEST_PARSED, events.LEVELS_UPDATED, events.LEVEL_SWITCHED];
      for (const type of types) hls.on(type, () => this.#hls === hls && this.#changed());
    }
    this.#changed();
  }

  // Before anything of it is loaded. Where it has no such height, the next one below: who chose less than there was
  // wants to spare the line.
  #choose(hls) {
    if (this.#chosenHeight === null || hls.levels.length < 2) return;
    const above = hls.levels.findIndex(({ height }) => height > this.#chosenHeight);
    hls.loadLevel = above < 0 ? hls.levels.length - 1 : Math.max(0, above - 1);
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
