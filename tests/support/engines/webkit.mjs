// WebKit in GTK's MiniBrowser, driven by WebKitWebDriver on a display without a screen. Each person has a
// driver and a browser of their own.
//
// Its driver runs nothing before a page's own scripts: what openPerson() is given as such is run when the
// page has loaded by goto() and the like. So are the ears for its faults; the browser itself does not tell
// of them, for an automated one is private, and what a private page says on its console WebKit drops.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { startChild } from '../child.mjs';
import { until } from '../until.mjs';
import { startDisplay } from './display.mjs';
import { DrivenPage } from './driven_page.mjs';
import { makeHome } from './home.mjs';
import { endAll } from './processes.mjs';
import { WebDriver } from './webdriver.mjs';

const PROGRAM = process.env.VIDEOSYNC_WEBKIT_DRIVER || 'WebKitWebDriver';
const LIBRARIES = ['/usr/lib', `/usr/lib/${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch]}-linux-gnu`];
const START_MS = 30_000;
const AUTOPLAY = { stock: [], allowed: ['--autoplay-policy=allow'], refused: ['--autoplay-policy=deny'] };
const SCHEMES = { light: [], dark: ['--dark-mode'] };

export const cannot = {
  touch: 'WebKitWebDriver has no touch screen',
  scripts: 'WebKitWebDriver runs nothing before a page\'s own scripts; what would be is run when it has loaded',
};

// options as of launch() in engines.mjs.
export async function launchWebkit({ autoplay = 'stock', language = 'en-US', colorScheme = 'light', trustsAll = false, env = {} }) {
  const home = await makeHome(env);
  let display;
  const people = new Set();
  const close = async () => {
    await Promise.all([...people].map((person) => person.close()));
    await display?.stop();
    await endAll(home.mark);
    await home.remove();
  };
  try {
    Object.assign(home.env, await makeLocale(home.directory, language));
    slimWindows(home.directory);
    home.env.GST_REGISTRY = path.join(home.directory, 'gstreamer-registry.bin');
    display = await startDisplay(home.env);
    home.env.DISPLAY = display.name;
    const program = findBrowser();
    const args = ['--automation', ...AUTOPLAY[autoplay], ...SCHEMES[colorScheme]];
    const { stdout } = await promisify(execFile)(program, ['--version'], { env: home.env });
    const version = /\d[\d.]+/.exec(stdout)[0];
    const openOne = async (options) => {
      const person = await openPerson({ program, args, trustsAll, env: home.env }, options);
      people.add(person);
      return person;
    };
    return { version, cannot, mark: home.mark, openPerson: openOne, close };
  } catch (error) {
    await close();
    throw error;
  }
}

// The browser's own bar would not let a window be as narrow as a phone.
function slimWindows(home) {
  const folder = path.join(home, '.config/gtk-3.0');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'gtk.css'), '* { -gtk-icon-style: symbolic; border-width: 0; font-size: 1px; min-width: 0; padding: 0; margin: 0; }');
}

function findBrowser() {
  if (process.env.VIDEOSYNC_MINIBROWSER) return process.env.VIDEOSYNC_MINIBROWSER;
  for (const folder of LIBRARIES) {
    const found = readdirSync(folder).filter((name) => name.startsWith('webkit2gtk-4.')).sort().at(-1);
    if (found) return path.join(folder, found, 'MiniBrowser');
  }
  throw new Error('no MiniBrowser of WebKitGTK: install the package webkit2gtk-driver or set VIDEOSYNC_MINIBROWSER');
}

// The language that pages are told is that of the locale, which a fresh Debian does not have.
async function makeLocale(folder, language) {
  const name = language.replace('-', '_');
  await promisify(execFile)('localedef', ['-i', name, '-f', 'UTF-8', path.join(folder, `${name}.UTF-8`)]);
  return { LOCPATH: folder, LANG: `${name}.UTF-8`, LC_ALL: `${name}.UTF-8`, LANGUAGE: language };
}

async function openPerson({ program, args, trustsAll, env }, { viewport, scripts }) {
  const port = await freePort();
  const child = await startChild(PROGRAM, [`--port=${port}`], { env });
  let driver;
  const close = async () => {
    await driver?.close().catch(() => {}); // it may have crashed
    driver = null;
    await child.stop();
  };
  try {
    const origin = `http://127.0.0.1:${port}`;
    const answers = () => child.hasEnded() || fetch(`${origin}/status`).then(({ ok }) => ok, () => false);
    await until(answers, () => `WebKitWebDriver answers:\n${child.output()}`, START_MS);
    driver = await WebDriver.open(origin, { acceptInsecureCerts: trustsAll, 'webkitgtk:browserOptions': { binary: program, args } });
    const ears = new Ears(driver);
    const page = new DrivenPage(driverOf(driver, ears, scripts));
    await page.setViewportSize(viewport);
    let rect;
    const hide = async () => {
      rect = await driver.rect();
      await driver.minimize();
    };
    return { page, faults: () => ears.faults(), hide, show: () => driver.setRect(rect), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function driverOf(driver, ears, scripts) {
  const go = (act) => async (url) => {
    await ears.faults();
    await driver[act](url);
    await ears.listen();
    for (const script of scripts) await driver.run(`(${script})()`);
  };
  return {
    goto: go('goto'),
    reload: go('reload'),
    goBack: go('goBack'),
    goForward: go('goForward'),
    run: (expression) => driver.run(expression),
    screenshot: async () => {
      await driver.run(`(${whenPainted})()`);
      return driver.screenshot();
    },
    resize: (size) => resize(driver, size),
    move: (x, y) => driver.move(x, y),
    button: (isDown) => driver.button(isDown),
    key: (key, isDown) => driver.key(key, isDown),
  };
}

// Runs in the page: after a resize its picture is for a moment still the one of before.
function whenPainted() {
  const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const shown = nextFrame().then(nextFrame).then(nextFrame);
  return Promise.race([shown, new Promise((resolve) => setTimeout(resolve, 500))]); // hidden it has no frames
}

// Keeps what goes wrong in the pages, over all that have been looked at.
class Ears {
  #driver;
  #faults = [];

  constructor(driver) {
    this.#driver = driver;
  }

  listen() {
    return this.#driver.run(`(${hearFaults})()`);
  }

  async faults() {
    this.#faults.push(...(await this.#driver.run('window.testFaults?.splice(0) ?? []')));
    return [...this.#faults];
  }
}

// Runs in the page.
function hearFaults() {
  if (window.testFaults) return;
  const faults = (window.testFaults = []);
  const { error } = console;
  console.error = (...words) => {
    faults.push(words.map(String).join(' '));
    error.apply(console, words);
  };
  window.addEventListener('error', ({ message, error: thrown }) => faults.push(thrown?.stack ?? message));
  window.addEventListener('unhandledrejection', ({ reason }) => faults.push(reason?.stack ?? String(reason)));
}

// The page has what its window leaves.
async function resize(driver, { width, height }) {
  const rect = await driver.rect();
  const inner = await driver.run('({ width: innerWidth, height: innerHeight })');
  await driver.setRect({ width: rect.width + width - inner.width, height: rect.height + height - inner.height });
}

// Of the kernel's choice; it does not give the same one away again at once.
async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
