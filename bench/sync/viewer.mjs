// One viewer of a measurement: a person's page in some engine, behind a proxy of its own, with a probe that
// keeps every frame that the browser presented.
import { join, until } from '../../tests/support/browser.mjs';
import { startShapedProxy } from '../../tests/support/shaped_proxy.mjs';
import { stallsOf } from './stalls.mjs';
import { localMs } from './truth.mjs';

const CALIBRATIONS = 25;
const SIZE = { width: 480, height: 480 };

export class Viewer {
  name;
  engine; // its name
  form = null; // which of the film's it plays, where it was told to
  proxy;
  page;
  frames = []; // {atMs, mediaTime}: local time of the frame's display, seconds of media
  sound = []; // {atMs, mediaTime}: currentTime, which is the clock of the sound
  seeks = []; // {atMs, position}
  rates = []; // {atMs, rate}
  waits = []; // {atMs}: the player had run out of data
  heard = []; // {atMs, mediaTime, number}: beeps, where sound is recorded
  joinedMs = 0; // local time at which Join was pressed
  clockBoundMs = Infinity; // how well the page's clock is known
  #person;
  #ticks = []; // local times at which the page's timer ran
  #offsetMs = 0; // the page's clock plus this is localMs()

  // engine: as launch() in engines.mjs has it. form: {name, cheaper: [name, type, codecs] of those not to be played}.
  static async open({ engine, server, key, name, shape, seed, form = null }) {
    const viewer = new Viewer();
    viewer.name = name;
    viewer.engine = engine.name;
    viewer.form = form?.name ?? null;
    viewer.proxy = await startShapedProxy(server.origin, { ...shape, seed });
    try {
      viewer.#person = await engine.openPerson({ viewport: SIZE, scripts: form ? [withoutForms(form.cheaper), probe] : [probe] });
      viewer.page = viewer.#person.page;
      await join(viewer.page, `${viewer.proxy.origin}/player.html?session=${key}`, name);
      viewer.joinedMs = localMs();
      await viewer.#calibrate();
      return viewer;
    } catch (error) {
      await viewer.close();
      throw error;
    }
  }

  // Chooses another quality in the player's menu. Resolves once the picture has its size.
  async changeQuality() {
    const { page } = this;
    const lines = () => page.$eval('video', ({ videoHeight }) => videoHeight);
    const shown = `${await lines()}p`;
    await page.hover('video');
    await page.click('#quality');
    const items = 'media-rendition-menu [role=menuitemradio]';
    const labels = await page.$$eval(items, (all) => all.map(({ textContent }) => textContent.trim()));
    const other = labels.findIndex((label) => /^\d+p/.test(label) && !label.startsWith(shown));
    if (other < 0) throw new Error(`no other quality than ${shown} in the menu: ${labels.join(', ')}`);
    await page.$$eval(items, (all, index) => all[index].click(), other);
    await until(async () => `${await lines()}p` !== shown, `another quality than ${shown}`);
  }

  // Which form plays, by what was fetched: 'file', 'copy' or 'transcode'.
  async playedForm() {
    const names = await this.page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    const segments = names.filter((name) => name.endsWith('.m4s') && !name.includes('/sound-'));
    if (segments.length === 0) return 'file';
    return segments.at(-1).includes('/copy/') ? 'copy' : 'transcode';
  }

  // Moves what the probe has seen so far into this object.
  async collect() {
    const seen = await this.page.evaluate(() => window.syncProbe.take());
    const local = (atMs) => atMs + this.#offsetMs;
    for (const [atMs, mediaTime] of seen.frames) this.frames.push({ atMs: local(atMs), mediaTime });
    for (const [atMs, mediaTime] of seen.sound) this.sound.push({ atMs: local(atMs), mediaTime });
    for (const [atMs, position] of seen.seeks) this.seeks.push({ atMs: local(atMs), position });
    for (const [atMs, rate] of seen.rates) this.rates.push({ atMs: local(atMs), rate });
    for (const atMs of seen.waits) this.waits.push({ atMs: local(atMs) });
    for (const atMs of seen.ticks) this.#ticks.push(local(atMs));
  }

  // [[fromMs, untilMs], ...] in which the page did not get to run.
  get stalls() {
    return stallsOf(this.#ticks);
  }

  // Errors on the console and the like; a connection that the test itself broke is none.
  async faults() {
    return (await this.#person.faults()).filter((text) => !/WebSocket|net::ERR_|can.t establish a connection/.test(text));
  }

  async close() {
    await this.#person?.close().catch(() => {});
    await this.proxy.stop();
  }

  // Both clocks are this machine's steady one and should agree; what a round trip through the
  // debugging connection leaves open is the bound, and they are moved only if they disagree beyond it.
  async #calibrate() {
    let low = -Infinity;
    let high = Infinity;
    for (let i = 0; i < CALIBRATIONS; i++) {
      const beforeMs = localMs();
      const pageMs = await this.page.evaluate(() => performance.timeOrigin + performance.now());
      low = Math.max(low, beforeMs - pageMs);
      high = Math.min(high, localMs() - pageMs);
    }
    this.clockBoundMs = (high - low) / 2;
    this.#offsetMs = Math.min(Math.max(0, low), high);
  }
}

// As if these forms had failed in this browser before.
function withoutForms(forms) {
  const failed = JSON.stringify(forms.map((form) => form.join(' ')));
  return new Function(`localStorage.setItem('videosync.player.failedForms', ${JSON.stringify(failed)});`);
}

// Runs in the page before its own scripts, or, where the engine cannot have that, once it has loaded.
function probe() {
  const kept = { frames: [], sound: [], seeks: [], rates: [], waits: [], ticks: [] };
  const now = () => performance.timeOrigin + performance.now();
  window.syncProbe = {
    take() {
      const taken = { ...kept };
      for (const name of Object.keys(kept)) kept[name] = [];
      return taken;
    },
  };
  const begin = () => {
    const video = document.querySelector('video');
    if (!video) return;
    const onFrame = (_, { mediaTime, expectedDisplayTime }) => {
      if (!video.paused) {
        kept.frames.push([performance.timeOrigin + expectedDisplayTime, mediaTime]);
        kept.sound.push([now(), video.currentTime]);
      }
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
    video.addEventListener('seeking', () => kept.seeks.push([now(), video.currentTime]));
    video.addEventListener('ratechange', () => kept.rates.push([now(), video.playbackRate]));
    video.addEventListener('waiting', () => kept.waits.push(now()));
    setInterval(() => kept.ticks.push(now()), 20); // TICK_MS
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
  else begin();
}
