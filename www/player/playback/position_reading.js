// What a <video> says of its position, and whether that can be.
//
// WebKit with GStreamer was recorded, on a busy machine, to say 0 from about 0.6 s after a seek until the next one, for
// 2 to 21 s, while sound and picture ran as they should; why is not known. A player that was elsewhere, and that nobody
// has sent to the beginning, is not there. Until the next seek, which mends it, only its frames tell where it is.

const AWAY_S = 0.5; // so far from the beginning nobody can have come back to it unseen

export class PositionReading {
  #video;
  #lastS = 0; // where it was last known to be

  constructor(video) {
    this.#video = video;
    video.addEventListener('seeking', () => (this.#lastS = video.currentTime));
    video.addEventListener('emptied', () => (this.#lastS = 0));
  }

  // Whether what it says now cannot be.
  get isFalse() {
    const { currentTime, seeking } = this.#video;
    return currentTime === 0 && !seeking && this.#lastS > AWAY_S;
  }

  // Seconds: what it says where that can be, else where it was last known to be.
  get placeS() {
    if (!this.isFalse) this.#lastS = this.#video.currentTime;
    return this.#lastS;
  }

  // A frame of that media time is shown, and it plays.
  noteFrame(mediaTimeS) {
    if (this.#video.currentTime === 0) this.#lastS = mediaTimeS;
  }
}
