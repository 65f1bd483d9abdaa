// The films in which this browser's viewer had stopped: a way back to each, and a way to forget it.
import { byId, make } from '../dom.js';
import { formatTime } from '../format.js';
import { forgetPlace, rememberedPlaces } from '../memory.js';
import { strings } from '../strings.js';

const words = strings.goOn;

// onChoose({id, title}): one was clicked. onForget(): of one.
export function showPlaces({ onChoose, onForget }) {
  byId('go-on-list').replaceChildren(...rememberedPlaces().map((place) => makeRow(place, { onChoose, onForget })));
  hideWhenEmpty();
}

function makeRow({ id, title, positionS, durationS }, { onChoose, onForget }) {
  const open = make('button', { type: 'button', class: 'recent-link go-on-open' },
    make('span', { class: 'recent-title', text: title }),
    make('span', { class: 'recent-facts muted', text: words.of(formatTime(positionS), formatTime(durationS)) }));
  const forget = make('button', { type: 'button', class: 'forget', 'aria-label': words.forget(title), title: words.forget(title), text: '×' });
  const row = make('li', { class: 'recent-row' }, open, forget);
  open.addEventListener('click', () => onChoose({ id, title }));
  forget.addEventListener('click', () => {
    forgetPlace(id);
    onForget();
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    hideWhenEmpty();
    /** @type {HTMLElement} */ (next?.querySelector('.forget') ?? byId('create')).focus();
  });
  return row;
}

function hideWhenEmpty() {
  byId('go-on').hidden = byId('go-on-list').children.length === 0;
}
