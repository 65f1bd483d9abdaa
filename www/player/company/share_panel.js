// How others come in: the session's code, to be read out or typed, and its link. A session that was made
// before there were codes has none.
import { byId, copyText, setText } from '../../dom.js';
import { strings } from '../../strings.js';

const COPIED_FOR_MS = 2_000;

export class SharePanel {
  constructor(room, link) {
    byId('share-link').value = link;
    room.addEventListener('welcome', () => this.#showCode(room.code));
    this.#showCode(room.code);
    byId('share').addEventListener('click', () => {
      setText(byId('share-words'), '');
      byId('share-dialog').showModal();
    });
    this.#wire('copy-code', 'share-code', strings.sharing.copyCode);
    this.#wire('copy-link', 'share-link', strings.sharing.copyLink);
  }

  #showCode(code) {
    byId('share-code').value = code;
    byId('share-code-row').hidden = code === '';
  }

  // What is told for a moment elsewhere would lie beneath the dialog: the button says it itself.
  #wire(buttonId, fieldId, words) {
    const button = byId(buttonId);
    const field = byId(fieldId);
    field.addEventListener('focus', () => field.select());
    button.addEventListener('click', async () => {
      const isCopied = await copyText(field.value, field);
      setText(byId('share-words'), isCopied ? '' : strings.events.copyFailed);
      if (!isCopied) return;
      setText(button, strings.sharing.copied);
      setTimeout(() => setText(button, words), COPIED_FOR_MS);
    });
  }
}
