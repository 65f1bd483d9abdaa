// The question for the server's password, where it asks for one: once in a browser, which is then known by a cookie. And
// what stands in the place of its videos until then.
import { make, setText } from './dom.js';
import { describeFault } from './faults.js';
import { tellPassword } from './session/api.js';
import { language, strings } from './strings.js';
import { passwordWords } from './strings/password.js';

const words = passwordWords[language];

// Resolves to whether the server has taken it.
export function askPassword() {
  const input = make('input', { id: 'password', class: 'input', type: 'password', autocomplete: 'current-password', 'aria-describedby': 'password-fault' });
  const fault = make('p', { id: 'password-fault', class: 'message error', role: 'alert' });
  const cancel = make('button', { class: 'button', type: 'button', text: strings.confirm.cancel });
  const form = make('form', { novalidate: '' },
    make('p', { class: 'muted', text: words.why }),
    make('div', { class: 'field' }, make('label', { for: 'password', text: words.label }), input, fault),
    make('div', { class: 'dialog-buttons' }, cancel, make('button', { class: 'button primary', text: words.go })));
  const dialog = make('dialog', { class: 'dialog', 'aria-labelledby': 'password-title' },
    make('h2', { id: 'password-title', text: words.title }), form);
  let isTaken = false;
  const refuse = (text) => {
    setText(fault, text);
    input.setAttribute('aria-invalid', 'true');
    input.focus();
    input.select();
  };
  cancel.addEventListener('click', () => dialog.close());
  input.addEventListener('input', () => {
    input.removeAttribute('aria-invalid');
    setText(fault, '');
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (!input.value) return refuse(words.none);
    const error = await tellPassword(input.value).then(() => null, (reason) => reason);
    if (error) return refuse(described(error));
    isTaken = true;
    dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(isTaken);
    }, { once: true });
  });
}

function described(error) {
  if (error.code === 'wrong_password') return words.wrong;
  if (error.code === 'rate_limited') return words.tooMany(error.retryAfterS);
  return describeFault(error);
}

// Fills `place`. onTold(): the server has taken it.
export function offerPassword(place, onTold) {
  const button = make('button', { class: 'button', type: 'button', text: words.say });
  button.addEventListener('click', async () => {
    if (await askPassword()) onTold();
  });
  place.append(make('p', { class: 'muted', text: words.library }), button);
}
