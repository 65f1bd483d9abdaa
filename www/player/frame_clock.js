// Where a player really is: from the frames on the screen where the browser tells of them
// (requestVideoFrameCallback), from currentTime otherwise (a hidden page, sound without pictures).

const FRAME_STALE_MS = 250;

export class FrameClock {
  #video;
  #frame = null; // {mediaTime, shownMs}: the newest one

  constructor(video) {
    this.#video = video;
    for (const type of ['seeking', 'pause', 'emptied', 'ratechange', 'waiting']) {
      video.addEventListener(type, () => (this.#frame = null));
    }
    if (typeof video.requestVideoFrameCallback === 'function') this.#watch();
  }

  // Seconds of media time at local time `nowMs` (performance.now()).
  positionAt(nowMs) {
    const video = this.#video;
    const frame = this.#frame;
    if (video.paused || video.seeking || !frame) return video.currentTime;
    const sinceMs = nowMs - frame.shownMs;
    if (sinceMs > FRAME_STALE_MS) return video.currentTime;
    return frame.mediaTime + (sinceMs / 1000) * video.playbackRate;
  }

  #watch() {
    this.#video.requestVideoFrameCallback((_, { mediaTime, expectedDisplayTime }) => {
      this.#frame = { mediaTime, shownMs: expectedDisplayTime };
      this.#watch();
    });
  }
}
