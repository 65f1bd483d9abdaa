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

// Tells the browser of every module at once, instead of letting it find out from file to file.
export function preloadModules(html, names) {
  const links = names.map((name) => `  <link rel="modulepreload" href="${name}">\n`).join('');
  return html.replace('</head>', `${links}</head>`);
}

// The modules that a page starts with.
export function entryModules(html) {
  return [...html.matchAll(/<script type="module" src="([^"]+)"/g)].map(([, name]) => name);
}

function escapeHtml(text) {
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character]);
}
