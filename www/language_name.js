// The names of languages, as the viewer's own calls them.
import { locale, strings } from './strings.js';

const UNKNOWN = 'und'; // what a file says of which nobody knows

// 'fr' -> "French", "Französisch"; otherwise: what is said of one that the browser does not know.
export function languageName(tag, otherwise = tag) {
  if (tag === UNKNOWN) return strings.controls.captionsUnnamed;
  try {
    return new Intl.DisplayNames([locale], { type: 'language', fallback: 'none' }).of(tag) ?? otherwise;
  } catch {
    return otherwise; // no language's tag, or a browser without names
  }
}
