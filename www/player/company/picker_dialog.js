// The dialog of the library in the room. Fetched with the picker.
import { make } from '../../dom.js';
import { language } from '../../strings.js';
import { pickerWords } from '../../strings/picker.js';

const { picker: words, address } = pickerWords[language];

export function makeDialog() {
  return make('dialog', { id: 'picker', class: 'dialog picker', 'aria-labelledby': 'picker-title' },
    make('div', { class: 'picker-head' },
      make('h2', { id: 'picker-title', text: words.title }),
      make('form', { method: 'dialog' }, make('button', { class: 'control', 'aria-label': words.close, text: '×' }))),
    make('div', { id: 'picker-find', class: 'picker-find' },
      make('input', { id: 'picker-search', class: 'input', type: 'search', autocomplete: 'off', placeholder: words.search, 'aria-label': words.search }),
      make('select', { id: 'picker-order', class: 'input picker-order', 'aria-label': words.order, hidden: true },
        make('option', { value: 'title', text: words.byTitle }),
        make('option', { value: 'newest', text: words.byAge }))),
    make('p', { id: 'picker-words', class: 'muted', role: 'status' }),
    make('div', { id: 'picker-locked', class: 'locked', hidden: true }),
    make('div', { id: 'picker-list', class: 'picker-list' }),
    make('form', { id: 'address', class: 'picker-address', hidden: true },
      make('label', { for: 'address-url', text: address.label }),
      make('span', { class: 'field-and-button' },
        make('input', { id: 'address-url', class: 'input', type: 'url', autocomplete: 'off', placeholder: address.example }),
        make('button', { id: 'address-show', class: 'button small', text: address.show })),
      make('p', { id: 'address-words', class: 'muted', role: 'status' })));
}
