// The showing as controls see and command it.
//
// What is read here is the shared state, never the momentary one of the element, which pauses,
// hurries and seeks on its way there. A command goes to the server and takes effect when it comes
// back as state; until then `pending` names it. At their own pace the viewer commands their own
// player instead. Each command is made of a person's act (act.js), and of one that asks for something
// else than is shown: an element's request that merely follows what it shows comes to nothing.
// Emits 'change' when anything that is read here may have changed, and four times a
// second while the page refreshes it.
import { strings } from '../../strings.js';
import { Act } from './act.js';
import { LatestSender } from './latest_sender.js';
import { checkWebFilm } from './web_film_check.js';

const words = strings.controls;
const EXPECTED_FOR_MS = 1_500; // how long an answer is waited for before the truth is shown again
const SAME_S = 0.001;
const OWN = ['play', 'pause', 'seek', 'rate']; // what a viewer at their own pace does alone
const UNEXPECTED = ['cancelNext']; // no state comes of it

export class SharedPlayback extends EventTarget {
  /** @type {Room} */
  #room;
  #video;
  #follower;
  #tell;
  #now;
  #send;
  #seeks; // of {act, position}
  #expected = null; // {type, fields, untilMs}: commanded, not yet confirmed

  // tell(words): says to the viewer why nothing happens. timers, now: other ones for tests.
  /** @param {{room: Room, video: HTMLVideoElement, follower: any, tell: (words: string) => void, timers?: any, now?: () => number}} means */
  constructor({ room, video, follower, tell, timers, now = () => performance.now() }) {
    super();
    this.#room = room;
    this.#video = video;
    this.#follower = follower;
    this.#tell = tell;
    this.#now = now;
    this.#send = room.takeCommands();
    this.#seeks = new LatestSender((seek) => this.#sendSeek(seek), timers);
    room.addEventListener('state', () => this.#settle());
    room.addEventListener('refused', () => this.#settle());
    for (const type of /** @type {const} */ (['welcome', 'people', 'settings', 'phase'])) room.addEventListener(type, () => this.refresh());
    follower.addEventListener('change', () => this.refresh());
  }

  // Time passes without events: the page calls this a few times a second.
  refresh() {
    this.dispatchEvent(new Event('change'));
  }

  // At their own pace everybody may do everything: it concerns their own player only.
  get mayControl() {
    return this.#follower.detached || this.#room.mayControl;
  }

  // Why the viewer may not control, in words.
  get whyNot() {
    return words.notYours(this.#room.presence.hostName || strings.role.whoToAsk);
  }

  get playing() {
    if (this.#follower.detached) return !this.#video.paused;
    return Boolean(this.#room.timeline.state?.playing) && !this.over;
  }

  get over() {
    if (this.#follower.detached) return this.#video.ended;
    return this.#follower.measure().over;
  }

  get rate() {
    if (this.#follower.detached) return this.#follower.steered.rate.asked;
    return this.#room.timeline.state?.rate ?? 1;
  }

  // Infinity while it is not known.
  get durationS() {
    return this.#follower.measure().durationS;
  }

  // Where the viewer thinks the showing is: a seek under way counts.
  get position() {
    return this.#seeks.pending?.position ?? this.#positionShown;
  }

  // The command whose effect has not come back yet: 'play', 'pause', 'seek', 'rate', 'load' or null.
  get pending() {
    return this.#seeks.pending !== undefined ? 'seek' : (this.#stillExpected()?.type ?? null);
  }

  play(act) {
    if (this.#follower.blocked) this.#follower.unblock();
    if (!this.#willPlay) this.#command(act, 'play', this.over ? { position: 0 } : {});
  }

  pause(act) {
    if (this.#willPlay) this.#command(act, 'pause');
  }

  toggle(act) {
    if (this.#willPlay) this.pause(act);
    else this.play(act);
  }

  setRate(act, rate) {
    const expected = this.#stillExpected();
    if (rate !== (expected?.fields?.rate ?? this.rate)) this.#command(act, 'rate', { rate });
  }

  load(act, video) {
    if (video !== this.#room.timeline.state?.video) this.#command(act, 'load', { video });
  }

  // A film of the web, if this browser can play it. Resolves to why it is not loaded (web_film_check.js), or null.
  // isStillWanted(): asked when it has been looked at.
  async loadFromWeb(act, url, isStillWanted) {
    const { problem = null, durationS } = await checkWebFilm(url);
    const isNews = url !== this.#room.timeline.state?.video;
    if (!problem && isNews && isStillWanted()) this.#command(act, 'load', { url, duration: durationS });
    return problem;
  }

  // All players count down to the same moment.
  countDown(act, countdownMs) {
    if (this.#follower.blocked) this.#follower.unblock();
    this.#command(act, 'play', { ...(this.over ? { position: 0 } : {}), countdownMs });
  }

  // What comes next, now; item: another one of the queue.
  next(act) {
    this.#command(act, 'next', {});
  }

  jump(act, item) {
    this.#command(act, 'jump', { item });
  }

  cancelNext(act) {
    this.#command(act, 'cancelNext', {});
  }

  seekBy(act, seconds) {
    this.seekTo(act, this.position + seconds);
  }

  seekTo(act, position) {
    if (!this.mayControl) return this.refuse();
    this.#seeks.push({ act, position: Math.max(0, Math.min(position, this.durationS)) });
    this.refresh();
  }

  // share: of the whole, 0 to 1.
  seekToShare(act, share) {
    if (Number.isFinite(this.durationS)) this.seekTo(act, share * this.durationS);
  }

  // While a hand is on the seek bar nothing is sent; what it leaves is.
  holdSeeks() {
    this.#seeks.hold();
  }

  releaseSeeks() {
    this.#seeks.release();
  }

  // The browser's own controls have done it to the element already; the follower undoes it unless it
  // becomes so for all.
  followNative(act, { type, position }) {
    if (this.#follower.detached || !this.#room.mayControl) return;
    if (type === 'play') this.play(act);
    if (type === 'pause') this.pause(act);
    if (type === 'seek') this.seekTo(act, position);
    if (this.pending) this.#follower.yieldToViewer();
  }

  // Says why nothing happens.
  refuse() {
    this.#tell(this.whyNot);
    this.refresh();
  }

  // Whether it plays, or will once the last command comes back.
  get #willPlay() {
    const type = this.#stillExpected()?.type;
    return type === 'play' || (type !== 'pause' && this.playing);
  }

  get #positionShown() {
    if (this.#follower.detached) return this.#follower.placeS;
    const expected = this.#stillExpected();
    if (expected?.fields?.position !== undefined) return expected.fields.position;
    return this.#room.timeline.positionAt(this.#room.serverTimeMs()) || 0;
  }

  #sendSeek({ act, position }) {
    const isThere = !this.playing && Math.abs(position - this.#positionShown) < SAME_S;
    if (isThere) return this.refresh();
    this.#command(act, 'seek', { position });
  }

  #command(act, type, fields) {
    if (!(act instanceof Act)) throw new TypeError(`nobody asked for this ${type}`);
    if (this.#follower.detached && OWN.includes(type)) {
      this.#follower.act(type, fields);
      return this.refresh();
    }
    if (!this.#room.mayControl) return this.refuse();
    if (!this.#send(type, fields)) return this.#tell(words.offline);
    if (!UNEXPECTED.includes(type)) this.#expected = { type, fields, untilMs: this.#now() + EXPECTED_FOR_MS };
    this.refresh();
  }

  #stillExpected() {
    return this.#expected && this.#now() < this.#expected.untilMs ? this.#expected : null;
  }

  #settle() {
    this.#expected = null;
    this.refresh();
  }
}
