// Whether what plays is seen and heard: a picture has a size and frames that were decoded, sound has bytes that were.
// Calls onMissing('picture' or 'sound') once, when it has played for long enough to tell. Near the film's end its sound
// may be over already: silence there tells nothing.

const TELLING_S = 1.5; // of film that has gone by
const JUMP_S = 1; // between two looks: a seek, nothing that has played
const END_S = 10; // in which a sound may be over before the picture; of a short film the second half

export class PlayingCheck {
  isPassed = false; // it was seen, and heard

  #video;
  #page;
  #tracks;
  #onMissing;
  #length;
  #playedS = 0;
  #lastS = null;
  #framesBefore = 0;
  #bytesBefore = 0;
  #look = () => this.#onTime();

  // tracks: of the library's entry, {video?, audio}. length: the FilmLength of `video`. page: another one for tests.
  constructor(video, tracks, onMissing, { length, page = document }) {
    this.#video = video;
    this.#page = page;
    this.#tracks = tracks;
    this.#onMissing = onMissing;
    this.#length = length;
    this.#framesBefore = framesOf(video);
    this.#bytesBefore = video.webkitAudioDecodedByteCount ?? 0;
    video.addEventListener('timeupdate', this.#look);
  }

  stop() {
    this.#video.removeEventListener('timeupdate', this.#look);
  }

  #onTime() {
    const { currentTime, paused, seeking } = this.#video;
    const stepS = this.#lastS === null ? 0 : currentTime - this.#lastS;
    this.#lastS = currentTime;
    if (paused || seeking || stepS <= 0 || stepS > JUMP_S) return;
    // In a hidden page some browsers decode no pictures.
    if (this.#page.hidden) return;
    this.#playedS += stepS;
    if (this.#playedS < TELLING_S) return;
    const isSeen = !this.#tracks.video || this.#hasPicture();
    const isHeard = !(this.#tracks.audio?.length > 0) || this.#hasSound();
    if (isSeen && !isHeard && this.#isNearEnd(currentTime)) return; // it may be played elsewhere yet
    this.stop();
    this.isPassed = isSeen && isHeard;
    if (!this.isPassed) this.#onMissing(isSeen ? 'sound' : 'picture');
  }

  #isNearEnd(positionS) {
    const { seconds } = this.#length;
    return positionS > seconds - Math.min(END_S, seconds / 2);
  }

  #hasPicture() {
    if (this.#video.videoWidth === 0) return false;
    const frames = framesOf(this.#video);
    return Number.isNaN(frames) || frames !== this.#framesBefore;
  }

  // Each engine has a way of its own to tell, and what none tells is believed.
  #hasSound() {
    const { webkitAudioDecodedByteCount: bytes, mozHasAudio, audioTracks } = this.#video;
    if (bytes !== undefined) return bytes !== this.#bytesBefore;
    if (mozHasAudio !== undefined) return mozHasAudio;
    return audioTracks === undefined || audioTracks.length > 0;
  }
}

// NaN: this browser does not count them.
const framesOf = (video) => video.getVideoPlaybackQuality?.().totalVideoFrames ?? NaN;
