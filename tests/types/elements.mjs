// What byId() of www/dom.js finds: the elements that have an id, in the pages or made by their modules, as an
// interface from ids to types; where two pages disagree, either. An id that nothing has is a fault of whoever asks.
const IN_A_PAGE = /<([a-z][a-z0-9-]*)\b[^>]*?\sid="([^"]+)"/g;
const MADE = /\bmake\('([a-z][a-z0-9-]*)',\s*\{[^}]*?\bid: '([^']+)'/g;

// sources: [{path, text}]
export function elementDeclarations(sources) {
  const tags = new Map();
  for (const { path, text } of sources) {
    for (const [, tag, id] of text.matchAll(path.endsWith('.html') ? IN_A_PAGE : MADE)) {
      tags.set(id, (tags.get(id) ?? new Set()).add(tag));
    }
  }
  return [
    '// Made of the ids in www/ by `make types`; tests/layers compares.',
    // What no browser and no library knows by its tag is at least an element.
    'type Tag<T extends string> = T extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[T] : HTMLElement;',
    'interface PageElements {',
    ...[...tags].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, its]) => `  '${id}': ${[...its].map((tag) => `Tag<'${tag}'>`).join(' | ')};`),
    '}',
    '',
  ].join('\n');
}
