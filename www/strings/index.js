// The languages there are, and which of them a viewer reads.
import { loadPart } from '../load_part.js';
import english from './en.js';

export const TRIES_MAX = 3; // nothing is said before they are there

// name: as its speakers write it. English comes with the page, for whom nothing else suits; of the others
// only the one that is read is fetched.
export const languages = {
  en: { name: 'English', parts: [async () => ({ default: english })] },
  de: { name: 'Deutsch', parts: [() => loadPart(() => import('./de.js'), { triesMax: TRIES_MAX })] },
};

// loads: {en, de, ...}, of the words that only some pages have. Before wordsOf() is called.
export function addWords(loads) {
  for (const [language, load] of Object.entries(loads)) languages[language].parts.push(load);
}

// All that this page says in a language.
export async function wordsOf(language) {
  const parts = await Promise.all(languages[language].parts.map((load) => load()));
  return Object.assign({}, ...parts.map(({ default: words }) => words));
}

// wishes: language tags, the most wished first ('de-AT' is content with 'de'); what is null or
// unknown is passed over. English for those whom nothing else suits.
export function chooseLanguage(wishes) {
  for (const wish of wishes) {
    const primary = wish?.toLowerCase().split('-')[0];
    if (primary && Object.hasOwn(languages, primary)) return primary;
  }
  return 'en';
}

// How times are written for who reads `language`: as in the most wished of its regions ('de-AT', 'en-GB');
// where none is wished, with the hours of the day as the first wish counts them.
export function chooseLocale(language, wishes) {
  const ofLanguage = wishes.find((wish) => wish?.toLowerCase().split('-')[0] === language);
  if (ofLanguage) return ofLanguage;
  const { hourCycle } = new Intl.DateTimeFormat(wishes[0], { hour: 'numeric' }).resolvedOptions();
  return `${language}-u-hc-${hourCycle}`;
}
