// One measured showing: the truth and its viewers behind one kind of network, led through a plan of
// events, with what each of them is to be judged by.
import { sleep } from '../../tests/support/member.mjs';
import { MachineWatch } from './machine_watch.mjs';
import { findBeeps } from './sound/beeps.mjs';
import { heardOf, recordingClock } from './sound/hearing.mjs';
import { RATE_HZ } from './sound/room.mjs';
import { clearOf } from './stalls.mjs';
import { within } from './statistics.mjs';
import { Truth, localMs } from './truth.mjs';
import { Viewer } from './viewer.mjs';

const COLLECT_EVERY_MS = 1_000;
const SETTLED_AFTER_MS = 5_000;
const CUT_MS = 10_000;

export class Showing {
  truth;
  viewers = [];
  events = []; // {name, viewer: a name, atMs, untilMs}: what concerns one viewer, until the next that does
  machine; // a MachineWatch
  recording = null; // where sound is recorded, of finish() on: {boundMs, garbled}
  #options;
  #stopRecording = null;

  // engines: viewers are dealt out to them in turn; as launch() has them. seats: how many viewers there are from
  // the beginning. room: each viewer's sound is recorded there; engine i has to play on seat i of it, and there is
  // one for each viewer. patience: {readings, seconds}, when a machine that stalls is given more time: every rest
  // lasts that much longer at most, until each viewer has so many readings since the last event that no stall has
  // touched. forms: dealt out to viewers in turn, as Viewer.open() has them. say(text): progress.
  static async open({ seats = 2, room = null, patience = { readings: 0, seconds: 0 }, ...options }) {
    const showing = new Showing();
    showing.#options = { seats, room, patience, ...options };
    showing.truth = await Truth.open(options.server);
    showing.machine = new MachineWatch();
    try {
      if (room) showing.#stopRecording = await room.record();
      return showing;
    } catch (error) {
      await showing.close();
      throw error;
    }
  }

  get seats() {
    return this.#options.seats;
  }

  async addViewer(name) {
    const { engines, room, server, profile, seed, forms } = this.#options;
    const index = this.viewers.length;
    if (room && index >= engines.length) throw new Error(`${name} has no seat: sound is recorded of ${engines.length} viewers at most`);
    const viewer = await Viewer.open({
      engine: engines[index % engines.length], server, key: this.truth.key, name, shape: profile.shape, seed: seed + 1000 * index,
      form: forms?.[index % forms.length],
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
    const { patience } = this.#options;
    const endMs = localMs() + seconds * 1000;
    const lastMs = endMs + patience.seconds * 1000;
    while (localMs() < endMs || (localMs() < lastMs && !this.#hasClearReadings(patience.readings))) {
      await sleep(Math.min(COLLECT_EVERY_MS, Math.max(100, endMs - localMs())));
      await Promise.all(this.viewers.map((viewer) => viewer.collect()));
    }
  }

  // Ends the last events. What follows is not judged.
  async finish() {
    for (const event of this.events) event.untilMs ??= localMs();
    if (this.#stopRecording) await this.#listen();
  }

  // When the page of this viewer, or the bench itself, did not get to run.
  stallsOf(viewer) {
    return [...viewer.stalls, ...this.machine.stalls];
  }

  // When this viewer is to be in step: from five seconds after each event that concerns it, and all
  // through a change of quality.
  // nowMs: the end of an event that has none yet.
  settledIntervals(viewer, nowMs = Infinity) {
    return this.events
      .filter((event) => event.viewer === viewer.name && event.name !== 'cut' && event.name !== 'pause')
      .map(({ name, atMs, untilMs }) => [name === 'quality' ? atMs : atMs + SETTLED_AFTER_MS, untilMs ?? nowMs])
      .filter(([fromMs, untilMs]) => untilMs > fromMs);
  }

  async close() {
    this.machine.close();
    await this.#stopRecording?.();
    await Promise.all(this.viewers.map((viewer) => viewer.close()));
    await this.truth.close();
  }

  #hasClearReadings(count) {
    const nowMs = localMs();
    return this.viewers.every((viewer) => {
      const since = this.settledIntervals(viewer, nowMs).at(-1);
      return since && clearOf(within(viewer.sound, [since]), this.stallsOf(viewer)).length >= count;
    });
  }

  async #listen() {
    const stop = this.#stopRecording;
    this.#stopRecording = null;
    const { arrivals, channelOf } = await stop();
    const clock = recordingClock(arrivals, RATE_HZ);
    this.recording = { boundMs: clock.boundMs, garbled: 0 };
    this.viewers.forEach((viewer, seat) => {
      const { beeps, garbled } = findBeeps(channelOf(seat), RATE_HZ);
      viewer.heard = heardOf(beeps, clock, this.truth);
      this.recording.garbled += garbled;
    });
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
    this.#options.say(names.length === this.viewers.length ? name : `${name} (${names})`);
  }
}
