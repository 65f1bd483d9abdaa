// Gives captions the look that the viewer chose (caption_look.js): their size by style sheets, their times by their
// cues, or by what draws them; their place by both, above the controls while those are shown.
import { byId, setAttribute } from '../../dom.js';
import { CaptionLift, mustLiftCues } from './caption_lift.js';
import { CuePlaces } from './cue_places.js';

const RAISED_SHARE = 0.12; // of the picture's height; as in captions.css

export class CaptionPlacing {
  #video;
  #player;
  #captions;
  #pictures;
  #look;
  #cues = new CuePlaces();
  #lift = mustLiftCues() ? new CaptionLift(() => this.#captions.tracks.filter(({ mode }) => mode === 'showing')) : null;
  #watched = new WeakSet(); // tracks
  #placed = new WeakMap(); // track -> how many cues it had when they were last placed

  // captions, pictures, look: Captions, PictureCaptions, CaptionLook.
  constructor({ video, player, captions, pictures, look }) {
    this.#video = video;
    this.#player = player;
    this.#captions = captions;
    this.#pictures = pictures;
    this.#look = look;
    look.addEventListener('change', () => this.#apply());
    this.#watch();
    this.#apply();
  }

  // Cues come when they like: with the track's file, or with one of a stream's segments, ahead of their time.
  #watch() {
    const place = () => this.#place();
    const placeAnew = () => {
      this.#placed = new WeakMap();
      this.#place();
    };
    const watchTracks = () => {
      for (const track of this.#captions.tracks) {
        if (!this.#watched.has(track)) track.addEventListener('cuechange', placeAnew);
        this.#watched.add(track);
      }
      this.#place();
    };
    for (const type of ['addtrack', 'change']) this.#video.textTracks.addEventListener(type, watchTracks);
    this.#video.addEventListener('load', placeAnew, { capture: true }); // of a <track>
    this.#video.addEventListener('timeupdate', place);
    if (this.#lift) {
      new MutationObserver(place).observe(this.#player, { attributeFilter: ['userinactive', 'mediapaused'] });
      new ResizeObserver(place).observe(this.#video);
      for (const type of ['focusin', 'focusout']) byId('controls').addEventListener(type, () => requestAnimationFrame(place));
    }
    watchTracks();
  }

  #apply() {
    const { size, place, delayMs } = this.#look;
    setAttribute(this.#player, 'data-caption-size', size === 100 ? null : String(size));
    setAttribute(this.#player, 'data-caption-place', place);
    this.#pictures.delayMs = delayMs;
    this.#placed = new WeakMap();
    this.#place();
  }

  #place() {
    const { place, delayMs } = this.#look;
    const isTop = place === 'top';
    if (isTop) this.#lift?.place(0, 0); // how they are placed there is nobody else's
    for (const track of this.#captions.tracks) {
      if (track.mode !== 'showing' || this.#placed.get(track) === track.cues?.length) continue;
      this.#placed.set(track, track.cues?.length);
      const haveMoved = this.#cues.place(track.cues, { delayS: delayMs / 1000, isTop });
      if (haveMoved && track.activeCues?.length > 0) layOutAnew(track);
    }
    if (!isTop) this.#liftCues(place === 'raised' ? RAISED_SHARE : 0);
  }

  #liftCues(leastShare) {
    const isHidden = this.#player.matches('[userinactive]:not([mediapaused], :has(.controls :focus-visible))');
    const heightPx = this.#video.offsetHeight;
    const roomPx = Math.max(isHidden ? 0 : byId('controls').offsetHeight, leastShare * heightPx);
    this.#lift?.place(roomPx, heightPx, this.#look.size / 100);
  }
}

// Chromium leaves what is on the picture where it was, whatever the cue says by now.
function layOutAnew(track) {
  track.mode = 'hidden';
  track.mode = 'showing';
}
