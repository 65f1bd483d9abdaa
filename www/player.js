// The player page: passes the gate, opens the room and wires its parts together.
import { ask } from './ask.js';
import { byId, copyText, make, setText } from './dom.js';
import { rememberSession, sessionMemory } from './memory.js';
import { openCompany } from './player/company.js';
import { PageInputs, onNativeControl } from './player/playback/act.js';
import { Follower } from './player/playback/follower.js';
import { MediaKeys } from './player/playback/media_keys.js';
import { SharedPlayback } from './player/playback/shared_playback.js';
import { VideoSource } from './player/playback/video_source.js';
import { WakeLock } from './player/playback/wake_lock.js';
import { passGate, showPoster } from './player/stage/gate.js';
import { Reporter } from './player/status/reporter.js';
import { findSessionKey, playerUrl, whyRefused } from './session/api.js';
import { Room } from './session/room.js';
import { VideoList } from './session/video_list.js';
import { localizePage, strings } from './strings.js';
import { Timeline } from './sync/timeline.js';
import { setTitle } from './title.js';

const TOAST_MS = 4_000;
const TOASTS_MAX = 3;

localizePage();

const key = findSessionKey(new URLSearchParams(location.search).get('session') ?? '');
const video = byId('video');
const source = new VideoSource(video);
const inputs = new PageInputs();
const library = new VideoList();
let shownVideo = null; // its id; the newest that was asked for

// What is told once more is not told twice.
function toast(text) {
  const line = make('p', { class: 'toast', text });
  const toasts = byId('toasts');
  for (const shown of [...toasts.children]) if (shown.textContent === text) shown.remove();
  toasts.append(line);
  while (toasts.children.length > TOASTS_MAX) toasts.firstChild.remove();
  setTimeout(() => line.remove(), TOAST_MS);
}

// A video that came into the library after this page did is looked up anew.
async function entryOf(id) {
  if (!library.find(id)) await library.refresh();
  return library.find(id) ?? { id, title: id, url: `/api/video?session=${encodeURIComponent(key)}`, captions: [] };
}

// positionS: where the showing is.
async function showVideo(id, positionS) {
  if (!id) return;
  shownVideo = id;
  const entry = await entryOf(id);
  if (shownVideo !== id) return; // another one was loaded meanwhile
  source.load(entry, positionS);
  setText(byId('title'), entry.title || 'VideoSync');
  setTitle(entry.title || id);
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

function wireShare() {
  byId('share-link').value = playerUrl(key);
  byId('share').addEventListener('click', async () => {
    const copied = await copyText(byId('share-link').value, byId('share-link'));
    toast(copied ? strings.events.linkCopied : strings.home.copyFailed);
  });
}

// Goodbye is final here: the picture stops, nothing follows any more, and what there was to press goes.
function stopAtTheEnd(room) {
  room.addEventListener('phase', ({ detail }) => {
    const isOver = detail.name === 'closed' && detail.reason !== 'stopped';
    byId('app').classList.toggle('over', isOver);
    if (!isOver) return;
    if (document.fullscreenElement) document.exitFullscreen();
    for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
    byId('toasts').replaceChildren();
    byId('big-words').focus({ preventScroll: true });
  });
}

function enter(name, { Controls }) {
  rememberSession(key);
  byId('app').hidden = false;
  const room = openRoom(name);
  const follower = new Follower(video, room, (id) => library.find(id)?.duration);
  const playback = new SharedPlayback({ room, video, follower, tell: toast });
  const controls = new Controls({ room, video, follower, source, inputs, playback, toast });
  openCompany({ room, follower, source, video, inputs, playback, library, confirm: ask, toast, onRender: () => controls.render() });
  new Reporter(room, follower);
  new WakeLock(video);
  new MediaKeys({ room, playback, video, source });
  onNativeControl(follower.steered, (act, what) => playback.followNative(act, what));
  room.addEventListener('state', ({ detail: { state, previous } }) => {
    if (state.video !== previous?.video) showVideo(state.video, room.timeline.positionAt(room.serverTimeMs()));
  });
  stopAtTheEnd(room);
  wireShare();
  byId('play').focus({ focusVisible: false });
  room.connection.start();
}

// While the viewer reads the gate, the controls, the library and the video's beginning are fetched.
const controls = import('./player/stage/controls.js');
const libraryKnown = library.refresh();
const joined = await passGate(key, async ({ state, video: { id } = {}, serverTimeMs }) => {
  await libraryKnown;
  const timeline = new Timeline();
  timeline.accept(state);
  const shown = state?.video ?? id;
  showPoster(library.find(shown)?.poster);
  showVideo(shown, timeline.positionAt(serverTimeMs));
});
await libraryKnown;
enter(joined, await controls);
