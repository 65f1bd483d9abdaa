// Adds the start page's own words, which the player need not fetch. Imported before strings.js, which loads them
// with the others.
import { loadPart } from '../load_part.js';
import english from './home_en.js';
import { TRIES_MAX, addWords } from './index.js';

addWords({
  en: async () => ({ default: english }),
  de: () => loadPart(() => import('./home_de.js'), { triesMax: TRIES_MAX }),
});
