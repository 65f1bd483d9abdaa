// The start page: create a session with a click, or find one by its code, key or link.
import './strings/home.js'; // before whatever says something
import { byId, make, setText } from './dom.js';
import { describeFault } from './faults.js';
import { showPlaces } from './home/go_on.js';
import { Library } from './home/library.js';
import { showRecentSessions } from './home/recent.js';
import { offerName, rememberHostToken, rememberLanguage, rememberMade, rememberSession } from './memory.js';
import { NameField, knownName } from './name_field.js';
import { askPassword } from './password.js';
import { createSession, findSession, findSessionCode, findSessionKey, playerUrl } from './session/api.js';
import { language, languages, localizePage, strings } from './strings.js';

const words = strings.home;
const nameField = new NameField(byId('name'), byId('name-fault'));

// Into its room at once, where the link, the code and the QR code are. video: its id, or undefined for the server's
// default.
async function create(video) {
  const button = byId('create');
  if (button.getAttribute('aria-disabled') === 'true') return;
  if (!takeName()) return byId('name').focus();
  setCreating(true);
  setText(byId('create-error'), '');
  try {
    const { key, hostToken } = await createSession(video);
    rememberHostToken(key, hostToken);
    rememberSession(key);
    rememberMade(key);
    location.assign(playerUrl(key));
  } catch (error) {
    setCreating(false);
    if (error.code === 'password_required') {
      if (await askPassword()) create(video);
      return;
    }
    setText(byId('create-error'), error.code === 'rate_limited' ? words.tooMany(error.retryAfterS) : describeFault(error));
    byId('create-error').scrollIntoView({ block: 'nearest' });
  }
}

// Until the room is there, so that a second click makes no second one.
function setCreating(isCreating) {
  const button = byId('create');
  setText(button, isCreating ? words.creating : words.create);
  if (isCreating) button.setAttribute('aria-disabled', 'true');
  else button.removeAttribute('aria-disabled');
}

async function join(event) {
  event.preventDefault();
  const input = byId('join-key');
  if (!takeName()) return byId('name').focus();
  if (!input.value.trim()) return refuse(words.noKey);
  const key = findSessionKey(input.value);
  const code = key ? null : findSessionCode(input.value);
  if (!key && !code) return refuse(words.notAKey);
  input.removeAttribute('aria-invalid');
  showJoinMessage(words.checking, false);
  let found;
  try {
    found = await findSession(key ?? code);
  } catch (error) {
    return refuse(error.code === 'rate_limited' ? words.tooManyCodes(error.retryAfterS) : describeFault(error));
  }
  if (!found) return refuse(key ? words.noSession : words.noCode);
  location.assign(playerUrl(found));
}

// A link with a code that nobody has brings this page instead of the player.
function explainLink() {
  const [, written] = location.pathname.match(/^\/r\/(.*)$/) ?? [];
  if (written === undefined) return;
  const code = findSessionCode(location.pathname);
  byId('join-key').value = code ?? '';
  const isRefused = performance.getEntriesByType('navigation')[0]?.responseStatus === 429;
  refuse(isRefused ? words.tooManyCodes() : code ? words.noCode : words.notALink);
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
  if (isError) message.scrollIntoView({ block: 'nearest' });
}

// For the player page. False where the name will not do.
function takeName() {
  const name = nameField.read();
  if (name !== null) offerName(name);
  return name !== null;
}

// Asked once; after that it is said, and can be changed.
function showName() {
  const name = knownName();
  byId('name').value ||= name;
  byId('name-field').hidden = name !== '';
  byId('name-known').hidden = name === '';
  setText(byId('name-words'), words.youAre(name));
}

function changeName() {
  byId('name-field').hidden = false;
  byId('name-known').hidden = true;
  byId('name').focus();
  byId('name').select();
}

function offerLanguages() {
  const list = byId('language');
  list.replaceChildren(...Object.entries(languages).map(([tag, { name }]) => make('option', { value: tag, lang: tag, text: name })));
  list.value = language;
  list.addEventListener('change', () => {
    rememberLanguage(list.value);
    location.assign('/');
  });
}

const createWith = ({ id }) => create(id);

const library = new Library(createWith);
const places = { onChoose: createWith, onForget: () => library.showPlaces() };

async function showLibrary() {
  const [first] = await library.show();
  setText(byId('create-with'), first ? words.startsWith(first.title || first.id) : '');
}

function listen() {
  byId('create-form').addEventListener('submit', (event) => {
    event.preventDefault();
    create();
  });
  byId('name').addEventListener('change', takeName);
  byId('name-change').addEventListener('click', changeName);
  byId('join-form').addEventListener('submit', join);
  byId('join-key').addEventListener('input', () => {
    byId('join-key').removeAttribute('aria-invalid');
    showJoinMessage('', false);
  });
  // The browser may show this page again as it was left, with a check, or a session, still under way.
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return;
    setCreating(false);
    showJoinMessage('', false);
    showName();
    showRecentSessions();
    showPlaces(places);
    library.showPlaces();
  });
}

localizePage();
offerLanguages();
showName();
listen();
showLibrary();
showRecentSessions();
showPlaces(places);
explainLink();
// Until here a click would have submitted the form the old way.
for (const id of /** @type {const} */ (['create', 'join'])) byId(id).disabled = false;
byId('not-started').remove();
