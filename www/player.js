// The player page: the gate, and the video's beginning behind it. All else (watch.js) is fetched while
// the viewer reads.
import { firstLook, key, look } from './session/first_look.js';
import { byId } from './dom.js';
import { describeFault } from './faults.js';
import { loadPart, mayReload } from './load_part.js';
import { sessionMemory, takeMade } from './memory.js';
import { formsOf } from './player/playback/forms.js';
import { Standby } from './player/playback/standby.js';
import { VideoSource } from './player/playback/video_source.js';
import { Gate } from './player/stage/gate.js';
import { localizePage, strings } from './strings.js';
import { Timeline } from './sync/timeline.js';
import { setTitle } from './title.js';

const LOOK_AGAIN_MS = 5_000;
const READ_MS = 2_500; // the words that say why

const video = byId('video');
const source = new VideoSource(video);
const gate = new Gate();
let seen = null; // what the server said (first_look.js)
let standby = null;
let isIn = false; // past the gate
let reloading = null; // the timer

// streams: a promise, kept when the line is free for what plays a stream.
async function showBeginning({ info: { state, video: entry, serverTimeMs, audioLanguage }, heardMs }, streams) {
  if (!entry) return;
  source.audio.share(audioLanguage);
  setTitle(entry.title || entry.id);
  if (formsOf(entry, video)[0].isStream) await streams;
  if (isIn) return;
  const timeline = new Timeline();
  timeline.accept(state);
  const positionS = () => timeline.positionAt(serverTimeMs + performance.now() - heardMs);
  source.load(entry, positionS());
  standby = new Standby(video, positionS, { libraryS: entry.duration });
}

// Until it is known, and for as long as the door is locked: who stands before it sees it open.
async function lookAround(streams, found = firstLook) {
  try {
    seen = await found;
    const { hostToken, resume } = sessionMemory(key);
    gate.show(seen.info, Boolean(hostToken || resume));
    if (gate.isShut) setTimeout(() => isIn || lookAround(streams, look()), LOOK_AGAIN_MS);
    if (!isIn && !standby) showBeginning(seen, streams);
  } catch (error) {
    if (error.code === 'session_not_found') return gate.bar(strings.gate.noSession);
    gate.say(`${describeFault(error)} ${strings.gate.allTheSame}`);
    setTimeout(() => isIn || lookAround(streams, look()), LOOK_AGAIN_MS);
  }
}

// Of a part that does not come. What this page only learns from a page that is loaded anew, it is loaded for.
function onTrouble({ code, status, retryAfterS, needsReload }) {
  if (code === 'missing' && !needsReload) return;
  const isLeaving = needsReload && mayReload();
  gate.tell(isLeaving ? strings.parts[code] : needsReload ? strings.parts.lasting : describeFault({ code, status, retryAfterS }));
  if (isLeaving) reloading ??= setTimeout(reload, READ_MS);
}

function reload() {
  gate.keepName();
  location.reload();
}

// The controls' elements are asked for here so that they come with the rest, and not after it.
async function loadRoom() {
  const [{ enter }] = await Promise.all([
    loadPart(() => import('./watch.js'), { onTrouble }),
    loadPart(() => import('/vendor/media-chrome.js'), { onTrouble }),
  ]);
  clearTimeout(reloading);
  gate.tell('');
  return enter;
}

async function pass() {
  const isMaker = takeMade(key);
  const joined = gate.open({ isMaker });
  const room = loadRoom();
  // What plays a stream is nearly as large as all the rest, which comes first; unless that is waited for already.
  lookAround(Promise.race([room, joined]));
  const name = await joined;
  const askedMs = isMaker ? 0 : performance.now();
  const enter = await room;
  isIn = true;
  standby?.stop();
  gate.close();
  enter({ name, video, source, seen, isMaker, askedMs });
}

// Not awaited: what comes later imports what this module is made of.
localizePage();
byId('not-started').remove();
if (key) pass();
else gate.bar(strings.gate.noKey);
