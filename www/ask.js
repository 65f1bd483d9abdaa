// A question that is answered before anything goes on, in the page's own dialog.
import { byId, setText } from './dom.js';

// Resolves to whether the answer was yes; `yes` stands on that button.
export function ask(words, yes) {
  const dialog = byId('confirm-dialog');
  setText(byId('confirm-words'), words);
  setText(byId('confirm-yes'), yes);
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
