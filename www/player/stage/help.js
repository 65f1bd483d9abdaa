// The keys, in a dialog. Fetched when somebody asks.
import { make } from '../../dom.js';
import { language } from '../../strings.js';
import { helpWords } from '../../strings/help.js';

const words = helpWords[language];
const KEYS = [
  [[words.space, 'K'], words.play],
  [['←', '→'], words.step],
  [['J', 'L'], words.leap],
  [['0', '–', '9'], words.share],
  [['↑', '↓'], words.volume],
  [['M'], words.mute],
  [['C'], words.captions],
  [['G', 'H'], words.captionsDelay],
  [['+', '−'], words.captionsSize],
  [['B'], words.captionsPlace],
  [['F'], words.full],
  [['T'], words.theatre],
  [['P'], words.pictureInPicture],
  [['?'], words.help],
];

const dialog = make('dialog', { id: 'help-dialog', class: 'dialog', 'aria-labelledby': 'help-title' },
  make('h2', { id: 'help-title', text: words.title }),
  make('dl', { class: 'keys' }, ...KEYS.map(([keys, what]) => make('div', {}, make('dt', {}, ...keys.flatMap(showKey)), make('dd', { text: what })))),
  make('form', { method: 'dialog' }, make('button', { class: 'button wide', text: words.close })));
document.body.append(dialog);

export function openHelp() {
  if (!dialog.open) dialog.showModal();
}

function showKey(key, place) {
  return [place > 0 ? ' ' : '', key === '–' ? key : make('kbd', { text: key })];
}
