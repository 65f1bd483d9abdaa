// The moment as status.js wants it: read from the room, the follower and the video, and the little
// that has to be remembered from events.
import { strings } from '../../strings.js';
import { whoPaused } from './status.js';

const NOBODY_AWAITED = { members: [], untilMs: 0 };
const HAVE_METADATA = 1;

export class StatusView {
  /** @type {Room} */
  #room;
  #follower;
  #source;
  #video;
  #breaksOff;
  #waiting = NOBODY_AWAITED;
  #pausedBy = null;
  #becameHostMs = -Infinity;
  #notice = null; // 'degraded', 'draining' or null
  #undoneMs = -Infinity;

  // breaksOff(): whether the film has come to an end that is not its own.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, follower, source, video, breaksOff }) {
    this.#room = room;
    this.#follower = follower;
    this.#source = source;
    this.#video = video;
    this.#breaksOff = breaksOff;
    room.addEventListener('waiting', ({ detail }) => (this.#waiting = detail));
    room.addEventListener('notice', ({ detail }) => (this.#notice = detail.code === 'restored' ? null : detail.code));
    room.addEventListener('undone', () => (this.#undoneMs = performance.now()));
    room.addEventListener('phase', ({ detail }) => detail.name !== 'open' && (this.#notice = null));
    room.addEventListener('host', ({ detail }) => this.#onHost(detail));
    room.addEventListener('state', ({ detail }) => {
      this.#waiting = NOBODY_AWAITED;
      this.#notePause(detail);
    });
    // Who that was may be known only now: the state can be there before the first connection.
    room.addEventListener('welcome', () => {
      const { state } = room.timeline;
      if (state && this.#pausedBy?.name === undefined) this.#notePause({ state });
    });
  }

  #notePause(change) {
    this.#pausedBy = whoPaused(this.#pausedBy, change, (id) => this.#room.presence.nameOf(id), this.#room.you?.id);
  }

  #onHost({ reason, youAreHost, youWereHost }) {
    if (youAreHost && !youWereHost) this.#becameHostMs = reason === 'joined' ? -Infinity : performance.now();
  }

  player() {
    const room = this.#room;
    const nowMs = performance.now();
    const { state } = room.timeline;
    return {
      phase: room.connection.phase,
      isSilent: room.isSilent,
      silentMs: room.silentMs,
      nowMs,
      problem: this.#source.problem ?? (this.#breaksOff() ? 'short' : null),
      preparing: this.#preparing(nowMs),
      hasVideo: !state || state.video !== '',
      loaded: this.#video.readyState >= HAVE_METADATA,
      blocked: this.#follower.blocked,
      detached: this.#follower.detached,
      waiting: this.#whomItWaitsFor(),
      buffering: this.#follower.buffering,
      state,
      pausedBy: this.#pausedBy,
      ready: { count: room.readyCount, of: room.presence.count },
      measure: this.#follower.measure(),
      errorBoundMs: room.clock.errorBoundMs(nowMs),
    };
  }

  // null while there is no connection, or nothing comes over it: who rules is not known then.
  role() {
    const { presence, settings, youAreHost, mayClaim, you, connection, isSilent, silentMs } = this.#room;
    if (!you || connection.phase.name !== 'open' || isSilent) return null;
    return {
      nowMs: performance.now(),
      youAreHost,
      detached: this.#follower.detached,
      control: settings.control,
      hostId: presence.hostId,
      hostName: presence.hostName,
      becameHostMs: this.#becameHostMs,
      hostAway: this.#hostAway(),
      buffering: youAreHost ? this.#namesOf(({ buffering }) => buffering) : [],
      cannotPlay: youAreHost ? this.#namesOf(({ cannotPlay }) => cannotPlay) : [],
      mayClaim,
      silentMs,
    };
  }

  service() {
    return { nowMs: performance.now(), notice: this.#notice, undoneMs: this.#undoneMs, missing: this.#source.missing };
  }

  #preparing(nowMs) {
    const { state } = this.#source.preparation;
    return state && { reason: state.reason, forMs: nowMs - state.sinceMs };
  }

  // Whether the player waits for the network: nothing else explains the picture.
  get isStarved() {
    return this.#follower.isStarved;
  }

  #whomItWaitsFor() {
    const leftMs = this.#waiting.untilMs - this.#room.serverTimeMs();
    if (!(leftMs > 0)) return null;
    return { names: this.#waiting.members.map((id) => this.#nameOrYou(id)), leftMs };
  }

  #nameOrYou(id) {
    if (id === this.#room.you?.id) return strings.status.you;
    return this.#room.presence.nameOf(id) || strings.people.unnamed;
  }

  #hostAway() {
    const { presence, you } = this.#room;
    const away = presence.hostAway;
    if (!away) return null;
    return {
      leftMs: away.untilMs - this.#room.serverTimeMs(),
      nextName: presence.nameOf(away.next),
      nextIsYou: away.next === you.id,
    };
  }

  #namesOf(isSo) {
    const { presence, viewers, you } = this.#room;
    return [...viewers.values()]
      .filter((viewer) => isSo(viewer) && viewer.id !== you.id)
      .map(({ id }) => presence.nameOf(id) || strings.people.unnamed);
  }
}
