// One viewer in the list: name, marks, how far off, and what may be done: the host to others,
// everybody to their own name.
import { icon, label, make, setText } from '../../dom.js';
import { strings } from '../../strings.js';
import { makeRowMenu } from './row_menu.js';

const words = strings.people;
const STATES = { cannotPlay: 'bad', preparing: 'busy', buffering: 'busy' }; // its sign and colour
const WORTH_A_MARK_MS = 100;

export class PersonRow {
  element;
  #parts;
  #menu;
  #acts;

  // acts: {give(id), allow(id), remove(id), removeAndLock(id), rename(row), explain(text)}
  constructor(id, acts) {
    this.id = id;
    this.#acts = acts;
    this.#menu = makeRowMenu(['give', 'allow', 'remove', 'removeAndLock'].map((name) => [name, () => acts[name](id)]));
    this.#parts = {
      avatar: make('span', { class: 'avatar', 'aria-hidden': 'true' }),
      name: make('span', { class: 'person-name' }),
      tag: make('span', { class: 'tag' }),
      state: make('span', { class: 'tag', hidden: true }),
      form: this.#makeForm(),
      drift: make('span', { class: 'drift' }),
      rename: this.#makeRename(),
      menu: this.#menu.element,
    };
    this.element = make('li', { class: 'person' }, ...Object.values(this.#parts));
  }

  // member: of presence.list(), with {isNext, mayControl, isReady}; report: {driftMs, form?} or undefined; state: of STATES, what keeps
  // them from watching, or null; mayRule: the viewer is host; isLocked: so is the door.
  fill(member, report, { state, mayRule, isLocked }) {
    const { avatar, name, tag, form, drift, rename, menu } = this.#parts;
    const shown = member.shownName || words.unnamed;
    setText(name, shown);
    setText(avatar, [...shown][0].toUpperCase());
    avatar.classList.toggle('host', member.isHost);
    const tags = [
      member.isHost && words.host, member.mayControl && words.controls, member.isNext && words.next, member.isYou && words.you,
      member.isReady && words.ready,
    ];
    setText(tag, tags.filter(Boolean).join(', '));
    tag.hidden = tag.textContent === '';
    showState(this.#parts.state, state);
    fillForm(form, state === 'cannotPlay' ? undefined : words.forms[report?.form]);
    this.#fillDrift(drift, shown, state ? undefined : report);
    rename.hidden = !member.isYou;
    menu.hidden = !mayRule || member.isYou;
    this.#menu.call(words.menu(shown));
    setText(this.#menu.items.give, words.give);
    setText(this.#menu.items.allow, member.mayControl ? words.disallow : words.allow);
    setText(this.#menu.items.remove, words.remove);
    setText(this.#menu.items.removeAndLock, words.removeAndLock);
    this.#menu.items.removeAndLock.hidden = isLocked;
  }

  #fillDrift(drift, shown, report) {
    drift.hidden = !report;
    if (!report) return;
    setText(drift, describeDrift(report.driftMs));
    drift.dataset.kind = Math.abs(report.driftMs) < WORTH_A_MARK_MS ? 'rest' : 'warn';
    label(drift, `${words.drift(shown)}: ${drift.textContent}`);
    drift.setAttribute('role', 'img');
    drift.title = words.drift(shown);
  }

  // What the word means is no mere tooltip: those reach nobody who uses no mouse.
  #makeForm() {
    const button = make('button', { type: 'button', class: 'person-form muted', hidden: true }, make('span'), make('span', { class: 'visually-hidden' }));
    button.addEventListener('click', () => this.#acts.explain(button.title));
    return button;
  }

  #makeRename() {
    const button = make('button', { type: 'button', class: 'control rename-open', 'aria-label': words.rename, title: words.rename }, icon('rename'));
    button.addEventListener('click', () => this.#acts.rename(this.element));
    return button;
  }
}

// What does not show is not in the row's words either.
function showState(tag, state) {
  if ((tag.dataset.state ?? '') === (state ?? '')) return;
  Object.assign(tag.dataset, { state: state ?? '', kind: STATES[state] ?? '' });
  tag.hidden = !state;
  tag.replaceChildren(...(state ? [icon(STATES[state]), words[state]] : []));
}

function fillForm(form, told) {
  form.hidden = !told;
  setText(form.firstChild, told?.name ?? '');
  setText(form.lastChild, told ? `: ${told.meaning}` : '');
  form.title = told?.meaning ?? '';
}

// "+12 ms", "−340 ms", "−12 s": ahead is plus.
export function describeDrift(ms) {
  const size = Math.abs(ms);
  const sign = size < 0.5 ? '' : ms < 0 ? '−' : '+';
  if (size < 1_000) return sign + words.off(Math.round(size));
  const seconds = size / 1_000;
  return sign + words.offSeconds(seconds < 10 ? seconds.toFixed(1) : Math.round(seconds));
}

// Outside of the list's flow, for that scrolls: below its button, or above where there is no room.
