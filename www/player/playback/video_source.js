// Puts a video of the library into a <video>: in the cheapest form that this browser plays (forms.js), with captions
// and thumbnails.
//
// A form that is a stream is played by hls.js (film_stream.js), by the browser's own HLS where there is no Media Source.
// A form that cannot be played, or shows no picture or is not heard though the film has both, gives way to the next
// one, in place; so does a file of several sounds whose first one is not wanted.
// What can be repaired is: a lost connection is tried again for a while, a server that is busy for as long as it takes,
// and a film that was replaced is looked up anew. Emits 'form' when another one is played, 'entry' when another
// one is `current`, and 'problem' whenever `problem` or `missing` changes.
import { make } from '../../dom.js';
import { loadPart } from '../../load_part.js';
import { AudioTracks } from './audio_tracks.js';
import { addCaptionTracks } from './caption_tracks.js';
import { FilmLength } from './film_length.js';
import { FilmStream } from './film_stream.js';
import { formsOf, rememberFailure } from './forms.js';
import { PlayingCheck } from './playing_check.js';
import { keepOwnButtonAway } from './pop_out.js';
import { Preparation } from './preparation.js';
import { Quality } from './quality.js';
import { refusalOf } from './refusal_of_film.js';

const HLS_TYPE = 'application/vnd.apple.mpegurl';
const MADE = ['copy', 'transcode'];
const MEDIA_ERR_NETWORK = 2;
const MEDIA_ERR_DECODE = 3;
const RETRY_DELAYS_MS = [1_000, 2_000, 4_000];
const PART_TRIES_MAX = 3; // then the video is played without it, where that can be
const FAILURES_PASS_MS = 30_000; // after so long without another one they are forgotten

export class VideoSource extends EventTarget {
  problem = null; // why it cannot be played, a name in strings.problems
  missing = null; // 'picture' or 'sound': what this browser does not have of the film in any form
  current = null; // the library's entry that is loaded
  quality = new Quality();
  audio = new AudioTracks();
  preparation = new Preparation();

  #video;
  #length;
  #run = 0; // a number of its own for each time that something is loaded: what was asked for another one is void
  #stream = null;
  #forms = []; // of the current one, that are left to try; the first is the one that is played
  #check = null;
  #startS = 0;
  #reloads = 0;
  #failures = 0; // of the connection, one soon after the other
  #failedMs = -Infinity;
  #retryTimer = null;

  constructor(video) {
    super();
    this.#video = video;
    this.#length = new FilmLength(video);
    keepOwnButtonAway(video);
    video.addEventListener('error', () => this.#onError(video.error));
    video.addEventListener('loadeddata', () => this.#onThere());
    this.audio.addEventListener('change', () => this.#onAudio());
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
    this.#forms = [];
    this.audio.open(entry.tracks);
    this.#startAnew();
  }

  // Lets go of all that it holds.
  close() {
    this.#run += 1;
    this.#clear();
    this.current = null;
    this.#forms = [];
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  // After a problem, once more.
  retry() {
    if (this.problem) this.reload();
  }

  // What is loaded is described so by now; isOther: it is another file, which is played anew.
  renew(entry, { isOther }) {
    this.current = entry;
    if (!isOther) return;
    this.audio.open(entry.tracks);
    this.reload();
  }

  // From the beginning, whatever there was of it before: the file may be another one by now, and a browser
  // that has seen an address goes by what it remembers of it.
  reload() {
    if (!this.current) return;
    this.#reloads += 1;
    this.#stayHere();
    this.#startAnew();
  }

  // What the server says of the film now, where that is something else. Resolves to whether it is.
  async lookAgain() {
    const run = this.#run;
    if (!this.current?.forms) return false;
    const answer = await fetch(`/forms/${encodeURIComponent(this.current.id)}/film.json`, { cache: 'no-store' }).catch(() => null);
    const film = answer?.ok ? await answer.json().catch(() => null) : null;
    if (run !== this.#run || !film?.forms || isSame(film, this.current)) return false;
    this.current = { ...this.current, ...film };
    this.dispatchEvent(new Event('entry'));
    this.#stayHere();
    this.audio.open(film.tracks);
    this.#startAnew();
    return true;
  }

  #onThere() {
    this.preparation.relent();
    this.#setProblem(null);
  }

  #startAnew() {
    this.#failures = 0;
    this.preparation.relent();
    this.#forms = this.#formsNow();
    this.#start();
  }

  #formsNow() {
    return formsOf(this.current, this.#video, { soundPlace: this.audio.wanted });
  }

  #stayHere() {
    this.#startS = this.#video.currentTime || this.#startS;
  }

  // A stream has all sounds, a file the one that the browser takes.
  #onAudio() {
    if (this.form !== 'file') return;
    const forms = this.#formsNow();
    if (forms[0].form === 'file') return;
    this.#stayHere();
    this.#forms = forms;
    this.#start();
  }

  #start() {
    const entry = this.current;
    this.#run += 1;
    this.#clear();
    this.#video.poster = entry.poster ?? '';
    this.#addTracks(entry);
    const [form] = this.#forms;
    this.dispatchEvent(new Event('form'));
    this.#setMissing(null);
    if (form.isStream) this.#loadAdaptive(form);
    else this.#video.src = this.#addressOf(form);
    if (entry.tracks) this.#check = new PlayingCheck(this.#video, entry.tracks, (what) => this.#onMissing(what), { length: this.#length });
  }

  // What plays is not seen, or not heard. With nothing else to try a part is better than nothing.
  #onMissing(what) {
    if (this.#forms.length > 1) this.#takeNext(what, { isForGood: true });
    else this.#setMissing(what);
  }

  // isForGood: it is the browser that cannot play what this is made of, not this film alone.
  #takeNext(problem, { isForGood = problem === 'unsupported' } = {}) {
    if (this.#forms.length < 2) return this.#setProblem(problem);
    if (isForGood) rememberFailure(this.#forms[0]);
    this.#stayHere();
    this.preparation.relent();
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
    this.#stream?.destroy();
    this.#stream = null;
    this.quality.follow(null);
    this.audio.follow(null);
    this.preparation.follow(null);
    this.#video.replaceChildren();
    this.#setProblem(null);
  }

  #addTracks(entry) {
    addCaptionTracks(this.#video, entry);
    // By this name and kind the seek bar finds them.
    if (entry.thumbnails) {
      this.#video.append(make('track', { kind: 'metadata', label: 'thumbnails', src: entry.thumbnails, default: true }));
    }
  }

  async #loadAdaptive(form) {
    const run = this.#run;
    const part = loadPart(() => import('/vendor/hls.js/hls.min.mjs'), { triesMax: PART_TRIES_MAX });
    const { default: Hls, needsReload, code } = await part.catch((trouble) => trouble);
    if (run !== this.#run) return;
    if (Hls?.isSupported()) this.#play(Hls, form);
    else if (this.#video.canPlayType(HLS_TYPE)) this.#video.src = form.url;
    else this.#takeNext(needsReload ? 'part' : code ? 'network' : 'adaptive');
  }

  #play(Hls, form) {
    this.#stream = new FilmStream(Hls, this.#video, {
      url: form.url,
      startS: this.#startS,
      isMade: MADE.includes(form.form),
      parts: this,
      handlers: {
        onRefused: (refusal, isPlaylist, isFinal) => this.#onRefused(refusal, isPlaylist, isFinal),
        onUndecodable: (problem) => this.#onUndecodable(problem),
      },
    });
  }

  // A form that cannot be made of this film (422), or not soon (503 for its playlist), gives way to the next one.
  #onRefused(refusal, isPlaylist, isFinal) {
    const { status } = refusal;
    const isSlow = status === 503 && isPlaylist;
    if (isFinal && (status === 422 || isSlow) && this.#forms.length > 1) return this.#takeNext('unsupported', { isForGood: false });
    if (status === 503) return this.#waitFor(refusal, isFinal);
    if (!isFinal) return undefined;
    if (status === 422) return this.#setProblem('unmade');
    return status === 404 ? this.#onGone() : this.#tryAgain();
  }

  // For as long as it takes.
  #waitFor({ code, retryAfterMs }, isFinal) {
    this.preparation.refuse(code === 'unavailable' ? 'unreadable' : 'busy');
    if (isFinal) this.#resumeIn(retryAfterMs);
  }

  async #onGone() {
    const run = this.#run;
    if (!(await this.lookAgain()) && run === this.#run) this.#setProblem('missing');
  }

  async #onError(error) {
    const run = this.#run;
    if (!error || !this.current || this.#stream) return; // a stream tells of its own
    const { problem, refusal } = await this.#explain(error);
    if (run !== this.#run || this.#video.error !== error) return;
    if (refusal) this.#onRefused(refusal, false, true);
    else if (problem === 'network') this.#tryAgain();
    else this.#onUndecodable(problem);
  }

  // What stumbles in mid-film is damaged there, in any form.
  #onUndecodable(problem) {
    if (problem === 'decode' && this.#check?.isPassed) this.#setProblem(problem);
    else this.#takeNext(problem);
  }

  // A source that cannot be had and one that cannot be understood raise the same error.
  async #explain({ code }) {
    if (code === MEDIA_ERR_DECODE) return { problem: 'decode' };
    try {
      const response = await fetch(this.#forms[0].url, { method: 'HEAD', cache: 'no-store' });
      // Of a file the server says no more by HEAD: it cannot be opened for now.
      if (!response.ok) return { refusal: { ...refusalOf(response), code: 'unavailable' } };
      return { problem: code === MEDIA_ERR_NETWORK ? 'network' : 'unsupported' };
    } catch {
      return { problem: 'network' };
    }
  }

  #tryAgain() {
    const nowMs = performance.now();
    if (nowMs - this.#failedMs > FAILURES_PASS_MS) this.#failures = 0;
    this.#failedMs = nowMs;
    const delayMs = RETRY_DELAYS_MS[this.#failures];
    if (delayMs === undefined) return this.#setProblem('network');
    this.#failures += 1;
    this.#resumeIn(delayMs);
  }

  #resumeIn(delayMs) {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#resume(), delayMs);
  }

  // A stream goes on with the segment that failed; a file is loaded anew, from the place that was
  // reached, which the follower corrects.
  #resume() {
    if (this.#stream?.resume()) return;
    this.#stayHere();
    this.#start();
  }

  #setProblem(problem) {
    if (problem === this.problem) return;
    this.problem = problem;
    this.dispatchEvent(new Event('problem'));
  }

  #setMissing(what) {
    if (what === this.missing) return;
    this.missing = what;
    this.dispatchEvent(new Event('problem'));
  }
}

// Their URLs name the film's version.
function isSame(film, { forms, endsEarly }) {
  return film.endsEarly === endsEarly && JSON.stringify(film.forms) === JSON.stringify(forms);
}
