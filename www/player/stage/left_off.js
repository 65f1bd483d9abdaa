// Remembers in this browser where its viewer had stopped in a film, and offers who controls playback to go on there when
// the film is shown again, as long as it has not begun.
import { byId, setText } from '../../dom.js';
import { formatTime } from '../../format.js';
import { forgetPlace, rememberPlace, rememberedPlaces } from '../../memory.js';
import { strings } from '../../strings.js';

const EARLY_S = 60; // so early nobody has stopped: they looked in
const SEEN_SHARE = 0.95; // beyond that it was watched
const EVERY_MS = 10_000;
const BEGUN_S = 5;

export class LeftOff {
  #video;
  #source;
  #playback;
  #now;
  #keptMs = -Infinity;

  // source, inputs, playback: VideoSource, PageInputs, SharedPlayback. now: another clock for tests.
  constructor({ video, source, inputs, playback, now = () => performance.now() }) {
    this.#video = video;
    this.#source = source;
    this.#playback = playback;
    this.#now = now;
    video.addEventListener('timeupdate', () => this.#now() - this.#keptMs >= EVERY_MS && this.#keep());
    byId('go-on').addEventListener('click', () => {
      const place = this.#place;
      if (!place || !inputs.act) return;
      playback.seekTo(inputs.act, place.positionS);
      byId('play').focus({ preventScroll: true });
    });
    for (const [target, type] of [[playback, 'change'], [source, 'form']]) target.addEventListener(type, () => this.#offer());
    this.#offer();
  }

  get #place() {
    const { current } = this.#source;
    return current ? rememberedPlaces().find(({ id }) => id === current.id) : undefined;
  }

  #keep() {
    const { current } = this.#source;
    const { durationS } = this.#playback;
    const { currentTime: positionS, paused, seeking } = this.#video;
    if (!current || !Number.isFinite(durationS) || paused || seeking || positionS < EARLY_S) return;
    this.#keptMs = this.#now();
    if (positionS > durationS * SEEN_SHARE) forgetPlace(current.id);
    else rememberPlace({ id: current.id, title: current.title || current.id, positionS, durationS });
  }

  #offer() {
    const { mayControl, playing, position } = this.#playback;
    const place = mayControl && !playing && position < BEGUN_S ? this.#place : undefined;
    byId('go-on').hidden = !place;
    if (place) setText(byId('go-on'), strings.goOn.at(formatTime(place.positionS)));
  }
}
