// Puts a video of the library into a <video>: the file or its adaptive stream, and its captions.
//
// hls.js is fetched only where a video has a playlist and the browser cannot play one by itself.
// Emits 'problem' whenever `problem` changes: the reason why it cannot be played, a name in
// strings.problems, or null.
import { make } from '../dom.js';

const HLS_TYPE = 'application/vnd.apple.mpegurl';
const HLS_SCRIPT = '/vendor/hls.js/hls.light.min.mjs';
// The follower alone sets the rate and the place: no catching up with a live edge.
const HLS_OPTIONS = { enableWorker: false, maxLiveSyncPlaybackRate: 1 };
const MEDIA_ERR_NETWORK = 2;
const MEDIA_ERR_DECODE = 3;

export class VideoSource extends EventTarget {
  problem = null;
  current = null; // the library's entry that is loaded

  #video;
  #hls = null;

  constructor(video) {
    super();
    this.#video = video;
    video.addEventListener('error', () => this.#onError(video.error));
    video.addEventListener('loadedmetadata', () => this.#setProblem(null));
  }

  // entry: {id, url, hls?, poster?, captions}. Loading what is loaded already changes nothing.
  async load(entry) {
    if (this.current?.id === entry.id && !this.problem) return;
    this.current = entry;
    this.#clear();
    this.#video.poster = entry.poster ?? '';
    this.#addCaptions(entry.captions ?? []);
    if (!entry.hls || this.#video.canPlayType(HLS_TYPE)) {
      this.#video.src = entry.hls ?? entry.url;
    } else {
      await this.#loadAdaptive(entry);
    }
  }

  retry() {
    if (this.problem && this.current) this.load(this.current);
  }

  #clear() {
    this.#hls?.destroy();
    this.#hls = null;
    this.#video.replaceChildren();
    this.#setProblem(null);
  }

  #addCaptions(captions) {
    for (const { lang, label, url } of captions) {
      this.#video.append(make('track', { kind: 'captions', srclang: lang, label: label || lang, src: url }));
    }
  }

  async #loadAdaptive(entry) {
    const Hls = await import(HLS_SCRIPT).then((module) => module.default, () => null);
    if (this.current !== entry) return;
    if (!Hls?.isSupported()) return this.#loadWithoutAdaptive(entry);
    this.#hls = new Hls(HLS_OPTIONS);
    this.#hls.on(Hls.Events.ERROR, (_, { fatal, type, response }) => {
      if (!fatal) return;
      if (type === Hls.ErrorTypes.NETWORK_ERROR) {
        this.#setProblem(response?.code === 404 ? 'missing' : 'network');
      } else {
        this.#setProblem('decode');
      }
    });
    this.#hls.loadSource(entry.hls);
    this.#hls.attachMedia(this.#video);
  }

  #loadWithoutAdaptive(entry) {
    if (entry.url && entry.url !== entry.hls) this.#video.src = entry.url;
    else this.#setProblem('adaptive');
  }

  async #onError(error) {
    const entry = this.current;
    if (!error || !entry) return;
    const reason = await this.#explain(error, entry);
    if (this.current === entry && this.#video.error === error) this.#setProblem(reason);
  }

  // A source that cannot be had and one that cannot be understood raise the same error.
  async #explain({ code }, entry) {
    if (code === MEDIA_ERR_NETWORK) return 'network';
    if (code === MEDIA_ERR_DECODE) return 'decode';
    try {
      const response = await fetch(entry.hls ?? entry.url, { method: 'HEAD', cache: 'no-store' });
      if (response.status === 404) return 'missing';
      return response.ok ? 'unsupported' : 'network';
    } catch {
      return 'network';
    }
  }

  #setProblem(problem) {
    if (problem === this.problem) return;
    this.problem = problem;
    this.dispatchEvent(new Event('problem'));
  }
}
