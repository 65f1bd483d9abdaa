// What the sounds of a film are called in their menu: the language in the viewer's words, and what the film adds.
import { languageName } from '../../language_name.js';
import { strings } from '../../strings.js';

// tracks: of AudioTracks. One name for each, no two alike.
export function soundNames(tracks) {
  const names = tracks.map(nameOf);
  return names.map((name, i) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${i + 1})`));
}

function nameOf({ lang, label }, place) {
  const language = lang && lang !== 'und' ? languageName(lang, '') : '';
  if (!language) return label || strings.controls.soundNumber(place + 1);
  return label && label.toLowerCase() !== language.toLowerCase() ? `${language} – ${label}` : language;
}
