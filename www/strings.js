// The words of the viewer's language: strings.home.create, strings.gate.watching(3).
import { mayReload } from './load_part.js';
import { rememberLanguage, rememberedLanguage } from './memory.js';
import { chooseLanguage, chooseLocale, languages, wordsOf } from './strings/index.js';
import { fillStrings } from './strings/page.js';

export { languages };

// What the address asks for (?lang=de) holds from then on, on every page of this browser.
function askedLanguage() {
  const asked = new URLSearchParams(globalThis.location?.search).get('lang');
  if (asked && Object.hasOwn(languages, asked)) rememberLanguage(asked);
  return asked;
}

// Words that do not come are English ones; a page that is loaded anew may have them.
async function load(wished) {
  try {
    return [wished, await wordsOf(wished)];
  } catch ({ needsReload }) {
    if (!needsReload || !mayReload()) return ['en', await wordsOf('en')];
    location.reload();
    return new Promise(() => {});
  }
}

const preferred = globalThis.navigator?.languages ?? [];

export const [language, strings] = await load(chooseLanguage([askedLanguage(), rememberedLanguage(), ...preferred]));
// For times and the names of languages: the viewer's own among those of `language`.
export const locale = chooseLocale(language, preferred);

// Puts the words into this page's html, and says in which language they are.
export function localizePage() {
  document.documentElement.lang = language;
  fillStrings(document, strings);
}
