// How long the film is. Nobody else asks the element that: some of them (WebKit's with GStreamer) take the place that
// they have reached for the end, now and then. So what the library says of it is the truth; where it says nothing, the
// longest that the element has said of this film is, for no film becomes shorter.

export class FilmLength {
  #video;
  #libraryS;
  #longestS = 0; // that the element has said of what is loaded

  // libraryS(): the seconds that the library says the film has, undefined where it does not know.
  constructor(video, libraryS = () => undefined) {
    this.#video = video;
    this.#libraryS = libraryS;
    video.addEventListener('durationchange', () => this.#note());
    for (const type of ['emptied', 'loadstart']) video.addEventListener(type, () => (this.#longestS = 0));
  }

  // Infinity while nobody knows.
  get seconds() {
    this.#note();
    const libraryS = this.#libraryS();
    return isLength(libraryS) ? libraryS : this.#longestS || Infinity;
  }

  // What the element goes by, true or not: where it takes the end to be it stops, and goes by itself. NaN while it has
  // no idea.
  get elementsS() {
    return this.#video.duration;
  }

  #note() {
    const { duration } = this.#video;
    if (isLength(duration)) this.#longestS = Math.max(this.#longestS, duration);
  }
}

function isLength(seconds) {
  return Number.isFinite(seconds) && seconds > 0;
}
