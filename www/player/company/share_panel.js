// How others come in: the session's code, to be read out or typed, and its link, to be copied, sent or scanned. A
// session that was made before there were codes has none.
import { byId, copyText, setText } from '../../dom.js';
import { loadPart } from '../../load_part.js';
import { strings } from '../../strings.js';

const words = strings.sharing;
const COPIED_FOR_MS = 2_000;

export class SharePanel {
  #link;

  // isMaker: of the session; who has just made it wants to let others in first of all.
  /** @param {Room} room @param {string} link @param {{isMaker: boolean}} more */
  constructor(room, link, { isMaker }) {
    this.#link = link;
    byId('share-link').value = link;
    room.addEventListener('welcome', () => this.#showCode(room.code));
    if (isMaker) room.addEventListener('welcome', () => this.#open(), { once: true });
    this.#showCode(room.code);
    byId('share').addEventListener('click', () => this.#open());
    this.#wire('copy-code', 'share-code', words.copyCode);
    this.#wire('copy-link', 'share-link', words.copyLink);
    byId('send-link').hidden = !navigator.canShare?.({ url: link });
    // Closing the sheet without sending anything is no failure.
    byId('send-link').addEventListener('click', () => navigator.share({ title: 'VideoSync', text: words.sendText, url: link }).catch(() => {}));
  }

  #open() {
    if (byId('share-dialog').open) return;
    setText(byId('share-words'), '');
    byId('share-dialog').showModal();
    this.#showQrCode().catch(() => {}); // there is the link
  }

  async #showQrCode() {
    const place = byId('share-qr');
    if (place.firstChild) return;
    const { makeQrCode } = await loadPart(() => import('../../qr_code.js'), { triesMax: 1 });
    place.replaceChildren(makeQrCode(this.#link, words.qr));
    place.hidden = false;
  }

  #showCode(code) {
    byId('share-code').value = code;
    byId('share-code-row').hidden = code === '';
  }

  // What is told for a moment elsewhere would lie beneath the dialog: the button says it itself.
  #wire(buttonId, fieldId, itself) {
    const button = byId(buttonId);
    const field = byId(fieldId);
    field.addEventListener('focus', () => field.select());
    button.addEventListener('click', async () => {
      const isCopied = await copyText(field.value, field);
      setText(byId('share-words'), isCopied ? '' : strings.events.copyFailed);
      if (!isCopied) return;
      setText(button, words.copied);
      setTimeout(() => setText(button, itself), COPIED_FOR_MS);
    });
  }
}
