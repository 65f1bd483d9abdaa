// What the browser remembers: the viewer's name, language and choices, the last sessions and the host
// tokens (for the browser), the resume token with the newest state that was seen, and a name that no server
// has taken yet (for this tab).
// Where storage is forbidden the page works without a memory.

const NAME = 'videosync.name';
const OFFERED_NAME = 'videosync.offered';
const LANGUAGE = 'videosync.language';
const SESSIONS = 'videosync.sessions';
const hostKey = (key) => `videosync.host.${key}`;
const resumeKey = (key) => `videosync.resume.${key}`;
const heldKey = (key) => `videosync.held.${key}`;
const givenKey = (key) => `videosync.given.${key}`;
const preferenceKey = (name) => `videosync.player.${name}`;
const HOST_TOKENS_MAX = 50;
const SESSIONS_MAX = 6;
const NAMES_MAX = 5; // of one session
const PLACES = 'videosync.places';
const MADE = 'videosync.made';
const PLACES_MAX = 12;

export function rememberedName() {
  return read('localStorage', NAME) ?? '';
}

// What the viewer wants to be called from now on; a server has yet to take it. null: nothing since.
export function offeredName() {
  return read('sessionStorage', OFFERED_NAME);
}

export function offerName(name) {
  write('sessionStorage', OFFERED_NAME, name);
}

export function rememberedLanguage() {
  return read('localStorage', LANGUAGE);
}

export function rememberLanguage(language) {
  write('localStorage', LANGUAGE, language);
}

// What the viewer chose for their own player: 'volume', 'captions', 'theatre',
// 'shiftMs'. null if nothing.
export function preference(name) {
  return read('localStorage', preferenceKey(name));
}

export function setPreference(name, value) {
  write('localStorage', preferenceKey(name), value);
}

// In which films the viewer had stopped, and where: [{id, title, positionS, durationS}], the last one first.
export function rememberedPlaces() {
  const list = parseJson(read('localStorage', PLACES));
  return Array.isArray(list) ? list.filter((one) => typeof one?.id === 'string' && one.positionS > 0) : [];
}

export function rememberPlace(place) {
  const others = rememberedPlaces().filter(({ id }) => id !== place.id);
  write('localStorage', PLACES, JSON.stringify([place, ...others].slice(0, PLACES_MAX)));
}

export function forgetPlace(id) {
  const others = rememberedPlaces().filter((one) => one.id !== id);
  write('localStorage', PLACES, others.length > 0 ? JSON.stringify(others) : null);
}

export function rememberHostToken(key, token) {
  forgetOldTokens();
  write('localStorage', hostKey(key), JSON.stringify({ token, sinceMs: Date.now() }));
}

// In this tab, for the page that comes next.
export function rememberMade(key) {
  write('sessionStorage', MADE, key);
}

// Whether this viewer has just made the session; once.
export function takeMade(key) {
  const isMade = read('sessionStorage', MADE) === key;
  if (isMade) write('sessionStorage', MADE, null);
  return isMade;
}

// [{key, atMs, title?, names?}], the last one first. title: of what it showed; names: of who else was there, in the
// order in which they were met.
export function rememberedSessions() {
  const list = parseJson(read('localStorage', SESSIONS));
  return Array.isArray(list) ? list.filter((entry) => typeof entry?.key === 'string') : [];
}

// title: of what it shows now, where that is known. names: of who else is there; those that were stay.
/** @param {string} key @param {{title?: string, names?: string[]}} [seen] */
export function rememberSession(key, { title, names = [] } = {}) {
  const all = rememberedSessions();
  const before = all.find((entry) => entry.key === key) ?? {};
  const known = Array.isArray(before.names) ? before.names : [];
  const whole = [...new Set([...known, ...names])];
  const entry = { key, atMs: Date.now(), title: title ?? before.title, names: whole.slice(-NAMES_MAX) };
  const list = [entry, ...all.filter((one) => one.key !== key)].slice(0, SESSIONS_MAX);
  write('localStorage', SESSIONS, JSON.stringify(list));
}

// With all that is known of it.
export function forgetSession(key) {
  const others = rememberedSessions().filter((entry) => entry.key !== key);
  write('localStorage', SESSIONS, others.length > 0 ? JSON.stringify(others) : null);
  write('localStorage', hostKey(key), null);
  for (const item of [resumeKey(key), heldKey(key), givenKey(key)]) write('sessionStorage', item, null);
}

// What room.js asks for: properties that read and write through.
export function sessionMemory(key) {
  return {
    get resume() {
      return read('sessionStorage', resumeKey(key));
    },
    set resume(token) {
      write('sessionStorage', resumeKey(key), token);
    },
    // EPOCH.SEQ of the newest state that was seen.
    get held() {
      return read('sessionStorage', heldKey(key));
    },
    set held(place) {
      write('sessionStorage', heldKey(key), place);
    },
    // Under which the server has let the viewer in; '': under one that it made up.
    set name(name) {
      write('localStorage', NAME, name);
      write('sessionStorage', OFFERED_NAME, null);
    },
    get hostToken() {
      return parseJson(read('localStorage', hostKey(key)))?.token ?? null;
    },
    get controlGivenAway() {
      return read('sessionStorage', givenKey(key)) === 'yes';
    },
    set controlGivenAway(given) {
      write('sessionStorage', givenKey(key), given ? 'yes' : null);
    },
  };
}

// Sessions end by themselves; their tokens would pile up here.
function forgetOldTokens() {
  try {
    const held = Object.keys(localStorage)
      .filter((item) => item.startsWith(hostKey('')))
      .map((item) => ({ item, sinceMs: parseJson(localStorage.getItem(item))?.sinceMs ?? 0 }))
      .sort((a, b) => b.sinceMs - a.sinceMs);
    for (const { item } of held.slice(HOST_TOKENS_MAX - 1)) localStorage.removeItem(item);
  } catch {
    // No storage: nothing piles up.
  }
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function read(storage, item) {
  try {
    return globalThis[storage].getItem(item);
  } catch {
    return null;
  }
}

function write(storage, item, value) {
  try {
    if (value === null) globalThis[storage].removeItem(item);
    else globalThis[storage].setItem(item, value);
  } catch {
    // Full or forbidden: the page goes on without remembering.
  }
}
