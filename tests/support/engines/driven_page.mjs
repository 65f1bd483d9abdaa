// A page of an engine that Playwright cannot drive, as tests see it: the part of Playwright's Page that
// they use, under the same names and with the same meaning, made of what the engine's driver gives.
//
// A hand's acts (click, tap of keys) are real events of the browser at real places, and wait until the
// element can be touched.
import { writeFile } from 'node:fs/promises';
import { until } from '../until.mjs';
import { PageLeft } from './page_left.mjs';
import { allExpression, call, fillExpression, firstExpression, shownExpression, stateExpression } from './in_page.mjs';

const WAIT_MS = 15_000;
const LOOK_EVERY_MS = 40;
const expressionOf = (act, value) => (typeof act === 'function' ? call(act, value) : act);

export class DrivenPage {
  mouse; // {move(x, y, {steps}), down(), up(), click(x, y)}
  keyboard; // {press(key), down(key), up(key), type(text)}; keys as in KeyboardEvent.key
  #driver;
  #size = null;

  // driver: {goto(url), reload(), goBack(), goForward(), run(expression), screenshot(), resize(size),
  // move(x, y), button(isDown), key(key, isDown)}, each a promise; run() awaits the value and resolves to a
  // copy of it, screenshot() to the bytes of a PNG. goBack() and goForward() need not wait for the other page.
  constructor(driver) {
    this.#driver = driver;
    for (const act of ['goto', 'reload', 'goBack', 'goForward']) this[act] = (...values) => driver[act](...values);
    this.mouse = new Mouse(driver);
    this.keyboard = new Keyboard(driver);
  }

  // act: a function that runs in the page with `value`, or an expression.
  evaluate(act, value) {
    return this.#driver.run(expressionOf(act, value));
  }

  $eval(selector, act, value) {
    return this.#driver.run(firstExpression(selector, act, value));
  }

  $$eval(selector, act, value) {
    return this.#driver.run(allExpression(selector, act, value));
  }

  async waitForFunction(act, value, { timeout = WAIT_MS } = {}) {
    await until(() => this.#look(expressionOf(act, value)), `${act}`, timeout, LOOK_EVERY_MS);
  }

  // The value in this page or in the one that takes its place. For what changes nothing: it may run in both.
  async #look(expression) {
    for (;;) {
      try {
        return await this.#driver.run(expression);
      } catch (error) {
        if (!(error instanceof PageLeft)) throw error;
      }
    }
  }

  // state: 'visible', 'attached' or 'hidden'.
  async waitForSelector(selector, { state = 'visible', timeout = WAIT_MS } = {}) {
    const isSo = { visible: (is) => is.isVisible, attached: (is) => is.isThere, hidden: (is) => !is.isVisible }[state];
    await until(async () => isSo(await this.#stateOf(selector)), `${selector} is ${state}`, timeout, LOOK_EVERY_MS);
  }

  async isVisible(selector) {
    return Boolean((await this.#stateOf(selector)).isVisible);
  }

  textContent(selector) {
    return this.#read(selector, (one) => one.textContent);
  }

  inputValue(selector) {
    return this.#read(selector, (one) => one.value);
  }

  getAttribute(selector, name) {
    return this.#read(selector, (one, attribute) => one.getAttribute(attribute), name);
  }

  async focus(selector) {
    await this.waitForSelector(selector, { state: 'attached' });
    await this.$eval(selector, (one) => one.focus());
  }

  async fill(selector, text) {
    await this.waitForSelector(selector);
    await this.#driver.run(fillExpression(selector, text));
  }

  async press(selector, key) {
    await this.focus(selector);
    await this.keyboard.press(key);
  }

  // position: from the element's upper left corner, its middle where there is none. force: whatever lies
  // above it, and also where it is disabled.
  async click(selector, { position, force = false } = {}) {
    const { x, y } = await this.#whenTouchable(selector, { position }, force);
    await this.mouse.click(x, y);
  }

  async hover(selector, { position } = {}) {
    const { x, y } = await this.#whenTouchable(selector, { position }, true);
    await this.mouse.move(x, y);
  }

  async setViewportSize(size) {
    await this.#driver.resize(size);
    let is;
    const isSo = async () => {
      is = await this.evaluate(() => ({ width: innerWidth, height: innerHeight }));
      return is.width === size.width && is.height === size.height;
    };
    await until(isSo, () => `a page of ${JSON.stringify(size)}, not ${JSON.stringify(is)}`, WAIT_MS, LOOK_EVERY_MS);
    this.#size = size;
  }

  viewportSize() {
    return this.#size;
  }

  async screenshot({ path } = {}) {
    const png = await this.#driver.screenshot();
    if (path) await writeFile(path, png);
    return png;
  }

  #stateOf(selector) {
    return this.#look(stateExpression(selector));
  }

  async #read(selector, act, value) {
    await this.waitForSelector(selector, { state: 'attached' });
    return this.#look(firstExpression(selector, act, value));
  }

  // At rest from one picture to the next, in sight, enabled, and nothing else above it.
  async #whenTouchable(selector, at, force) {
    let before = null;
    let is = null;
    await until(async () => {
      before = is;
      is = await this.#look(shownExpression(selector, at));
      const rests = is.x === before?.x && is.y === before?.y;
      return is.isVisible && rests && (force || (is.isEnabled && is.isHit));
    }, () => `${selector} can be touched: ${JSON.stringify(is)}`, WAIT_MS, LOOK_EVERY_MS);
    return is;
  }
}

class Mouse {
  #driver;
  #x = 0;
  #y = 0;

  constructor(driver) {
    this.#driver = driver;
  }

  async move(x, y, { steps = 1 } = {}) {
    const [fromX, fromY] = [this.#x, this.#y];
    for (let i = 1; i <= steps; i++) {
      await this.#driver.move(Math.round(fromX + ((x - fromX) * i) / steps), Math.round(fromY + ((y - fromY) * i) / steps));
    }
    [this.#x, this.#y] = [x, y];
  }

  down() {
    return this.#driver.button(true);
  }

  up() {
    return this.#driver.button(false);
  }

  async click(x, y) {
    await this.move(x, y);
    await this.down();
    await this.up();
  }
}

class Keyboard {
  #driver;

  constructor(driver) {
    this.#driver = driver;
  }

  down(key) {
    return this.#driver.key(key, true);
  }

  up(key) {
    return this.#driver.key(key, false);
  }

  async press(key) {
    await this.down(key);
    await this.up(key);
  }

  async type(text) {
    for (const key of text) await this.press(key);
  }
}
