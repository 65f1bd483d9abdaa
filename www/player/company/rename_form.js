// Changing one's own name, in one's own row of the list.
import { make } from '../../dom.js';
import { NameField } from '../../name_field.js';
import { strings } from '../../strings.js';

const words = strings.people;

// Puts a field in place of what the row shows. Resolves to the new name, or null where it stays;
// the row is as before then, with the focus back on its button.
export function askForName(row, name) {
  const fault = make('p', { id: 'rename-fault', class: 'message', role: 'alert' });
  const field = make('input', { class: 'input', 'aria-describedby': fault.id, autocomplete: 'nickname', 'aria-label': words.yourName });
  const cancel = make('button', { type: 'button', class: 'button small', text: words.cancel });
  const form = make('form', { class: 'rename' }, field, fault,
    make('button', { type: 'submit', class: 'button small primary', text: words.save }), cancel);
  const input = new NameField(field, fault);
  field.value = name;
  row.classList.add('renaming');
  row.append(form);
  field.select();
  field.focus();
  return new Promise((resolve) => {
    const finish = (chosen) => {
      form.remove();
      row.classList.remove('renaming');
      row.querySelector('.rename-open').focus();
      resolve(chosen);
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const chosen = input.read();
      if (chosen === null) return field.focus();
      finish(chosen && chosen !== name ? chosen : null);
    });
    cancel.addEventListener('click', () => finish(null));
    field.addEventListener('keydown', ({ key }) => key === 'Escape' && finish(null));
  });
}
