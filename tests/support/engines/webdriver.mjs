// A client of W3C WebDriver: one session with one page.
import { PageLeft } from './page_left.mjs';

const COMMAND_MS = 30_000;

// What is no character has a code point of its own.
const KEYS = {
  Backspace: '\uE003', Tab: '\uE004', Enter: '\uE007', Shift: '\uE008', Control: '\uE009', Alt: '\uE00A', Escape: '\uE00C',
  End: '\uE010', Home: '\uE011', ArrowLeft: '\uE012', ArrowUp: '\uE013', ArrowRight: '\uE014', ArrowDown: '\uE015', Delete: '\uE017',
};

// Evaluates an expression and waits for its value; a copy of it travels as JSON.
const run = (expression) => `
  const done = arguments[arguments.length - 1];
  (async () => (${expression}))().then(
    (value) => done({ value: JSON.stringify(value) }),
    (error) => done({ error: String(error?.stack ?? error) }),
  );`;

export class WebDriver {
  #base;
  #session;

  // origin: of a driver that is running. capabilities: what must be matched.
  static async open(origin, capabilities) {
    const driver = new WebDriver();
    driver.#base = origin;
    const { sessionId } = await driver.#send('POST', '/session', { capabilities: { alwaysMatch: capabilities } });
    driver.#session = sessionId;
    driver.#base = `${origin}/session/${sessionId}`;
    return driver;
  }

  goto(url) {
    return this.#send('POST', '/url', { url });
  }

  reload() {
    return this.#send('POST', '/refresh');
  }

  goBack() {
    return this.#send('POST', '/back');
  }

  goForward() {
    return this.#send('POST', '/forward');
  }

  async run(expression) {
    const { value, error } = await this.#send('POST', '/execute/async', { script: run(expression), args: [] });
    if (error) throw new Error(error);
    return value === undefined || value === null ? undefined : JSON.parse(value);
  }

  async screenshot() {
    return Buffer.from(await this.#send('GET', '/screenshot'), 'base64');
  }

  // {x, y, width, height} of the window, frame included.
  rect() {
    return this.#send('GET', '/window/rect');
  }

  setRect(rect) {
    return this.#send('POST', '/window/rect', rect);
  }

  minimize() {
    return this.#send('POST', '/window/minimize');
  }

  move(x, y) {
    return this.#act('pointer', { type: 'pointerMove', x, y, duration: 0 });
  }

  button(isDown) {
    return this.#act('pointer', { type: isDown ? 'pointerDown' : 'pointerUp', button: 0 });
  }

  key(key, isDown) {
    return this.#act('key', { type: isDown ? 'keyDown' : 'keyUp', value: KEYS[key] ?? key });
  }

  close() {
    return this.#send('DELETE', '');
  }

  #act(type, action) {
    return this.#send('POST', '/actions', { actions: [{ type, id: type, actions: [action] }] });
  }

  async #send(method, path, body = {}) {
    const response = await fetch(this.#base + path, {
      method,
      body: method === 'POST' ? JSON.stringify(body) : undefined,
      signal: AbortSignal.timeout(COMMAND_MS),
    });
    const { value } = await response.json();
    if (response.ok) return value;
    const Kind = value.error === 'no such frame' ? PageLeft : Error;
    throw new Kind(`WebDriver ${method} ${path || '/'}: ${value.error}: ${value.message}`);
  }
}
