// Subtitles that are pictures, drawn over the video while their <track> (caption_tracks.js) is the one that is shown.
//
// They come by the minute, as JSON (docs/PROTOCOL.md): the part that is shown is held, and in its second half the next
// one. While the viewer seeks nothing is asked for: only where they arrive is looked at. The next change is waited for
// by a timer; the video's own events put it right.
import { make } from '../../dom.js';
import { PictureParts } from './picture_parts.js';

const NEXT_FROM = 0.5; // of a part, at the earliest; viewers of one showing ask one after the other
const NEXT_BY = 0.9;

// Where the picture is in its element: {x, y, width, height} in px. object-fit is `contain`.
export function pictureBox({ width, height }, { videoWidth, videoHeight }) {
  const scale = Math.min(width / videoWidth, height / videoHeight);
  const [shownWidth, shownHeight] = [videoWidth * scale, videoHeight * scale];
  return { x: (width - shownWidth) / 2, y: (height - shownHeight) / 2, width: shownWidth, height: shownHeight };
}

// Where a cue of a part goes, in px. What stood on bars that the film's file does not have is kept in the element.
export function placeOf(cue, part, box, element) {
  const [scaleX, scaleY] = [box.width / part.width, box.height / part.height];
  const [width, height] = [cue.w * scaleX, cue.h * scaleY];
  const within = (at, length, room) => Math.max(0, Math.min(at, room - length));
  return {
    x: within(box.x + cue.x * scaleX, width, element.width),
    y: within(box.y + cue.y * scaleY, height, element.height),
    width,
    height,
  };
}

// Ms until something comes or goes, at the latest at the part's end.
export function untilChange(cues, atMs, endMs) {
  const changes = cues.flatMap(({ from, to }) => [from, to]).filter((ms) => ms > atMs);
  return Math.min(endMs, ...changes) - atMs;
}

// Which parts are to be held, by number, the current one first. nextAt: from which share of a part on the next one is.
export function partsAt(atMs, spanMs, nextAt) {
  const number = Math.floor(atMs / spanMs);
  return atMs - number * spanMs > spanMs * nextAt ? [number, number + 1] : [number];
}

export class PictureCaptions {
  #video;
  #canvas;
  #parts;
  #nextAt; // of this viewer
  #delayMs = 0;
  #timer = null;
  #drawn = ''; // what stands on the canvas

  // player: the element that the video fills. means: other ones for tests, as of PictureParts, and random.
  constructor(video, player, means = {}) {
    this.#video = video;
    this.#parts = new PictureParts(() => this.#update(), means);
    this.#nextAt = NEXT_FROM + (NEXT_BY - NEXT_FROM) * (means.random ?? Math.random)();
    this.#canvas = make('canvas', { class: 'picture-captions', noautohide: true, hidden: true, 'aria-hidden': 'true' });
    player.querySelector('video').after(this.#canvas);
    const update = () => this.#update();
    for (const type of ['seeking', 'seeked', 'play', 'pause', 'ratechange', 'timeupdate', 'resize', 'emptied']) video.addEventListener(type, update);
    for (const type of ['addtrack', 'removetrack', 'change']) video.textTracks.addEventListener(type, update);
    new ResizeObserver(() => {
      this.#drawn = '';
      this.#update();
    }).observe(video);
  }

  // By how much they come later than the film says.
  set delayMs(delayMs) {
    this.#delayMs = delayMs;
    this.#update();
  }

  get #shown() {
    return [...this.#video.querySelectorAll('track[data-pictures]')].find(({ track }) => track.mode === 'showing') ?? null;
  }

  #update() {
    clearTimeout(this.#timer);
    const element = this.#shown;
    this.#canvas.hidden = element === null;
    if (element === null) return this.#forget();
    const spanMs = Number(element.dataset.spanMs);
    const atMs = this.#video.currentTime * 1000 - this.#delayMs;
    const numbers = partsAt(Math.max(0, atMs), spanMs, this.#nextAt);
    const urls = numbers.map((number) => `${element.dataset.pictures}${number}.json`);
    if (!this.#video.seeking) this.#parts.want(urls);
    const part = this.#parts.get(urls[0]);
    const cues = part ? part.cues.filter(({ from, to }) => from <= atMs && atMs < to) : [];
    this.#draw(urls[0], part, cues);
    if (this.#video.paused || !part) return;
    const delayMs = untilChange(part.cues, atMs, (numbers[0] + 1) * spanMs) / (this.#video.playbackRate || 1);
    this.#timer = setTimeout(() => this.#update(), Math.max(delayMs, 4));
  }

  #draw(url, part, cues) {
    const { clientWidth: width, clientHeight: height, videoWidth } = this.#video;
    const drawn = cues.map(({ from, x, y }) => `${url} ${from} ${x} ${y}`).join();
    if (drawn === this.#drawn || !videoWidth) return;
    this.#drawn = drawn;
    const density = globalThis.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * density);
    this.#canvas.height = Math.round(height * density);
    const context = this.#canvas.getContext('2d');
    context.scale(density, density);
    context.imageSmoothingQuality = 'high';
    const box = pictureBox({ width, height }, this.#video);
    for (const cue of cues) {
      const place = placeOf(cue, part, box, { width, height });
      context.drawImage(cue.image, place.x, place.y, place.width, place.height);
    }
  }

  #forget() {
    this.#parts.want([]);
    this.#drawn = '';
  }
}
