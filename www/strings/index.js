// The languages there are, and which of them a viewer reads.

// name: as its speakers write it.
export const languages = {
  en: { name: 'English', load: () => import('./en.js') },
  de: { name: 'Deutsch', load: () => import('./de.js') },
};

// wishes: language tags, the most wished first ('de-AT' is content with 'de'); what is null or
// unknown is passed over. English for those whom nothing else suits.
export function chooseLanguage(wishes) {
  for (const wish of wishes) {
    const primary = wish?.toLowerCase().split('-')[0];
    if (primary && Object.hasOwn(languages, primary)) return primary;
  }
  return 'en';
}
