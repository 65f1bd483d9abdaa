// Keeps the screen on while the picture runs. A browser takes the lock back whenever the page is
// hidden, and may refuse it (low battery): then the screen dims as it would anywhere else.

export class WakeLock {
  #video;
  #document;
  #wakeLock;
  #held = null; // the sentinel, or the promise of one; null exactly when nothing was asked for

  // document, wakeLock: the page's own, other ones for tests.
  constructor(video, { document = globalThis.document, wakeLock = navigator.wakeLock } = {}) {
    this.#video = video;
    this.#document = document;
    this.#wakeLock = wakeLock;
    if (!wakeLock) return;
    for (const type of ['playing', 'pause', 'ended', 'emptied']) video.addEventListener(type, () => this.#update());
    document.addEventListener('visibilitychange', () => this.#update());
  }

  #update() {
    const { paused, ended } = this.#video;
    const wanted = !paused && !ended && this.#document.visibilityState === 'visible';
    if (wanted && !this.#held) this.#hold();
    if (!wanted && this.#held) this.#letGo();
  }

  async #hold() {
    const asked = this.#wakeLock.request('screen');
    this.#held = asked;
    try {
      const sentinel = await asked;
      sentinel.addEventListener('release', () => {
        if (this.#held === asked) this.#held = null;
      });
    } catch {
      if (this.#held === asked) this.#held = null;
    }
  }

  async #letGo() {
    const asked = this.#held;
    this.#held = null;
    await asked.then((sentinel) => sentinel.release()).catch(() => {});
  }
}
