// One measured showing: the truth and its viewers behind one kind of network, led through a plan of
// events, with what each of them is to be judged by.
import { sleep } from '../../tests/support/member.mjs';
import { Truth, localMs } from './truth.mjs';
import { Viewer } from './viewer.mjs';

const COLLECT_EVERY_MS = 1_000;
const SETTLED_AFTER_MS = 5_000;
const CUT_MS = 10_000;

export class Showing {
  truth;
  viewers = [];
  events = []; // {name, viewer: a name, atMs, untilMs}: what concerns one viewer, until the next that does
  #server;
  #browsers;
  #profile;
  #seed;
  #say;

  // browsers: viewers are dealt out to them in turn. say(text): progress.
  static async open({ server, browsers, profile, seed, say }) {
    const showing = new Showing();
    showing.#server = server;
    showing.#browsers = browsers;
    showing.#profile = profile;
    showing.#seed = seed;
    showing.#say = say;
    showing.truth = await Truth.open(server);
    return showing;
  }

  async addViewer(name) {
    const index = this.viewers.length;
    const viewer = await Viewer.open({
      browser: this.#browsers[index % this.#browsers.length],
      server: this.#server,
      key: this.truth.key,
      name,
      shape: this.#profile.shape,
      seed: this.#seed + 1000 * index,
    });
    this.viewers.push(viewer);
    return viewer;
  }

  // Until every picture can be shown, so that what follows measures step and not loading.
  async untilLoaded() {
    for (const { page } of this.viewers) {
      await page.waitForFunction(() => document.querySelector('video').readyState >= 3, null, { timeout: 20_000 });
    }
  }

  // A command for all.
  async command(name, type, fields, seconds) {
    const before = this.#position();
    const atMs = await this.truth.command(type, typeof fields === 'function' ? fields(before) : fields);
    this.#mark(name, atMs, this.viewers);
    await this.rest(seconds);
  }

  async lateJoiner(name, seconds) {
    const viewer = await this.addViewer(name);
    this.#mark('late join', viewer.joinedMs, [viewer]);
    await this.rest(seconds);
  }

  async reconnect(viewer, seconds) {
    viewer.proxy.reset();
    this.#mark('reconnect', localMs(), [viewer]);
    await this.rest(seconds);
  }

  // One viewer chooses another quality. Seconds count from when it is seen.
  async changeQuality(viewer, seconds) {
    this.#mark('quality', localMs(), [viewer]);
    await viewer.changeQuality();
    await this.rest(seconds);
  }

  // Ten seconds without any network, in which the showing jumps: counted from its return.
  async cut(viewer, jumpS, seconds) {
    viewer.proxy.cut();
    this.#mark('cut', localMs(), [viewer]);
    const others = this.viewers.filter((other) => other !== viewer);
    await this.rest(CUT_MS / 2000);
    const atMs = await this.truth.command('seek', { position: this.#position() + jumpS });
    this.#mark('seek', atMs, others);
    await this.rest(CUT_MS / 2000);
    viewer.proxy.restore();
    this.#mark('after a cut', localMs(), [viewer]);
    await this.rest(seconds);
  }

  async rest(seconds) {
    const endMs = localMs() + seconds * 1000;
    while (localMs() < endMs) {
      await sleep(Math.min(COLLECT_EVERY_MS, Math.max(0, endMs - localMs())));
      await Promise.all(this.viewers.map((viewer) => viewer.collect()));
    }
  }

  // Ends the last events. What follows is not judged.
  finish() {
    for (const event of this.events) event.untilMs ??= localMs();
  }

  // When this viewer is to be in step: from five seconds after each event that concerns it, and all
  // through a change of quality.
  settledIntervals(viewer) {
    return this.events
      .filter((event) => event.viewer === viewer.name && event.name !== 'cut' && event.name !== 'pause')
      .map(({ name, atMs, untilMs }) => [name === 'quality' ? atMs : atMs + SETTLED_AFTER_MS, untilMs])
      .filter(([fromMs, untilMs]) => untilMs > fromMs);
  }

  async close() {
    await Promise.all(this.viewers.map((viewer) => viewer.close()));
    await this.truth?.close();
  }

  #position() {
    return this.truth.positionAt(localMs()) ?? this.truth.state.position;
  }

  #mark(name, atMs, viewers) {
    const names = viewers.map((viewer) => viewer.name);
    for (const event of this.events) {
      if (names.includes(event.viewer)) event.untilMs ??= atMs;
    }
    for (const viewer of names) this.events.push({ name, viewer, atMs, untilMs: null });
    this.#say(names.length === this.viewers.length ? name : `${name} (${names})`);
  }
}
