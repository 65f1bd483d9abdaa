// Before joining: what is on, how many are here, and one click, which browsers want before sound.
import { byId, setText } from '../../dom.js';
import { offerName } from '../../memory.js';
import { NameField, knownName } from '../../name_field.js';
import { sessionExists, sessionInfo } from '../../session/api.js';
import { strings } from '../../strings.js';

const words = strings.gate;

// Resolves to the viewer's name once they join; never when there is nothing to join.
// onInfo(info) is told what the server says of the session, as soon as it does.
export async function passGate(key, onInfo) {
  if (!key) return barTheWay(words.noKey);
  byId('gate-name').value ||= knownName();
  const field = new NameField(byId('gate-name'), byId('gate-name-fault'));
  const joined = new Promise((resolve) => {
    byId('gate-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const name = field.read();
      if (name === null) return byId('gate-name').focus();
      offerName(name);
      byId('gate').hidden = true;
      resolve(name);
    });
  });
  // Until here a click would have submitted the form the old way.
  byId('gate-join').disabled = false;
  byId('gate-join').focus();
  const barred = lookUp(key, onInfo);
  return Promise.race([joined, barred]);
}

// Never resolves where joining is possible.
async function lookUp(key, onInfo) {
  try {
    if (!(await sessionExists(key))) return barTheWay(words.noSession);
    const info = await sessionInfo(key);
    setText(byId('gate-words'), words.watching(info.members));
    if (info.video?.title) setText(byId('gate-title'), info.video.title);
    onInfo(info);
  } catch {
    setText(byId('gate-words'), words.unreachable);
  }
  return new Promise(() => {});
}

// url: undefined where there is none; its place is kept either way, so that nothing moves.
export function showPoster(url) {
  const poster = byId('gate-poster');
  poster.addEventListener('load', () => (poster.hidden = false));
  if (url) poster.src = url;
}

function barTheWay(text) {
  setText(byId('gate-words'), text);
  byId('gate-words').classList.add('error');
  byId('gate-name-field').hidden = true;
  byId('gate-join').hidden = true;
  byId('gate-home').hidden = false;
  byId('gate-home').focus();
  return new Promise(() => {});
}
