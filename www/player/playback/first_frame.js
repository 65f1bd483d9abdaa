// How long the viewer waited for the film: from pressing Join, or from opening the page of a session that they have
// made, to its first frame where the showing is. Measured once.
//
// Who waits for something else than the service is left out: for the host at the door, for a film that nobody has
// chosen, for a gesture without which the browser plays nothing, for one that cannot be played here; and so is a page
// that nobody looks at, for that is shown no frames. Nor do browsers without requestVideoFrameCallback tell.

const HAVE_CURRENT_DATA = 2;
const TOLD_MAX_MS = 600_000;

export class FirstFrame {
  untoldMs = null; // null: not known yet, left out, or told
  #sinceMs;
  #video;
  #room;
  #now;
  #ending = new AbortController();

  // sinceMs: when it was asked for, by now(). After all that moves or loads `video` on a state: page, now: other ones for tests.
  constructor({ video, room, follower, source, sinceMs, page = document, now = () => performance.now() }) {
    this.#sinceMs = sinceMs;
    this.#video = video;
    this.#room = room;
    this.#now = now;
    const isTold = typeof video.requestVideoFrameCallback === 'function';
    if (!isTold || page.visibilityState === 'hidden' || source.problem) return;
    const { signal } = this.#ending;
    const leaveOutIf = (target, type, isSo) => target.addEventListener(type, (event) => isSo(event) && this.#ending.abort(), { signal });
    leaveOutIf(page, 'visibilitychange', () => page.visibilityState === 'hidden');
    leaveOutIf(room, 'phase', ({ detail }) => detail.name === 'knocking');
    leaveOutIf(room, 'state', ({ detail }) => !detail.state.video);
    leaveOutIf(follower, 'change', () => follower.blocked === 'play' || follower.detached);
    leaveOutIf(source, 'problem', () => source.problem);
    room.addEventListener('state', () => this.#lookAtStanding(), { signal });
    this.#await();
  }

  get #isOver() {
    return this.#ending.signal.aborted;
  }

  #await() {
    this.#video.requestVideoFrameCallback(() => {
      if (this.#isOver) return;
      if (this.#video.seeking || !this.#room.timeline.state) this.#await();
      else this.#settle();
    });
  }

  // Where the showing stands and this player stood already nothing is drawn any more.
  #lookAtStanding() {
    const { paused, seeking, readyState } = this.#video;
    const { timeline } = this.#room;
    const isThere = paused && !seeking && readyState >= HAVE_CURRENT_DATA;
    if (isThere && !this.#isOver && !timeline.isRunningAt(this.#room.serverTimeMs())) this.#settle();
  }

  #settle() {
    this.#ending.abort();
    const ms = Math.round(this.#now() - this.#sinceMs);
    if (ms <= TOLD_MAX_MS) this.untoldMs = ms;
  }
}
