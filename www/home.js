// The start page: create a session, or find one by its key or link.
import { byId, copyText, make, setText } from './dom.js';
import { ApiError, createSession, findSessionKey, playerUrl, sessionExists, videos } from './session/api.js';
import { rememberHostToken, rememberName, rememberedName } from './session/memory.js';
import { localizePage, strings } from './strings.js';

const words = strings.home;
const COPIED_FOR_MS = 2_000;

function describeError(error) {
  if (!(error instanceof ApiError)) return words.failed(error.message);
  if (error.code === 'unreachable') return words.unreachable;
  if (error.code === 'rate_limited' || error.code === 'http_429') return words.tooMany(error.retryAfterS);
  return words.failed(error.message);
}

async function offerVideos() {
  const list = await videos().catch(() => []);
  if (list.length < 2) return;
  byId('video').replaceChildren(...list.map(({ id, title }) => make('option', { value: id, text: title || id })));
  byId('video-choice').hidden = false;
}

async function create(event) {
  event.preventDefault();
  const button = byId('create');
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  setText(byId('create-error'), '');
  const label = button.textContent;
  button.textContent = words.creating;
  try {
    showCreated(await createSession(byId('video').value || undefined));
  } catch (error) {
    setText(byId('create-error'), describeError(error));
  } finally {
    button.removeAttribute('aria-disabled');
    button.textContent = label;
  }
}

function showCreated({ key, hostToken }) {
  rememberHostToken(key, hostToken);
  const link = playerUrl(key);
  setText(byId('key'), key);
  byId('link').value = link;
  byId('enter').href = link;
  byId('create-form').hidden = true;
  byId('created').hidden = false;
  setText(byId('created-words'), words.created);
  byId('created-words').focus();
}

async function copyLink() {
  const button = byId('copy');
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  if (await copyText(byId('link').value, byId('link'))) {
    setText(byId('create-error'), '');
    button.textContent = words.copied;
    setTimeout(() => (button.textContent = label), COPIED_FOR_MS);
  } else {
    setText(byId('create-error'), words.copyFailed);
  }
}

async function join(event) {
  event.preventDefault();
  const input = byId('join-key');
  if (!input.value.trim()) return refuse(words.noKey);
  const key = findSessionKey(input.value);
  if (!key) return refuse(words.notAKey);
  input.removeAttribute('aria-invalid');
  showJoinMessage(words.checking, false);
  try {
    if (!(await sessionExists(key))) return refuse(words.noSession);
  } catch (error) {
    return refuse(describeError(error));
  }
  rememberName(byId('name').value.trim());
  location.assign(playerUrl(key));
}

// What was typed stays, for it may be one character off.
function refuse(text) {
  const input = byId('join-key');
  input.setAttribute('aria-invalid', 'true');
  showJoinMessage(text, true);
  input.focus();
}

function showJoinMessage(text, isError) {
  const message = byId('join-message');
  message.classList.toggle('error', isError);
  setText(message, text);
}

localizePage();
byId('name').value ||= rememberedName();
byId('name').addEventListener('change', () => rememberName(byId('name').value.trim()));
byId('create-form').addEventListener('submit', create);
byId('copy').addEventListener('click', copyLink);
byId('link').addEventListener('focus', () => byId('link').select());
byId('join-form').addEventListener('submit', join);
byId('join-key').addEventListener('input', () => {
  byId('join-key').removeAttribute('aria-invalid');
  showJoinMessage('', false);
});
// The browser may show this page again as it was left, with a check still under way.
addEventListener('pageshow', ({ persisted }) => persisted && showJoinMessage('', false));
offerVideos();
// Until here a click would have submitted the form the old way.
for (const id of ['create', 'join']) byId(id).disabled = false;
