// Makes a <video> follow the showing: reads both, asks the controller, does what it says.
//
// Nothing else of ours moves the element, and nothing here can send a command: whatever happens to the
// element is undone, unless it was a viewer's wish (shared_playback.js) who may have it, and it has a
// moment to come back for all. Emits 'change' when `buffering`, `blocked`, `ranOut`, `detached` or `shiftMs` turns.
import { SyncController } from '../../sync/controller.js';
import { boundShift, shiftTarget } from '../../sync/shift.js';
import { DataWatch, isBuffered, isShortOfData } from './data_watch.js';
import { FilmLength } from './film_length.js';
import { FrameClock } from './frame_clock.js';
import { SteeredVideo } from './steered_video.js';

const TICK_MS = 100;
const ACTIONS_A_TICK = 3; // pause, then seek, then done
const BUFFERING_AFTER_MS = 250; // shorter ones are nobody's concern
const YIELD_MS = 1_000; // how long a command of the viewer's own may take to come back
const AT_END_S = 1; // so close to its end a player may run out of media by itself
const HAVE_METADATA = 1;

export class Follower extends EventTarget {
  controller = new SyncController();
  buffering = false; // the showing runs and this player cannot, for a moment already
  blocked = null; // what the browser refused without a gesture: null, 'sound' or 'play'
  ranOut = false; // the showing runs, far from the end, and this player has no more media: the film is cut short
  detached = false; // the viewer goes at their own pace: only act() touches the element
  steered;

  #video;
  /** @type {Room} */
  #room;
  #frames;
  #data;
  #length;
  #timer = null;
  #busySinceMs = null;
  #pitchKept;
  #yieldUntilMs = 0; // until then the element stays as the viewer has just made it
  #shiftMs = 0; // ahead of the showing, by the viewer's wish
  #mutedHere = false; // muted to be allowed to play, not by the viewer

  // durationOf(id): how many seconds a video of the library has, undefined where that is not known.
  /** @param {HTMLVideoElement} video @param {Room} room @param {(id: string) => number | undefined} durationOf */
  constructor(video, room, durationOf) {
    super();
    this.#video = video;
    this.#room = room;
    this.#frames = new FrameClock(video);
    this.#length = new FilmLength(video, () => durationOf(room.timeline.state?.video));
    const watched = { reading: this.#frames.reading, length: this.#length };
    this.#data = new DataWatch(video, watched);
    this.steered = new SteeredVideo(video, watched);
    video.addEventListener('durationchange', () => this.#learnDuration());
    video.addEventListener('loadstart', () => this.controller.targetChanged(performance.now()));
    for (const type of ['loadedmetadata', 'seeked', 'canplay', 'playing', 'pause', 'ended']) {
      video.addEventListener(type, () => this.#tickSoon());
    }
    document.addEventListener('visibilitychange', () => this.#tickSoon());
    this.#pitchKept = keepPitch(video);
    room.addEventListener('state', () => {
      this.#learnDuration();
      this.#yieldUntilMs = 0;
      this.controller.targetChanged(performance.now());
      this.#tickNow();
    });
  }

  // After a gesture: whatever was refused is tried again, with sound unless the viewer muted it.
  unblock() {
    if (this.#mutedHere) this.#video.muted = false;
    this.#mutedHere = false;
    const wasStopped = this.blocked === 'play';
    if (wasStopped) this.#mayStart();
    else this.#setBlocked(null);
    if (this.detached && wasStopped) this.#play();
    this.#tickNow();
  }

  // The viewer set the sound: nothing is refused any more.
  soundChosen() {
    this.#mutedHere = false;
    if (this.blocked === 'sound') this.#setBlocked(null);
  }

  // The viewer leaves the showing: the picture goes on from where it is, and obeys act() alone.
  detach() {
    if (this.detached) return;
    this.detached = true;
    clearTimeout(this.#timer);
    this.steered.rate.set(this.#room.timeline.state?.rate ?? 1);
    this.#noticeBuffering();
    this.#noticeRanOut();
    this.dispatchEvent(new Event('change'));
  }

  // Back to where the showing is.
  attach() {
    if (!this.detached) return;
    this.detached = false;
    this.controller.targetChanged(performance.now());
    this.#tickNow();
    this.dispatchEvent(new Event('change'));
  }

  // What `play`, `pause`, `seek` and `rate` are to the showing, done to this player alone; only
  // while detached. fields: as in the message of that type.
  /** @param {string} type @param {{position?: number, rate?: number}} [fields] */
  act(type, { position, rate } = {}) {
    if (!this.detached) return;
    if (Number.isFinite(position)) this.steered.seek(position);
    if (type === 'play') this.#play();
    if (type === 'pause') this.steered.pause();
    if (type === 'rate') this.steered.rate.set(rate);
  }

  // How far this player is ahead of the showing; what it does from now on is judged by that.
  get shiftMs() {
    return this.#shiftMs;
  }

  shiftBy(ms) {
    const shiftMs = boundShift(ms);
    if (shiftMs === this.#shiftMs) return;
    this.#shiftMs = shiftMs;
    this.controller.targetMoved(performance.now());
    this.#tickNow();
    this.dispatchEvent(new Event('change'));
  }

  // Whatever was believed of the gap is forgotten and the place sought once more, however near.
  resync() {
    this.attach();
    this.controller.resync(performance.now());
    this.#tickNow();
  }

  // The viewer has just moved the element, and the command is on its way: it stays so for a moment.
  yieldToViewer() {
    this.#yieldUntilMs = performance.now() + YIELD_MS;
  }

  // Whether nothing but the data that is still to come explains the picture.
  get isStarved() {
    return isShortOfData(this.#video, this.placeS, this.#length.seconds);
  }

  // Where this player is, or was when that was last known.
  get placeS() {
    return this.#frames.reading.placeS;
  }

  // {position, positionS, errorMs, running, startsInMs, over, ended, durationS}: `position` and `over` are the
  // showing's, `positionS` (or where it was last known to be) and `ended` this player's; errorMs, from where its shift has it be, is null while
  // nobody can say.
  measure() {
    const showing = this.#showing(this.#room.serverTimeMs());
    const target = shiftTarget(showing, this.#shiftMs);
    const positionS = this.#frames.positionAt(performance.now());
    const following = target.running && !this.detached;
    const errorS = following ? this.controller.errorS : positionS - target.position;
    const known = this.#video.readyState >= HAVE_METADATA && errorS !== null && positionS !== null;
    return { ...showing, positionS: positionS ?? this.placeS, ended: this.#video.ended, errorMs: known ? errorS * 1000 : null };
  }

  #learnDuration() {
    this.#room.timeline.setDuration(this.#length.seconds);
  }

  #tickNow() {
    clearTimeout(this.#timer);
    if (!this.detached) this.#tick();
  }

  // What happened to the element may change what is due; not within the event, where we may be acting.
  #tickSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tickNow(), 0);
  }

  #tick() {
    let nextMs = TICK_MS;
    this.#room.lookForSleep();
    for (let i = 0; i < ACTIONS_A_TICK; i++) {
      const action = this.#decide();
      if (action.forMs !== undefined) nextMs = Math.min(nextMs, Math.max(1, action.forMs));
      if (!this.#apply(action)) break;
    }
    // Somebody else's hand may have set it going.
    if (this.blocked === 'play' && !this.#video.paused) this.#mayStart();
    this.#noticeBuffering();
    this.#noticeRanOut();
    this.#timer = setTimeout(() => this.#tick(), nextMs);
  }

  #decide() {
    const nowMs = performance.now();
    const serverMs = this.#room.clock.serverTimeMs(nowMs);
    const video = this.#video;
    const isTheirs = this.steered.inDoubt || nowMs < this.#yieldUntilMs; // in this order: the former may have us yield
    if (Number.isNaN(serverMs) || !this.#room.timeline.state || isTheirs || video.error) return { type: 'wait' };
    const target = this.#target(serverMs);
    // What may not start follows nothing: a seek would only be one that has achieved nothing.
    if (this.blocked === 'play' && video.paused && target.running) return { type: 'wait' };
    return this.controller.decide(nowMs, target, {
      position: this.#frames.positionAt(nowMs) ?? NaN,
      paused: video.paused,
      seeking: video.seeking,
      buffering: this.#data.lacksData(nowMs),
      ended: video.ended,
      canSeek: video.readyState >= HAVE_METADATA,
      rate: video.playbackRate,
      hidden: document.visibilityState === 'hidden',
      pitchKept: this.#pitchKept,
      isBuffered: (position) => isBuffered(video, position, this.#length.seconds),
    });
  }

  // Where this player is to be.
  #target(serverMs) {
    return shiftTarget(this.#showing(serverMs), this.#shiftMs);
  }

  #showing(serverMs) {
    const { timeline } = this.#room;
    return {
      position: timeline.positionAt(serverMs),
      running: timeline.isRunningAt(serverMs),
      over: timeline.isOverAt(serverMs),
      startsInMs: timeline.startsInMs(serverMs),
      rate: timeline.state?.rate ?? 1,
      durationS: timeline.durationS,
    };
  }

  // Returns whether something was done after which another decision may be due at once.
  #apply(action) {
    if (action.rate !== undefined) this.steered.rate.set(action.rate);
    switch (action.type) {
      case 'pause':
        this.steered.pause();
        return true;
      case 'seek':
        if (!action.play) this.steered.pause();
        this.steered.seek(action.position);
        if (action.play) this.#play();
        return false;
      case 'play':
        this.#play();
        return false;
      default:
        return false;
    }
  }

  async #play() {
    if (this.blocked === 'play') return;
    if ((await this.steered.play()) === 'refused') this.#onRefused();
  }

  // Without a gesture browsers play silently or not at all.
  #onRefused() {
    if (this.#video.muted) return this.#setBlocked('play');
    this.#video.muted = true;
    this.#mutedHere = true;
    this.#setBlocked('sound');
    this.#tickNow();
  }

  // However long that took: it comes as if it were new.
  #mayStart() {
    this.#setBlocked(null);
    this.controller.targetChanged(performance.now());
  }

  #setBlocked(what) {
    this.blocked = what;
    this.dispatchEvent(new Event('change'));
  }

  // Also while the start is still to come, and while the showing stands still for those who buffer:
  // whoever is waited for is not ready only because nothing runs.
  #isToRun({ over }) {
    const { state } = this.#room.timeline;
    return Boolean(state) && (state.playing || state.cause === 'stall') && !over;
  }

  #noticeBuffering() {
    const video = this.#video;
    const target = this.#target(this.#room.serverTimeMs());
    const stuck = (video.seeking || this.#data.lacksData(performance.now())) && !video.ended && !video.error;
    const busy = this.#isToRun(target) && stuck && !this.detached;
    this.#busySinceMs = busy ? (this.#busySinceMs ?? performance.now()) : null;
    const buffering = busy && performance.now() - this.#busySinceMs >= BUFFERING_AFTER_MS;
    if (buffering === this.buffering) return;
    this.buffering = buffering;
    this.dispatchEvent(new Event('change'));
  }

  #noticeRanOut() {
    const { running, position, durationS } = this.#target(this.#room.serverTimeMs());
    const ranOut = this.#video.ended && running && durationS - position > AT_END_S && !this.detached;
    if (ranOut === this.ranOut) return;
    this.ranOut = ranOut;
    this.dispatchEvent(new Event('change'));
  }
}

// Faster or slower, but not higher or lower. Returns whether this browser can.
function keepPitch(video) {
  const names = ['preservesPitch', 'mozPreservesPitch', 'webkitPreservesPitch'].filter((name) => name in video);
  for (const name of names) video[name] = true;
  return names.length > 0;
}
