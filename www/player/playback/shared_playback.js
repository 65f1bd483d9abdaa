// The showing as controls see and command it.
//
// What is read here is the shared state, never the momentary one of the element, which pauses,
// hurries and seeks on its way there. A command goes to the server and takes effect when it comes
// back as state; until then `pending` names it. At their own pace the viewer commands their own
// player instead. Emits 'change' when anything that is read here may have changed, and four times a
// second while the page refreshes it.
import { strings } from '../../strings.js';
import { LatestSender } from './latest_sender.js';

const words = strings.controls;
const EXPECTED_FOR_MS = 1_500; // how long an answer is waited for before the truth is shown again

export class SharedPlayback extends EventTarget {
  #room;
  #video;
  #follower;
  #tell;
  #now;
  #seeks;
  #expected = null; // {type, position?, untilMs}: commanded, not yet confirmed

  // tell(words): says to the viewer why nothing happens. timers, now: other ones for tests.
  constructor({ room, video, follower, tell, timers, now = () => performance.now() }) {
    super();
    this.#room = room;
    this.#video = video;
    this.#follower = follower;
    this.#tell = tell;
    this.#now = now;
    this.#seeks = new LatestSender((position) => this.#command('seek', { position }), timers);
    room.addEventListener('state', () => this.#settle());
    room.addEventListener('refused', () => this.#settle());
    for (const type of ['welcome', 'people', 'settings', 'phase']) room.addEventListener(type, () => this.refresh());
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
    if (this.#follower.detached) return this.#video.playbackRate;
    return this.#room.timeline.state?.rate ?? 1;
  }

  // Where the viewer thinks the showing is: a seek under way counts.
  get position() {
    if (this.#seeks.pending !== undefined) return this.#seeks.pending;
    if (this.#follower.detached) return this.#video.currentTime;
    const expected = this.#stillExpected();
    if (expected?.position !== undefined) return expected.position;
    return this.#room.timeline.positionAt(this.#room.serverTimeMs()) || 0;
  }

  // The command whose effect has not come back yet: 'play', 'pause', 'seek', 'rate' or null.
  get pending() {
    return this.#seeks.pending !== undefined ? 'seek' : (this.#stillExpected()?.type ?? null);
  }

  play() {
    if (this.#follower.blocked) this.#follower.unblock();
    this.#command('play', this.over ? { position: 0 } : {});
  }

  pause() {
    this.#command('pause');
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  setRate(rate) {
    this.#command('rate', { rate });
  }

  seekBy(seconds) {
    this.seekTo(this.position + seconds);
  }

  seekTo(position) {
    if (!this.mayControl) return this.refuse();
    const { duration } = this.#video;
    const end = Number.isFinite(duration) ? duration : Infinity;
    this.#seeks.push(Math.max(0, Math.min(position, end)));
    this.refresh();
  }

  // While a hand is on the seek bar nothing is sent; what it leaves is.
  holdSeeks() {
    this.#seeks.hold();
  }

  releaseSeeks() {
    this.#seeks.release();
  }

  // Says why nothing happens.
  refuse() {
    this.#tell(this.whyNot);
    this.refresh();
  }

  #command(type, fields) {
    if (this.#follower.detached) {
      this.#follower.act(type, fields);
      return this.refresh();
    }
    if (!this.#room.mayControl) return this.refuse();
    if (!this.#room.send(type, fields)) return this.#tell(words.offline);
    this.#expected = { type, position: fields?.position, untilMs: this.#now() + EXPECTED_FOR_MS };
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
