// Puts a video of the library into a <video>: in the cheapest form that this browser plays (forms.js), with captions
// and thumbnails.
//
// A form that is a stream is played by hls.js by Media Source, which tells the qualities and is as
// exact as a file; by the browser's own HLS where there is no Media Source. A form that cannot be played, or shows no
// picture or is not heard though the film has both, gives way to the next one, in place.
// What can be repaired is: a lost connection is tried again for a while, a decoder that stumbled gets
// its data anew. Emits 'form' when another one is played, and 'problem' whenever `problem` changes: the reason why it cannot be played, a name
// in strings.problems, or null.
import { make } from '../../dom.js';
import { languageName } from '../../language_name.js';
import { loadPart } from '../../load_part.js';
import { formsOf, rememberFailure } from './forms.js';
import { PlayingCheck } from './playing_check.js';
import { keepOwnButtonAway } from './pop_out.js';
import { Quality } from './quality.js';

const HLS_TYPE = 'application/vnd.apple.mpegurl';
const HLS_OPTIONS = {
  enableWorker: false, // it would be made from a blob:, which the page's policy forbids
  maxLiveSyncPlaybackRate: 1, // the follower alone sets the rate and the place
  capLevelToPlayerSize: true,
  maxBufferLength: 30,
  maxMaxBufferLength: 60, // a quality that turns out too high is not held for minutes
  backBufferLength: 30,
};
const MEDIA_ERR_NETWORK = 2;
const MEDIA_ERR_DECODE = 3;
const RETRY_DELAYS_MS = [1_000, 2_000, 4_000];
const PART_TRIES_MAX = 3; // then the video is played without it, where that can be
const FAILURES_PASS_MS = 30_000; // after so long without another one they are forgotten
const REPAIR_GAP_MS = 5_000; // a decoder that stumbles again within that cannot be helped

export class VideoSource extends EventTarget {
  problem = null;
  current = null; // the library's entry that is loaded
  quality = new Quality();

  #video;
  #hls = null;
  #forms = []; // of the current one, that are left to try; the first is the one that is played
  #check = null;
  #startS = 0;
  #reloads = 0;
  #failures = 0; // of the connection, one soon after the other
  #failedMs = -Infinity;
  #retryTimer = null;
  #repairedMs = -Infinity;

  constructor(video) {
    super();
    this.#video = video;
    keepOwnButtonAway(video);
    video.addEventListener('error', () => this.#onError(video.error));
    video.addEventListener('loadeddata', () => this.#setProblem(null));
  }

  // What is played of `forms`: 'file', 'copy', 'transcode' or 'stream'; null where nothing is loaded.
  get form() {
    return this.#forms[0]?.form ?? null;
  }

  // entry: {id, url, forms?, tracks?, hls?, poster?, thumbnails?, captions}. startS: where the showing is, so that the
  // first segment to be fetched is the right one. Loading what is loaded already changes nothing.
  load(entry, startS = 0) {
    if (this.current?.id === entry.id && !this.problem) return;
    this.current = entry;
    this.#startS = startS;
    this.#failures = 0;
    this.#forms = formsOf(entry, this.#video);
    this.#start();
  }

  // After a problem, once more.
  retry() {
    if (this.problem) this.reload();
  }

  // What is loaded is described so by now; isOther: it is another file, which is played anew.
  renew(entry, { isOther }) {
    this.current = entry;
    if (isOther) this.reload();
  }

  // From the beginning, whatever there was of it before: the file may be another one by now, and a browser
  // that has seen an address goes by what it remembers of it.
  reload() {
    if (!this.current) return;
    this.#reloads += 1;
    this.#startS = this.#video.currentTime || this.#startS;
    this.#failures = 0;
    this.#forms = formsOf(this.current, this.#video);
    this.#start();
  }

  #start() {
    const entry = this.current;
    this.#clear();
    this.#video.poster = entry.poster ?? '';
    this.#addTracks(entry);
    const [form] = this.#forms;
    this.dispatchEvent(new Event('form'));
    if (form.isStream) this.#loadAdaptive(entry, form);
    else this.#video.src = this.#addressOf(form);
    if (entry.tracks) this.#check = new PlayingCheck(this.#video, entry.tracks, (what) => this.#onMissing(what));
  }

  // What plays is not seen, or not heard. With nothing else to try a part is better than nothing.
  #onMissing(what) {
    if (this.#forms.length > 1) this.#takeNext(what, { isForGood: true });
  }

  // isForGood: it is the browser that cannot play what this is made of, not this film alone.
  #takeNext(problem, { isForGood = problem === 'unsupported' } = {}) {
    if (this.#forms.length < 2) return this.#setProblem(problem);
    if (isForGood) rememberFailure(this.#forms[0]);
    this.#startS = this.#video.currentTime || this.#startS;
    this.#forms = this.#forms.slice(1);
    this.#failures = 0;
    this.#start();
  }

  #addressOf({ url }) {
    if (this.#reloads === 0) return url;
    return `${url}${url.includes('?') ? '&' : '?'}again=${this.#reloads}`;
  }

  #clear() {
    clearTimeout(this.#retryTimer);
    this.#check?.stop();
    this.#check = null;
    this.#hls?.destroy();
    this.#hls = null;
    this.quality.follow(null);
    this.#video.replaceChildren();
    this.#setProblem(null);
  }

  #addTracks({ captions = [], tracks, thumbnails }) {
    const inside = (tracks?.subtitles ?? []).filter(({ url }) => url);
    for (const { lang, label, url } of [...captions, ...inside]) {
      this.#video.append(make('track', { kind: 'captions', srclang: lang, label: languageName(lang, label || lang), src: url }));
    }
    // By this name and kind the seek bar finds them.
    if (thumbnails) {
      this.#video.append(make('track', { kind: 'metadata', label: 'thumbnails', src: thumbnails, default: true }));
    }
  }

  async #loadAdaptive(entry, form) {
    const part = loadPart(() => import('/vendor/hls.js/hls.min.mjs'), { triesMax: PART_TRIES_MAX });
    const { default: Hls, needsReload, code } = await part.catch((trouble) => trouble);
    if (this.current !== entry || this.#forms[0] !== form || this.#hls) return;
    if (Hls?.isSupported()) return this.#play(Hls, form);
    if (this.#video.canPlayType(HLS_TYPE)) this.#video.src = form.url;
    else this.#takeNext(needsReload ? 'part' : code ? 'network' : 'adaptive');
  }

  #play(Hls, form) {
    const hls = new Hls({ ...HLS_OPTIONS, startPosition: this.#startS });
    this.#hls = hls;
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && this.#hls === hls && this.#onFatal(Hls, data));
    this.quality.follow(hls, Hls.Events);
    hls.loadSource(form.url);
    hls.attachMedia(this.#video);
  }

  #onFatal(Hls, { type, details, response }) {
    if (type === Hls.ErrorTypes.NETWORK_ERROR) return this.#onRefused(response?.code, details);
    if (type === Hls.ErrorTypes.MEDIA_ERROR && this.#mayRepair()) return this.#hls.recoverMediaError();
    const unknown = details === Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;
    return this.#onUndecodable(unknown ? 'unsupported' : 'decode');
  }

  // A form that cannot be made of this film (422), or not soon (503 for its playlist), gives way to the next one.
  #onRefused(status, details) {
    const isSlow = status === 503 && details.startsWith('manifest');
    if ((status === 422 || isSlow) && this.#forms.length > 1) return this.#takeNext('unsupported', { isForGood: false });
    if (status === 422) return this.#setProblem('unsupported');
    return this.#tryAgain(status === 404 ? 'missing' : status === 503 ? 'busy' : 'network');
  }

  #mayRepair() {
    const nowMs = performance.now();
    const may = nowMs - this.#repairedMs > REPAIR_GAP_MS;
    this.#repairedMs = nowMs;
    return may;
  }

  async #onError(error) {
    const entry = this.current;
    if (!error || !entry || this.#hls) return; // hls.js tells of its own
    const reason = await this.#explain(error);
    if (this.current !== entry || this.#video.error !== error) return;
    if (reason === 'network') this.#tryAgain(reason);
    else if (reason === 'missing') this.#setProblem(reason);
    else this.#onUndecodable(reason);
  }

  // What stumbles in mid-film is damaged there, in any form.
  #onUndecodable(problem) {
    if (problem === 'decode' && this.#check?.isPassed) this.#setProblem(problem);
    else this.#takeNext(problem);
  }

  // A source that cannot be had and one that cannot be understood raise the same error.
  async #explain({ code }) {
    if (code === MEDIA_ERR_NETWORK) return 'network';
    if (code === MEDIA_ERR_DECODE) return 'decode';
    try {
      const response = await fetch(this.#forms[0].url, { method: 'HEAD', cache: 'no-store' });
      if (response.status === 404) return 'missing';
      return response.ok ? 'unsupported' : 'network';
    } catch {
      return 'network';
    }
  }

  #tryAgain(reason) {
    const nowMs = performance.now();
    if (nowMs - this.#failedMs > FAILURES_PASS_MS) this.#failures = 0;
    this.#failedMs = nowMs;
    const delayMs = RETRY_DELAYS_MS[this.#failures];
    if (reason === 'missing' || delayMs === undefined) return this.#setProblem(reason);
    this.#failures += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#resume(), delayMs);
  }

  // A stream goes on with the segment that failed; a file is loaded anew, from the place that was
  // reached, which the follower corrects.
  #resume() {
    if (this.#hls?.levels.length > 0) return this.#hls.startLoad();
    this.#startS = this.#video.currentTime || this.#startS;
    this.#start();
  }

  #setProblem(problem) {
    if (problem === this.problem) return;
    this.problem = problem;
    this.dispatchEvent(new Event('problem'));
  }
}
