// As much of a document as the pages' own parts ask for: elements that hold each other, their text and attributes.

const camel = (name) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

export class FakeElement extends EventTarget {
  children = [];
  attributes = new Map();
  dataset = {};
  style = {};
  hidden = false;
  isConnected = true;
  #text = '';

  constructor(tag) {
    super();
    this.tag = tag;
    this.classList = { toggle() {} };
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
    if (name === 'hidden') this.hidden = true;
    if (name === 'src') this.src = value;
    if (name.startsWith('data-')) this.dataset[camel(name.slice(5))] = String(value);
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  removeAttribute(name) {
    this.attributes.delete(name);
  }

  append(...parts) {
    this.children.push(...parts);
  }

  after() {}

  replaceChildren(...parts) {
    this.children = parts;
  }

  get firstChild() {
    return this.children[0] ?? null;
  }

  get lastChild() {
    return this.children.at(-1) ?? null;
  }

  get textContent() {
    const shown = this.children.filter((one) => !one.hidden);
    return this.#text + shown.map((one) => (typeof one === 'string' ? one : one.textContent)).join('');
  }

  set textContent(text) {
    this.children = [];
    this.#text = text;
  }

  // By class, as '.name' alone.
  querySelector(selector) {
    for (const one of this.children) {
      if (typeof one === 'string') continue;
      if ((one.getAttribute('class') ?? '').split(' ').includes(selector.slice(1))) return one;
      const found = one.querySelector(selector);
      if (found) return found;
    }
    return null;
  }
}

// Stands in for the browser's from now on.
export function fakeDocument() {
  globalThis.document = Object.assign(new EventTarget(), {
    hidden: false,
    createElement: (tag) => new FakeElement(tag),
    createElementNS: (_, tag) => new FakeElement(tag),
  });
  return globalThis.document;
}
