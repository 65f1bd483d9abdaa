// What the build does to an html file. Pure: texts go in, texts come out.
import { attributes, lookUp } from '../../www/strings/page.js';

// Puts the words in that data-string attributes name, so that the page has them before any script
// runs (and where none does). The attributes stay: another language replaces the words.
export function fillHtml(html, strings) {
  const word = (path) => {
    const text = lookUp(strings, path);
    if (typeof text !== 'string') throw new Error(`no string ${path}`);
    return escapeHtml(text);
  };
  const withTexts = html.replace(
    /(<([a-z][\w-]*)\b[^>]*\sdata-string="([^"]+)"[^>]*>)(?=<\/\2>)/g,
    (tag, whole, element, path) => tag + word(path),
  );
  const withAttribute = new RegExp(`\\sdata-string-(${attributes.join('|')})="([^"]+)"`, 'g');
  return withTexts.replace(withAttribute, (named, attribute, path) => `${named} ${attribute}="${word(path)}"`);
}

const STYLE = / *<link rel="stylesheet" href="([^"]+)">\n/g;

// The style sheets of a page, in their order.
export function stylesOf(html) {
  return [...html.matchAll(STYLE)].map(([, name]) => name);
}

// One style sheet in the place of the first; the others go.
export function mergeStyles(html, name) {
  let isFirst = true;
  return html.replace(STYLE, () => {
    const link = isFirst ? `  <link rel="stylesheet" href="${name}">\n` : '';
    isFirst = false;
    return link;
  });
}

// The modules that a page starts with.
export function entryModules(html) {
  return [...html.matchAll(/<script type="module" src="([^"]+)"/g)].map(([, name]) => name);
}

function escapeHtml(text) {
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character]);
}
