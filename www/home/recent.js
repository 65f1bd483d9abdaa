// The sessions that this browser was in, as long as they last: a way back, and a way to forget them.
import { byId, make } from '../dom.js';
import { forgetSession, rememberedSessions, sessionMemory } from '../memory.js';
import { joinNames } from '../names.js';
import { findSession, playerUrl, sessionInfo } from '../session/api.js';
import { strings } from '../strings.js';
import { webFilm } from '../web_film.js';
import { sayWhere, sayWho } from '../whereabouts.js';

const words = strings.home;

export async function showRecentSessions() {
  byId('forget-all').onclick = forgetAll;
  const found = await Promise.all(rememberedSessions().map(lookUp));
  byId('recent-list').replaceChildren(...found.filter(Boolean).map(makeRow));
  hideWhenEmpty();
}

// null for a session that has ended, which is forgotten with that.
async function lookUp({ key, title, names = [] }) {
  try {
    if (await findSession(key)) {
      const info = await sessionInfo(key);
      return { key, title: titleOf(info), names, facts: [sayWho(info, words.left), sayWhere(info)] };
    }
  } catch {
    return { key, title: title || key, names, facts: [] };
  }
  forgetSession(key);
  return null;
}

const titleOf = ({ video, state }) => video?.title || (state.url && webFilm(state.url).title) || words.untitled;

function makeRow({ key, title, names, facts }) {
  const all = [sessionMemory(key).hostToken && words.yours, ...facts];
  const company = names.length > 0 && make('span', { class: 'recent-facts muted', text: words.with(joinNames(names)) });
  const forget = make('button', { type: 'button', class: 'forget', 'aria-label': words.forget(title), title: words.forget(title), text: '×' });
  const row = make('li', { class: 'recent-row' },
    make('a', { class: 'recent-link', href: playerUrl(key) },
      make('span', { class: 'recent-title', text: title }),
      make('span', { class: 'recent-facts muted', text: all.filter(Boolean).join(' · ') }),
      ...[company].filter(Boolean)),
    forget);
  forget.addEventListener('click', () => {
    forgetSession(key);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    hideWhenEmpty();
    /** @type {HTMLElement} */ (next?.querySelector('.forget') ?? byId('create')).focus();
  });
  return row;
}

function forgetAll() {
  for (const { key } of rememberedSessions()) forgetSession(key);
  byId('recent-list').replaceChildren();
  hideWhenEmpty();
  byId('create').focus();
}

function hideWhenEmpty() {
  byId('recent').hidden = byId('recent-list').children.length === 0;
}
