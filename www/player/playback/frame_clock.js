// Where a player really is, to a few milliseconds.
//
// Two things tell: currentTime, which in most browsers is the clock of the sound and moves smoothly,
// and the frames on the screen (requestVideoFrameCallback), which tell the truth but come in the steps of
// the display: a frame stands up to half its length beside the sound. So currentTime is believed where
// it moves smoothly and agrees with the frames to within such a step. Where it comes in jumps the frames
// are followed, and where it lies steadily it is set right by them.
//
// Frames need not count from where currentTime does: WebKit with GStreamer tells a frame's time as it is in the file,
// where those of a film with B-frames begin late (80 ms with x264 at 25 frames a second), and not as its edit list has
// it. A frame that is shown where a player was sought to and stands cannot lie ahead of that place: by as much as it
// says so frames run ahead. Until such a frame was seen they set nothing right.
//
// Where currentTime cannot be true at all (position_reading.js) there are only the frames, from the first one on, or
// nothing.
//
// In between there is the staircase: a currentTime that stands still for some tens of milliseconds
// (Firefox: 40) is right when it has just moved and late else, by half a stair on average. It never runs
// ahead, so what the readings at most make of the clock is the clock. Whether it is one is seen from how
// late readings at any other time are.

import { PositionReading } from './position_reading.js';

const FRAME_STALE_MS = 250;
const KEPT = 24; // frames
const ENOUGH = 6; // ... to judge by
const ROUGH_MS = 12; // a currentTime that jumps by so much is no clock
const LIE_MS = 45; // more than the step of any display
const AHEAD_MAX_MS = 500; // frames that are reordered begin no later in a file
const LAGS_KEPT = 16;
const STAIR_MS = 8; // readings of a smooth clock are not so late
const LAG_MAX_MS = 250; // beyond, the player has stumbled

export class FrameClock {
  reading; // a PositionReading
  #video;
  #frames = []; // {phaseMs, clockMs}: media minus local time, by the frame and by currentTime; oldest first
  #lastMs = -Infinity; // local time of the newest frame
  #aheadMs = null; // by how much frames count ahead of currentTime; null: not seen yet
  #stands = false; // where it was sought to, and has not played since
  #lags = []; // of single readings behind the clock, oldest first; a seek changes nothing of them

  constructor(video) {
    this.#video = video;
    this.reading = new PositionReading(video);
    for (const type of ['seeking', 'pause', 'emptied', 'ratechange', 'waiting', 'playing']) {
      video.addEventListener(type, () => (this.#frames = []));
    }
    video.addEventListener('seeking', () => (this.#stands = video.paused));
    video.addEventListener('play', () => (this.#stands = false));
    video.addEventListener('emptied', () => (this.#aheadMs = null));
    if (typeof video.requestVideoFrameCallback === 'function') this.#watch();
  }

  // Seconds of media time at local time `nowMs` (performance.now(), now); null where nobody can say.
  positionAt(nowMs) {
    const { paused, seeking, playbackRate } = this.#video;
    const { isFalse, placeS } = this.reading;
    if (paused || seeking) return placeS;
    const isFresh = nowMs - this.#lastMs <= FRAME_STALE_MS;
    const playedMs = nowMs * playbackRate;
    if (isFalse) return isFresh && this.#frames.length > 0 ? this.#byFrames(playedMs) : null;
    const readMs = placeS * 1000;
    if (this.#frames.length < ENOUGH || !isFresh) return (readMs + this.#lagMs) / 1000;
    if (this.#isRough) return this.#byFrames(playedMs);
    const clockMs = quantile(this.#frames.map((frame) => frame.clockMs), 0.9) + playedMs;
    this.#noteLag(clockMs - readMs);
    return ((this.#lagMs > 0 ? clockMs : readMs) - this.#lieMs) / 1000;
  }

  #byFrames(playedMs) {
    return (quantile(this.#frames.map(({ phaseMs }) => phaseMs), 0.5) + playedMs) / 1000;
  }

  get #isRough() {
    const jumps = this.#frames.slice(1).map(({ clockMs }, index) => Math.abs(clockMs - this.#frames[index].clockMs));
    return quantile(jumps, 0.5) > ROUGH_MS;
  }

  // How far currentTime is ahead of the frames, where that is beyond what the display's steps explain.
  get #lieMs() {
    if (this.#aheadMs === null) return 0;
    const ahead = quantile(this.#frames.map(({ phaseMs, clockMs }) => clockMs - phaseMs), 0.5);
    return Math.abs(ahead) > LIE_MS ? ahead : 0;
  }

  // How late a reading is, mostly: 0 where currentTime is no staircase.
  get #lagMs() {
    if (this.#lags.length < LAGS_KEPT / 2) return 0;
    const lagMs = quantile(this.#lags, 0.5);
    return lagMs > STAIR_MS ? lagMs : 0;
  }

  #noteLag(lagMs) {
    if (Math.abs(lagMs) > LAG_MAX_MS) return;
    this.#lags.push(lagMs);
    if (this.#lags.length > LAGS_KEPT) this.#lags.shift();
  }

  #watch() {
    this.#video.requestVideoFrameCallback((_, frame) => {
      if (!this.#video.seeking) this.#note(frame);
      this.#watch();
    });
  }

  #note({ mediaTime, expectedDisplayTime }) {
    const { currentTime, playbackRate, paused } = this.#video;
    const nowMs = performance.now();
    if (paused) return this.#noteStanding((mediaTime - currentTime) * 1000);
    const placeMs = mediaTime * 1000 - (this.#aheadMs ?? 0);
    this.reading.noteFrame(placeMs / 1000);
    this.#frames.push({
      phaseMs: placeMs - expectedDisplayTime * playbackRate,
      clockMs: currentTime * 1000 - nowMs * playbackRate,
    });
    if (this.#frames.length > KEPT) this.#frames.shift();
    this.#lastMs = nowMs;
  }

  // aheadMs: of the place, is the frame that is shown there. Most begin before it.
  #noteStanding(aheadMs) {
    if (!this.#stands || this.reading.isFalse || aheadMs > AHEAD_MAX_MS) return;
    this.#aheadMs = Math.max(0, aheadMs);
  }
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
