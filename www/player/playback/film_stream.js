// One form of a film that is a stream, played by hls.js by Media Source: it tells the qualities and the sounds, and is
// as exact as a file. Says what it cannot mend; a decoder that stumbled gets its data anew.
import { refusalOf } from './refusal_of_film.js';

const OPTIONS = {
  enableWorker: false, // it would be made from a blob:, which the page's policy forbids
  maxLiveSyncPlaybackRate: 1, // the follower alone sets the rate and the place
  capLevelToPlayerSize: true,
  maxBufferLength: 30,
  maxMaxBufferLength: 60, // a quality that turns out too high is not held for minutes
  backBufferLength: 30,
};
const ANSWER_MS = 15_000; // the server answers within 10 s, with a refusal where it has nothing else
const TIMEOUT_RETRY = { retryDelayMs: 1_000, maxRetryDelayMs: 8_000 }; // not at once: it has much to do
const REPAIR_GAP_MS = 5_000; // a decoder that stumbles again within that cannot be helped

export class FilmStream {
  #Hls;
  #hls;
  #video;
  #startS;
  #handlers;
  #repairedMs = -Infinity;

  // parts: {quality, audio, preparation} of a VideoSource. isMade: by the server, on demand. handlers:
  //   onRefused(refusal, isPlaylist, isFinal)  of refusal_of_film.js; isFinal: hls.js does not try again
  //   onUndecodable(problem)                   'decode' or 'unsupported'
  constructor(Hls, video, { url, startS, isMade, parts, handlers }) {
    this.#Hls = Hls;
    this.#video = video;
    this.#startS = startS;
    this.#handlers = handlers;
    const hls = new Hls({ ...OPTIONS, startPosition: startS, ...patience(Hls.DefaultConfig) });
    this.#hls = hls;
    hls.on(Hls.Events.ERROR, (_, data) => this.#hls === hls && this.#onError(data));
    parts.quality.follow(hls, Hls.Events);
    parts.audio.follow(hls, Hls.Events);
    parts.preparation.follow(isMade ? hls : null, Hls.Events);
    hls.loadSource(url);
    hls.attachMedia(video);
  }

  destroy() {
    const hls = this.#hls;
    this.#hls = null;
    hls.destroy();
  }

  // Goes on with the segment that failed. False where there is no playlist yet: it has to be loaded anew.
  // Where nothing has come yet hls.js (1.7) would begin at the film's begin: it remembers no place then.
  resume() {
    if (this.#hls.levels.length === 0) return false;
    this.#hls.startLoad(this.#video.readyState > 0 ? -1 : this.#startS);
    return true;
  }

  #onError({ type, details, fatal, response, networkDetails }) {
    if (type === this.#Hls.ErrorTypes.NETWORK_ERROR) {
      const isPlaylist = details.startsWith('manifest');
      return this.#handlers.onRefused(refusalOf(networkDetails, response?.code), isPlaylist, fatal);
    }
    if (!fatal) return undefined;
    if (type === this.#Hls.ErrorTypes.MEDIA_ERROR && this.#mayRepair()) return this.#hls.recoverMediaError();
    const unknown = details === this.#Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;
    return this.#handlers.onUndecodable(unknown ? 'unsupported' : 'decode');
  }

  #mayRepair() {
    const nowMs = performance.now();
    const may = nowMs - this.#repairedMs > REPAIR_GAP_MS;
    this.#repairedMs = nowMs;
    return may;
  }
}

const patient = ({ default: usual, ...policy }) => ({
  ...policy, default: { ...usual, maxTimeToFirstByteMs: ANSWER_MS, timeoutRetry: { ...usual.timeoutRetry, ...TIMEOUT_RETRY } },
});

// What is made on demand, playlists and segments, may take as long as the server takes to refuse it.
function patience({ fragLoadPolicy, playlistLoadPolicy }) {
  return { fragLoadPolicy: patient(fragLoadPolicy), playlistLoadPolicy: patient(playlistLoadPolicy) };
}
