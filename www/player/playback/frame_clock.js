// Where a player really is, to a few milliseconds.
//
// Two things tell: currentTime, which in most browsers is the clock of the sound and moves smoothly,
// and the frames on the screen (requestVideoFrameCallback), which tell the truth but come in the steps of
// the display: a frame stands up to half its length beside the sound. So currentTime is believed where
// it moves smoothly and agrees with the frames to within such a step. Where it comes in jumps the frames
// are followed, and where it lies steadily it is set right by them.

const FRAME_STALE_MS = 250;
const KEPT = 24; // frames
const ENOUGH = 6; // ... to judge by
const ROUGH_MS = 12; // a currentTime that jumps by so much is no clock
const LIE_MS = 45; // more than the step of any display

export class FrameClock {
  #video;
  #frames = []; // {phaseMs, clockMs}: media minus local time, by the frame and by currentTime; oldest first
  #lastMs = -Infinity; // local time of the newest frame

  constructor(video) {
    this.#video = video;
    for (const type of ['seeking', 'pause', 'emptied', 'ratechange', 'waiting', 'playing']) {
      video.addEventListener(type, () => (this.#frames = []));
    }
    if (typeof video.requestVideoFrameCallback === 'function') this.#watch();
  }

  // Seconds of media time at local time `nowMs` (performance.now(), now).
  positionAt(nowMs) {
    const { currentTime, paused, seeking, playbackRate } = this.#video;
    if (paused || seeking || this.#frames.length < ENOUGH || nowMs - this.#lastMs > FRAME_STALE_MS) return currentTime;
    if (this.#isRough) return (median(this.#frames.map(({ phaseMs }) => phaseMs)) + nowMs * playbackRate) / 1000;
    return currentTime - this.#lieMs / 1000;
  }

  get #isRough() {
    const jumps = this.#frames.slice(1).map(({ clockMs }, index) => Math.abs(clockMs - this.#frames[index].clockMs));
    return median(jumps) > ROUGH_MS;
  }

  // How far currentTime is ahead of the frames, where that is beyond what the display's steps explain.
  get #lieMs() {
    const ahead = median(this.#frames.map(({ phaseMs, clockMs }) => clockMs - phaseMs));
    return Math.abs(ahead) > LIE_MS ? ahead : 0;
  }

  #watch() {
    this.#video.requestVideoFrameCallback((_, { mediaTime, expectedDisplayTime }) => {
      const { currentTime, playbackRate, paused } = this.#video;
      const nowMs = performance.now();
      if (!paused) {
        this.#frames.push({
          phaseMs: mediaTime * 1000 - expectedDisplayTime * playbackRate,
          clockMs: currentTime * 1000 - nowMs * playbackRate,
        });
        if (this.#frames.length > KEPT) this.#frames.shift();
        this.#lastMs = nowMs;
      }
      this.#watch();
    });
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
