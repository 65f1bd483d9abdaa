// Chromium, headless, driven by Playwright.
import { launchBrowser } from '../browser.mjs';
import { endAll, newMark } from './processes.mjs';

// Of what Chromium can be told, the nearest to each policy: it always plays silently.
const AUTOPLAY = {
  stock: [],
  allowed: ['--autoplay-policy=no-user-gesture-required'],
  refused: ['--autoplay-policy=document-user-activation-required'],
};

export const cannot = {
  hiding: 'Playwright has Chromium believe that every page is in sight',
};

export async function launchChromium({ autoplay = 'stock', language = 'en-US', colorScheme = 'light', env = {} }) {
  const mark = newMark();
  const browser = await launchBrowser(AUTOPLAY[autoplay], { ...env, ...mark }, { audible: 'PULSE_SERVER' in env });
  return {
    version: browser.version(),
    cannot,
    mark,
    openPerson: (person) => openPerson(browser, { ...person, locale: language, colorScheme }),
    close: async () => {
      await browser.close();
      await endAll(mark);
    },
  };
}

async function openPerson(browser, { scripts, ...options }) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.stack));
  for (const script of scripts) await page.addInitScript(script);
  return { page, faults: async () => [...faults], hide: refuse, show: refuse, close: () => context.close() };
}

async function refuse() {
  throw new Error(cannot.hiding);
}
