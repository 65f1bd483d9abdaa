// Subtitles that are pictures, drawn over the video while their <track> (caption_tracks.js) is the one that is shown.
//
// They come by the minute, as JSON (docs/PROTOCOL.md): what is shown and the next one are held. The next change is
// waited for by a timer; the video's own events put it right.
import { make } from '../../dom.js';

const RETRY_MS = 2_000;
const HELD_MAX = 4;

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

async function imageOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: 'image/png' }));
}

async function fetchPart(url) {
  const response = await fetch(url);
  if (!response.ok) throw Object.assign(new Error(url), { status: response.status });
  const part = await response.json();
  const cues = await Promise.all(part.cues.map(async (cue) => ({ ...cue, image: await imageOf(cue.image) })));
  return { ...part, cues };
}

export class PictureCaptions {
  #video;
  #canvas;
  #parts = new Map(); // url -> {width, height, cues}; null while it is fetched, or where it cannot be had
  #timer = null;
  #drawn = ''; // what stands on the canvas

  // player: the element that the video fills.
  constructor(video, player) {
    this.#video = video;
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

  get #shown() {
    return [...this.#video.querySelectorAll('track[data-pictures]')].find(({ track }) => track.mode === 'showing') ?? null;
  }

  #update() {
    clearTimeout(this.#timer);
    const element = this.#shown;
    this.#canvas.hidden = element === null;
    if (element === null) return this.#forget();
    const spanMs = Number(element.dataset.spanMs);
    const atMs = this.#video.currentTime * 1000;
    const number = Math.floor(atMs / spanMs);
    const part = this.#part(element, number);
    if (part && atMs - number * spanMs > spanMs / 2) this.#part(element, number + 1);
    const cues = part ? part.cues.filter(({ from, to }) => from <= atMs && atMs < to) : [];
    this.#draw(part, cues);
    if (this.#video.paused || !part) return;
    const delayMs = untilChange(part.cues, atMs, (number + 1) * spanMs) / (this.#video.playbackRate || 1);
    this.#timer = setTimeout(() => this.#update(), Math.max(delayMs, 4));
  }

  #part(element, number) {
    const url = `${element.dataset.pictures}${number}.json`;
    if (!this.#parts.has(url)) {
      this.#parts.set(url, null);
      this.#load(url);
    }
    return this.#parts.get(url);
  }

  async #load(url) {
    try {
      const part = await fetchPart(url);
      if (!this.#parts.has(url)) return this.#close(part); // nobody looks at it any more
      this.#parts.set(url, part);
      for (const old of this.#parts.keys()) if (this.#parts.size > HELD_MAX && this.#parts.get(old)) this.#drop(old);
      this.#update();
    } catch ({ status }) {
      // It is being made, or the line is gone. What cannot be made (422, 404) is not asked for again.
      if (status && status < 500) return;
      setTimeout(() => {
        this.#parts.delete(url);
        this.#update();
      }, RETRY_MS);
    }
  }

  #draw(part, cues) {
    const { clientWidth: width, clientHeight: height, videoWidth } = this.#video;
    const drawn = cues.map(({ from, x, y }) => `${from} ${x} ${y}`).join();
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

  #close(part) {
    for (const { image } of part?.cues ?? []) image.close();
  }
  #drop(url) {
    this.#close(this.#parts.get(url));
    this.#parts.delete(url);
  }
  #forget() {
    for (const url of [...this.#parts.keys()]) this.#drop(url);
    this.#drawn = '';
  }
}
