// The policy allows exactly the style sheets that media-chrome's elements bring: each by its hash.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const source = process.env.VIDEOSYNC_SOURCE ?? '.';
const binary = path.resolve(source, process.env.VIDEOSYNC_BINARY ?? 'build/dev/videosync');
const vendor = path.join(path.dirname(binary), 'www/vendor');

// What the library asks of a browser while it defines its elements; the elements are kept.
function imitateBrowser(elements) {
  class Target {
    addEventListener() {}
  }
  for (const name of ['ResizeObserver', 'Node', 'Element', 'HTMLElement', 'DocumentFragment', 'DOMParser']) {
    globalThis[name] = class extends Target {};
  }
  globalThis.CustomEvent ??= class {};
  globalThis.navigator ??= { languages: [], userAgent: '' };
  globalThis.document = Object.assign(new Target(), { createElement: () => new Target() });
  globalThis.localStorage = {};
  globalThis.getComputedStyle = () => {};
  globalThis.matchMedia = () => ({ matches: false });
  globalThis.customElements = {
    define: (name, element) => elements.set(name, element),
    get: (name) => elements.get(name),
    whenDefined: () => new Promise(() => {}),
  };
}

function styleHashes(elements) {
  const hashes = new Set();
  for (const element of elements.values()) {
    const html = element.getTemplateHTML({}, {});
    for (const [, text] of html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)) {
      hashes.add(`sha256-${createHash('sha256').update(text).digest('base64')}`);
    }
  }
  return [...hashes].sort();
}

test('the style sheets of the player\'s controls are the ones that the policy allows', async () => {
  const bundle = (await readdir(vendor)).find((name) => /^media-chrome(\.[0-9a-f]+)?\.js$/.test(name));
  const elements = new Map();
  imitateBrowser(elements);
  await import(pathToFileURL(path.join(vendor, bundle)).href);
  const headers = await readFile(path.resolve(source, 'server/http/security_headers.h'), 'utf8');
  const allowed = [...headers.matchAll(/'(sha256-[A-Za-z0-9+/=]+)'/g)].map(([, hash]) => hash).sort();
  assert.ok(elements.has('media-controller'));
  assert.deepEqual(allowed, styleHashes(elements));
});
