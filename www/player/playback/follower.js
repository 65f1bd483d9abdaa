// Makes a <video> follow the showing: reads both, asks the controller, does what it says.
//
// Nothing else of ours plays, pauses, seeks or changes the rate of the element. What a viewer does to it
// by the browser's own controls becomes a command, if they may give one, and is undone otherwise. Emits 'change' when
// `buffering`, `blocked` or `detached` turns.
import { SyncController } from '../../sync/controller.js';
import { FrameClock } from './frame_clock.js';
import { NativeActs } from './native_acts.js';

const TICK_MS = 100;
const ACTIONS_A_TICK = 3; // pause, then seek, then done
const BUFFERING_AFTER_MS = 250; // shorter ones are nobody's concern
const BUFFERED_AHEAD_S = 1;
const YIELD_MS = 1_000; // how long a command of the viewer's own may take to come back
const HAVE_METADATA = 1;
const HAVE_FUTURE_DATA = 3;

export class Follower extends EventTarget {
  controller = new SyncController();
  buffering = false; // the showing runs and this player cannot, for a moment already
  blocked = null; // what the browser refused without a gesture: null, 'sound' or 'play'
  detached = false; // the viewer goes at their own pace: only act() touches the element

  #video;
  #room;
  #frames;
  #timer = null;
  #busySinceMs = null;
  #acts;
  #pitchKept;
  #yieldUntilMs = 0; // until then the element stays as the viewer has just made it
  #mutedHere = false; // muted to be allowed to play, not by the viewer

  constructor(video, room) {
    super();
    this.#video = video;
    this.#room = room;
    this.#frames = new FrameClock(video);
    this.#acts = new NativeActs(video, (type, fields) => this.#onNativeAct(type, fields));
    video.addEventListener('durationchange', () => this.#learnDuration());
    video.addEventListener('loadstart', () => this.controller.targetChanged(performance.now()));
    for (const type of ['loadedmetadata', 'seeked', 'canplay', 'playing', 'pause']) {
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
    this.#setBlocked(null);
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
    this.#setRate(this.#room.timeline.state?.rate ?? 1);
    this.#noticeBuffering();
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
  act(type, { position, rate } = {}) {
    if (!this.detached) return;
    if (Number.isFinite(position)) this.#seek(position);
    if (type === 'play') this.#play();
    if (type === 'pause') this.#pause();
    if (type === 'rate') this.#setRate(rate);
  }

  // Whatever was believed of the gap is forgotten and the place sought once more, however near.
  resync() {
    this.attach();
    this.controller.resync(performance.now());
    this.#tickNow();
  }

  // {position, positionS, errorMs, running, startsInMs, over, paused, durationS}: `position` is the
  // showing's, `positionS` and `paused` this player's; errorMs is null while nobody can say.
  measure() {
    const target = this.#target(this.#room.serverTimeMs());
    const positionS = this.#frames.positionAt(performance.now());
    const following = target.running && !this.detached;
    const errorS = following ? this.controller.errorS : positionS - target.position;
    const known = this.#video.readyState >= HAVE_METADATA && errorS !== null;
    return { ...target, positionS, paused: this.#video.paused, errorMs: known ? errorS * 1000 : null };
  }

  #learnDuration() {
    this.#room.timeline.setDuration(this.#video.duration);
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
    this.#noticeBuffering();
    this.#timer = setTimeout(() => this.#tick(), nextMs);
  }

  #decide() {
    const nowMs = performance.now();
    const serverMs = this.#room.clock.serverTimeMs(nowMs);
    if (Number.isNaN(serverMs) || !this.#room.timeline.state || nowMs < this.#yieldUntilMs) return { type: 'wait' };
    const video = this.#video;
    return this.controller.decide(nowMs, this.#target(serverMs), {
      position: this.#frames.positionAt(nowMs),
      paused: video.paused,
      seeking: video.seeking,
      buffering: video.readyState < HAVE_FUTURE_DATA,
      ended: video.ended,
      canSeek: video.readyState >= HAVE_METADATA,
      rate: video.playbackRate,
      hidden: document.visibilityState === 'hidden',
      pitchKept: this.#pitchKept,
      isBuffered: (position) => isBuffered(video.buffered, position),
    });
  }

  #target(serverMs) {
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
    if (action.rate !== undefined) this.#setRate(action.rate);
    switch (action.type) {
      case 'pause':
        this.#pause();
        return true;
      case 'seek':
        if (!action.play) this.#pause();
        this.#seek(action.position);
        if (action.play) this.#play();
        return false;
      case 'play':
        this.#play();
        return false;
      default:
        return false;
    }
  }

  #setRate(rate) {
    if (this.#video.playbackRate !== rate) this.#video.playbackRate = rate;
  }

  #pause() {
    this.#acts.willPause();
    this.#video.pause();
  }

  #seek(position) {
    this.#acts.willSeek();
    this.#video.currentTime = position;
  }

  async #play() {
    if (!this.#video.paused || this.blocked === 'play') return;
    this.#acts.willPlay();
    try {
      await this.#video.play();
    } catch (error) {
      // AbortError: a pause came in between. NotSupportedError: the element tells of it itself.
      if (error.name !== 'NotAllowedError') return;
      this.#acts.didNotPlay();
      this.#onRefused();
    }
  }

  #onNativeAct(type, fields) {
    if (this.detached) return;
    const { state } = this.#room.timeline;
    const isSo = type === 'play' ? state?.playing : type === 'pause' && !state?.playing;
    if (isSo || !this.#room.mayControl || !this.#room.send(type, fields)) return this.#tickSoon();
    this.#yieldUntilMs = performance.now() + YIELD_MS;
  }

  // Without a gesture browsers play silently or not at all.
  #onRefused() {
    if (this.#video.muted) return this.#setBlocked('play');
    this.#video.muted = true;
    this.#mutedHere = true;
    this.#setBlocked('sound');
    this.#tickNow();
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
    const stuck = (video.seeking || video.readyState < HAVE_FUTURE_DATA) && !video.ended;
    const busy = this.#isToRun(target) && stuck && !this.detached;
    this.#busySinceMs = busy ? (this.#busySinceMs ?? performance.now()) : null;
    const buffering = busy && performance.now() - this.#busySinceMs >= BUFFERING_AFTER_MS;
    if (buffering === this.buffering) return;
    this.buffering = buffering;
    this.dispatchEvent(new Event('change'));
  }
}

// Faster or slower, but not higher or lower. Returns whether this browser can.
function keepPitch(video) {
  const names = ['preservesPitch', 'mozPreservesPitch', 'webkitPreservesPitch'].filter((name) => name in video);
  for (const name of names) video[name] = true;
  return names.length > 0;
}

// Whether playing can go on at once from there.
function isBuffered(ranges, position) {
  for (let i = 0; i < ranges.length; i++) {
    if (ranges.start(i) <= position && ranges.end(i) >= position + BUFFERED_AHEAD_S) return true;
  }
  return false;
}
