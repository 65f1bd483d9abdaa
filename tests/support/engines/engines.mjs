// Real browsers of three engines under one interface: Chromium, the stock Firefox, and WebKit as GTK has
// it (what WebKit does alike everywhere shows there, too).
//
// Whatever is started ends with close(), and with this process however that ends.
import { launchChromium } from './chromium.mjs';
import { launchFirefox } from './firefox.mjs';
import { launchWebkit } from './webkit.mjs';

const LAUNCHERS = { chromium: launchChromium, firefox: launchFirefox, webkit: launchWebkit };
const DESK = { width: 1000, height: 700 };

export const ENGINES = Object.keys(LAUNCHERS);

// options, all optional:
//   autoplay     'stock': as people have it; 'allowed': without a gesture, too; 'refused': not even silently
//                where the engine can be told so, else not with sound
//   language     'en-US', 'de-DE'
//   colorScheme  'light', 'dark'
//   trustsAll    takes any certificate, for a test's own; Chromium and launchBrowser() know single ones instead
//   env          added to the environment of its processes, PULSE_SERVER for example: by itself an engine
//                has no sound device, and plays by the clock of the machine
// Resolves to {name, version, cannot, mark, openPerson(options), close()}. `cannot` has the reason of each
// thing that cannot be had of this engine here: touch, scripts, hiding. `mark`: of its processes (processes.mjs).
//
// openPerson({viewport, scripts}) opens a page of another person, with a storage of their own; scripts:
// functions that run in each page before its own. Resolves to {page, faults(), hide(), show(), close()}:
//   page      Playwright's Page where that drives the engine, else a DrivenPage, which has what tests use of it
//   faults()  resolves to what must not happen and did: errors on the console, exceptions, breaches of the
//             content security policy
//   hide()    the page is no longer to be seen (another tab, a minimized window), until show()
export async function launch(name, options = {}) {
  const launcher = LAUNCHERS[name];
  if (!launcher) throw new Error(`no engine ${name}: one of ${ENGINES.join(', ')}`);
  const engine = await launcher(options);
  const openPerson = ({ viewport = DESK, scripts = [] } = {}) => engine.openPerson({ viewport, scripts: [instrument, ...scripts] });
  return { ...engine, name, openPerson };
}

// Runs in a page before its own scripts, where the engine lets it: `testSockets` has its WebSockets, and
// a breach of the security policy is an error on the console.
function instrument() {
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    console.error(`policy: ${violatedDirective} ${blockedURI}`));
  const sockets = (window.testSockets = []);
  window.WebSocket = class extends window.WebSocket {
    constructor(...parameters) {
      super(...parameters);
      sockets.push(this);
    }
  };
}
