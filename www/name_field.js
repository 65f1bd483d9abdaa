// A field for a name with what is to be said of it: the same on every page.
import { setText } from './dom.js';
import { cleanName } from './member_name.js';
import { offeredName, rememberedName } from './memory.js';
import { strings } from './strings.js';

// What the viewer was last called, or has just asked to be; '' where nobody knows.
export function knownName() {
  return cleanName(offeredName() ?? rememberedName()).name ?? '';
}

export class NameField {
  #field;
  #message;

  // message: an element that `field` names as its description, empty while there is nothing to say.
  constructor(field, message) {
    this.#field = field;
    this.#message = message;
    field.addEventListener('input', () => this.#say(''));
  }

  // The name as the server will take it; '' where nothing was written. null where it will not do: that
  // is said at the field then.
  read() {
    if (this.#field.value === '') return '';
    const { name, fault } = cleanName(this.#field.value);
    this.#say(fault ? strings.name[fault] : '');
    return name ?? null;
  }

  #say(text) {
    setText(this.#message, text);
    if (!text) return this.#field.removeAttribute('aria-invalid');
    this.#field.setAttribute('aria-invalid', 'true');
    this.#message.scrollIntoView({ block: 'nearest' });
  }
}
