// The line below the picture that always says what is going on, and the action it offers.
import { byId, setIcon, setText } from '../../dom.js';
import { strings } from '../../strings.js';
import { describeNotice, describeRole, describeStatus } from './status.js';

const RENDER_EVERY_MS = 250;
const FIGURE_EVERY_MS = 1_000; // a number that changes faster cannot be read
const ANNOUNCE_AFTER_MS = 1_000; // what is over sooner is not read out

export class StatusLine {
  #view;
  #acts;
  #onRender;
  #figureAtMs = 0;
  #action = null;
  #live = { words: '', sinceMs: 0 };

  // view: a StatusView. acts: what each action of strings.actions does. onRender(): whatever else
  // the page refreshes at this pace.
  /** @param {{room: Room} & Record<string, any>} means */
  constructor({ room, follower, source, view, acts, onRender }) {
    this.#view = view;
    this.#acts = acts;
    this.#onRender = onRender;
    for (const type of /** @type {const} */ (['phase', 'welcome', 'state', 'people', 'host', 'waiting', 'notice', 'undone', 'settings'])) {
      room.addEventListener(type, () => this.render());
    }
    follower.addEventListener('change', () => this.render());
    source.addEventListener('problem', () => this.render());
    byId('status-action').addEventListener('click', () => this.#acts[this.#action]?.());
    byId('big-action').addEventListener('click', () => this.#acts[this.#action]?.());
    byId('claim').addEventListener('click', () => this.#acts.claim());
    setInterval(() => this.render(), RENDER_EVERY_MS);
  }

  render() {
    const view = this.#view.player();
    const status = describeStatus(view);
    const roleView = this.#view.role();
    const role = roleView && describeRole(roleView);
    const notice = status.kind === 'bad' ? null : describeNotice(this.#view.service());
    this.#renderStatus(status);
    this.#renderEnd(view.phase, status.words);
    this.#renderRole(role);
    byId('notice').hidden = notice === null;
    setText(byId('notice'), notice?.words ?? '');
    byId('spinner').hidden = status.kind !== 'busy' || !this.#view.isStarved;
    this.#announce([status.words, role?.words, notice?.words].filter(Boolean).join('. '));
    this.#onRender();
  }

  #renderStatus({ code, kind, words, figure, actions }) {
    const { dataset } = byId('status');
    const isNews = dataset.code !== code;
    Object.assign(dataset, { code, kind });
    setIcon(byId('status-sign'), kind);
    setText(byId('status-text'), words);
    this.#renderFigure(figure, isNews);
    this.#renderAction(actions[0] ?? null, kind);
  }

  // The end is said on the picture as well, above what there is to do then; so is that one is not in yet.
  #renderEnd(phase, words) {
    const isOver = phase.name === 'closed' && phase.reason !== 'stopped';
    const isOut = isOver || phase.name === 'knocking';
    byId('big-words').hidden = !isOut;
    if (isOut) setText(byId('big-words'), words);
  }

  #renderRole(role) {
    const line = byId('role-line');
    line.hidden = role === null;
    line.dataset.kind = role?.kind ?? 'rest';
    line.dataset.code = role?.code ?? '';
    setText(byId('role'), role?.words ?? '');
    setText(byId('role-detail'), role?.figure ?? '');
    byId('claim').hidden = !role?.actions.includes('claim');
  }

  // One that changes is not to flicker; the first one is news.
  #renderFigure(figure, isNews) {
    const nowMs = performance.now();
    const isFirst = byId('status-detail').textContent === '';
    if (!isNews && figure && !isFirst && nowMs - this.#figureAtMs < FIGURE_EVERY_MS) return;
    this.#figureAtMs = nowMs;
    setText(byId('status-detail'), figure);
  }

  // What keeps somebody from hearing or seeing anything is offered on the picture as well.
  #renderAction(action, kind) {
    this.#action = action;
    const label = action ? strings.actions[action] : '';
    const big = action === 'sound' || action === 'play' || action === 'leave' || (kind === 'bad' && action !== null);
    showButton(byId('status-action'), action !== null && !big, byId('status'));
    byId('status-action').classList.toggle('primary', action === 'back' || action === 'tryNow');
    showButton(byId('big-action'), big, byId('play'));
    setText(byId('status-action'), label);
    setText(byId('big-action'), label);
  }

  // A live region that is not chatty: figures are left out, and so is what lasts but a moment.
  #announce(words) {
    const nowMs = performance.now();
    if (words !== this.#live.words) this.#live = { words, sinceMs: nowMs };
    if (nowMs - this.#live.sinceMs >= ANNOUNCE_AFTER_MS) setText(byId('status-live'), words);
  }
}

// A button that goes hands the focus on.
function showButton(button, isShown, heir) {
  const hadFocus = document.activeElement === button;
  button.hidden = !isShown;
  if (hadFocus && !isShown) heir.focus({ focusVisible: false, preventScroll: true });
}
