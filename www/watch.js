// What is behind the gate of the player page: opens the room and wires its parts together.
import { ask } from './ask.js';
import { byId, make, setText } from './dom.js';
import { rememberSession, sessionMemory } from './memory.js';
import { openCompany } from './player/company.js';
import { PageInputs, onNativeControl } from './player/playback/act.js';
import { FirstFrame } from './player/playback/first_frame.js';
import { Follower } from './player/playback/follower.js';
import { MediaKeys } from './player/playback/media_keys.js';
import { NextFilm } from './player/playback/next_film.js';
import { SharedPlayback } from './player/playback/shared_playback.js';
import { breaksOff } from './player/playback/unfinished_film.js';
import { WakeLock } from './player/playback/wake_lock.js';
import { Controls } from './player/stage/controls.js';
import { Countdown } from './player/stage/countdown.js';
import { LeftOff } from './player/stage/left_off.js';
import { Reporter } from './player/status/reporter.js';
import { playerUrl, uploadBytesMax, videos, whyRefused } from './session/api.js';
import { key, look, timedByBrowser } from './session/first_look.js';
import { RestWatch } from './session/rest_watch.js';
import { Room } from './session/room.js';
import { ShownVideo } from './session/shown_video.js';
import { VideoList } from './session/video_list.js';
import { setTitle } from './title.js';

const TOAST_MS = 4_000;
const TOASTS_MAX = 3;
const LOOK_HOLDS_MS = 5_000; // what the gate was told of the showing is asked anew after that

// What is told once more is not told twice.
function toast(text) {
  const line = make('p', { class: 'toast', text });
  const toasts = byId('toasts');
  for (const shown of [...toasts.children]) if (shown.textContent === text) shown.remove();
  toasts.append(line);
  while (toasts.children.length > TOASTS_MAX) toasts.firstChild.remove();
  setTimeout(() => line.remove(), TOAST_MS);
}

function openRoom(name) {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return new Room({
    origin: `${scheme}://${location.host}`,
    key,
    name,
    memory: sessionMemory(key),
    whyRefused,
  });
}

// What the session tells of the video that it shows.
async function askSession() {
  const seen = await look().catch(() => null);
  return seen?.info.video ?? null;
}

function onShow({ id, title }) {
  setText(byId('title'), title || 'VideoSync');
  setTitle(title || id);
  rememberSession(key, { title: title || id });
}

// For the start page, which offers the way back.
/** @param {Room} room */
function rememberCompany(room) {
  let last = '';
  room.addEventListener('people', () => {
    const names = room.presence.list().filter(({ isYou, name }) => !isYou && name).map(({ name }) => name);
    const now = names.join('\n');
    if (now === last) return;
    last = now;
    if (names.length > 0) rememberSession(key, { names });
  });
}

// Goodbye is final here: the picture stops, nothing follows any more, and what there was to press goes.
/** @param {Room} room */
function stopAtTheEnd(room) {
  room.addEventListener('phase', ({ detail }) => {
    const isOver = detail.name === 'closed' && detail.reason !== 'stopped';
    byId('app').classList.toggle('over', isOver);
    byId('app').classList.toggle('at-the-door', detail.name === 'knocking' || (isOver && !room.you)); // nobody else is seen from there
    if (!isOver) return;
    if (document.fullscreenElement) document.exitFullscreen();
    for (const dialog of document.querySelectorAll('dialog')) dialog.close();
    byId('toasts').replaceChildren();
    byId('big-words').focus({ preventScroll: true });
  });
}

// Over a new connection a WebSocket takes three round trips; to ask once more where the showing is takes one.
const foretell = (room) => look().then((seen) => room.foretell(timedByBrowser(seen)), () => {});

// The host's choice of a language is what all others begin with.
/** @param {Room} room @param {any} audio */
function shareLanguage(room, audio) {
  room.addEventListener('settings', ({ detail }) => audio.share(detail.audioLanguage));
  audio.addEventListener('choice', ({ detail: audioLanguage }) => {
    if (room.youAreHost && audioLanguage) room.send('settings', { audioLanguage });
  });
}

// source: the VideoSource of `video`; seen: what the gate was told (first_look.js), or null.
// isMaker: the viewer has just made the session. askedMs: when they asked for the film, by performance.now().
export function enter({ name, video, source, seen, isMaker, askedMs }) {
  rememberSession(key);
  byId('app').hidden = false;
  const room = openRoom(name);
  const library = new VideoList((asked) => videos({ ...asked, session: key }));
  const entryOf = (id) => library.find(id) ?? (source.current?.id === id ? source.current : undefined);
  const follower = new Follower(video, room, (id) => entryOf(id)?.duration);
  const shown = new ShownVideo({ key, room, source, library, askSession, onShow });
  const firstFrame = new FirstFrame({ video, room, follower, source, sinceMs: askedMs });
  source.addEventListener('entry', () => library.learn(source.current));
  shareLanguage(room, source.audio);
  rememberCompany(room);
  new RestWatch({
    breaksOff: () => breaksOff(follower, source),
    mayAsk: () => !follower.detached && room.connection.phase.name !== 'closed',
    learn: () => shown.learn(),
  });
  // First of all, for the picture seeks while the rest is made.
  // Who may have to wait at the door is shown nothing before.
  const isOpen = (seen?.info.door ?? 'open') === 'open';
  const isRecent = seen !== null && performance.now() - seen.heardMs < LOOK_HOLDS_MS;
  if (isRecent && isOpen) room.foretell(timedByBrowser(seen));
  const inputs = new PageInputs();
  const playback = new SharedPlayback({ room, video, follower, tell: toast });
  const controls = new Controls({ room, video, follower, source, inputs, playback, toast });
  const next = new NextFilm({ room, video, source, playback, library, search: videos });
  const onRender = () => {
    controls.render();
    next.look();
  };
  openCompany({ room, key, uploadBytesMax, link: playerUrl(key), isMaker, follower, source, shown, video, inputs, playback, library, confirm: ask, toast, onRender });
  new Countdown({ room, follower });
  new LeftOff({ video, source, inputs, playback });
  new Reporter(room, follower, source, firstFrame);
  new WakeLock(video);
  new MediaKeys({ room, playback, source });
  onNativeControl(follower.steered, (act, what) => playback.followNative(act, what));
  stopAtTheEnd(room);
  byId('player').focus({ preventScroll: true }); // not a control: those stay in sight while they have it
  room.connection.start();
  if (!isRecent && isOpen) foretell(room);
  library.refresh();
}
