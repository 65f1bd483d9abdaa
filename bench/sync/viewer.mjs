// One viewer of a measurement: a page in a context of its own, behind a proxy of its own, with a
// probe that keeps every frame that the browser presented.
import { join, openPerson, until } from '../../tests/support/browser.mjs';
import { startShapedProxy } from '../../tests/support/shaped_proxy.mjs';
import { localMs } from './truth.mjs';

const CALIBRATIONS = 25;

export class Viewer {
  name;
  proxy;
  page;
  frames = []; // {atMs, mediaTime}: local time of the frame's display, seconds of media
  sound = []; // {atMs, mediaTime}: currentTime, which is the clock of the sound
  seeks = []; // {atMs, position}
  rates = []; // {atMs, rate}
  stalls = []; // {atMs}
  joinedMs = 0; // local time at which Join was pressed
  clockBoundMs = Infinity; // how well the page's clock is known
  #person;
  #offsetMs = 0; // the page's clock plus this is localMs()

  static async open({ browser, server, key, name, shape, seed }) {
    const viewer = new Viewer();
    viewer.name = name;
    viewer.proxy = await startShapedProxy(server.origin, { ...shape, seed });
    try {
      viewer.#person = await openPerson(browser, { viewport: { width: 480, height: 480 } });
      viewer.page = viewer.#person.page;
      await viewer.page.addInitScript(installProbe);
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
    const items = page.locator('media-rendition-menu [role=menuitemradio]');
    const labels = (await items.allTextContents()).map((label) => label.trim());
    const other = labels.findIndex((label) => /^\d+p/.test(label) && !label.startsWith(shown));
    if (other < 0) throw new Error(`no other quality than ${shown} in the menu: ${labels.join(', ')}`);
    await items.nth(other).click();
    await until(async () => `${await lines()}p` !== shown, `another quality than ${shown}`);
  }

  // Moves what the probe has seen so far into this object.
  async collect() {
    const seen = await this.page.evaluate(() => window.syncProbe.take());
    const local = (atMs) => atMs + this.#offsetMs;
    for (const [atMs, mediaTime] of seen.frames) this.frames.push({ atMs: local(atMs), mediaTime });
    for (const [atMs, mediaTime] of seen.sound) this.sound.push({ atMs: local(atMs), mediaTime });
    for (const [atMs, position] of seen.seeks) this.seeks.push({ atMs: local(atMs), position });
    for (const [atMs, rate] of seen.rates) this.rates.push({ atMs: local(atMs), rate });
    for (const atMs of seen.stalls) this.stalls.push({ atMs: local(atMs) });
  }

  // Errors on the console and the like; a connection that the test itself broke is none.
  get faults() {
    return this.#person.faults.filter((text) => !/WebSocket connection|net::ERR_/.test(text));
  }

  async close() {
    await this.#person?.context.close().catch(() => {});
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

// Runs in the page before its own scripts.
function installProbe() {
  const kept = { frames: [], sound: [], seeks: [], rates: [], stalls: [] };
  const now = () => performance.timeOrigin + performance.now();
  window.syncProbe = {
    take() {
      const taken = { ...kept };
      for (const name of Object.keys(kept)) kept[name] = [];
      return taken;
    },
  };
  document.addEventListener('DOMContentLoaded', () => {
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
    video.addEventListener('waiting', () => kept.stalls.push(now()));
  });
}
