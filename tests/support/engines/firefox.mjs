// The stock Firefox, headless, driven by WebDriver BiDi. A person is a container of their own with one
// window: what lies in another tab counts as hidden.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import puppeteer from 'puppeteer-core';
import { startChild } from '../child.mjs';
import { until } from '../until.mjs';
import { DrivenPage } from './driven_page.mjs';
import { makeHome } from './home.mjs';
import { endAll } from './processes.mjs';

const PROGRAM = process.env.VIDEOSYNC_FIREFOX || 'firefox-esr';
const START_MS = 30_000;
const COMMAND_MS = 30_000;
const AUTOPLAY = { stock: 1, allowed: 0, refused: 5 };
const MOUSE = 2 | 4; // fine, and may hover: headless it believes that there is nothing to point with
const SCHEMES = { dark: 0, light: 1 };

export const cannot = {
  touch: 'a stock desktop Firefox has no touch screen that WebDriver BiDi could tap',
};

// options as of launch() in engines.mjs.
export async function launchFirefox({ autoplay = 'stock', language = 'en-US', colorScheme = 'light', trustsAll = false, env = {} }) {
  const home = await makeHome(env);
  const profile = path.join(home.directory, 'profile');
  mkdirSync(profile);
  writeFileSync(path.join(profile, 'user.js'), preferences({ autoplay, language, colorScheme }));
  let child;
  let browser;
  const close = async () => {
    await Promise.race([browser?.close(), child?.exited]).catch(() => {});
    await child?.stop();
    await endAll(home.mark);
    await home.remove();
  };
  try {
    child = await startChild(PROGRAM, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'], { env: home.env });
    const url = () => /WebDriver BiDi listening on (ws:\S+)/.exec(child.output())?.[1];
    await until(() => url() || child.hasEnded(), () => `Firefox speaks BiDi:\n${child.output()}`, START_MS);
    if (!url()) throw new Error(`Firefox ended at once:\n${child.output()}`);
    browser = await puppeteer.connect({
      browserWSEndpoint: `${url()}/session`, protocol: 'webDriverBiDi', protocolTimeout: COMMAND_MS, defaultViewport: null, acceptInsecureCerts: trustsAll,
    });
    const version = (await browser.version()).replace(/^\w+\//, '');
    return { version, cannot, mark: home.mark, openPerson: (person) => openPerson(browser, person), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function preferences({ autoplay, language, colorScheme }) {
  const values = {
    'media.autoplay.default': AUTOPLAY[autoplay],
    'intl.accept_languages': language,
    'intl.locale.requested': language,
    'layout.css.prefers-color-scheme.content-override': SCHEMES[colorScheme],
    'ui.primaryPointerCapabilities': MOUSE,
    'ui.allPointerCapabilities': MOUSE,
    'app.update.enabled': false,
    'browser.aboutwelcome.enabled': false,
    'browser.shell.checkDefaultBrowser': false,
    'browser.startup.page': 0,
    'browser.startup.homepage_override.mstone': 'ignore',
    'datareporting.policy.dataSubmissionEnabled': false,
    'extensions.update.enabled': false,
    'full-screen-api.warning.timeout': 0,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'services.settings.server': 'data:,',
    'browser.safebrowsing.provider.mozilla.updateURL': '',
    'toolkit.telemetry.enabled': false,
  };
  return Object.entries(values).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join('');
}

async function openPerson(browser, { viewport, scripts }) {
  const context = await browser.createBrowserContext();
  const inner = await context.newPage({ type: 'window' });
  const faults = [];
  inner.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  inner.on('pageerror', (error) => faults.push(error.stack ?? String(error)));
  for (const script of scripts) await inner.evaluateOnNewDocument(script);
  const page = new DrivenPage(driverOf(inner));
  await page.setViewportSize(viewport);
  let cover = null;
  return {
    page,
    faults: async () => [...faults],
    // A tab opens in the window that is in front.
    hide: async () => {
      await inner.bringToFront();
      cover = await context.newPage();
    },
    show: async () => {
      await cover?.close();
      await inner.bringToFront();
    },
    close: () => context.close(),
  };
}

function driverOf(inner) {
  return {
    goto: (url) => inner.goto(url),
    reload: () => inner.reload(),
    // Not its own, which wait for a load: a page that was kept is shown again without one.
    goBack: () => inner.evaluate('void setTimeout(() => history.back())'),
    goForward: () => inner.evaluate('void setTimeout(() => history.forward())'),
    run: (expression) => inner.evaluate(expression),
    screenshot: () => inner.screenshot(),
    resize: (size) => inner.setViewport({ ...size, deviceScaleFactor: 1 }),
    move: (x, y) => inner.mouse.move(x, y),
    button: (isDown) => (isDown ? inner.mouse.down() : inner.mouse.up()),
    key: (key, isDown) => (isDown ? inner.keyboard.down(key) : inner.keyboard.up(key)),
  };
}
