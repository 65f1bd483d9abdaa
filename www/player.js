// The player page: the gate, and the video's beginning behind it. All else (watch.js) is fetched while
// the viewer reads.
import { firstLook, key, look } from './session/first_look.js';
import { byId } from './dom.js';
import { describeFault } from './faults.js';
import { Standby } from './player/playback/standby.js';
import { VideoSource } from './player/playback/video_source.js';
import { Gate } from './player/stage/gate.js';
import { localizePage, strings } from './strings.js';
import { Timeline } from './sync/timeline.js';
import { setTitle } from './title.js';

const LOOK_AGAIN_MS = 5_000;

const video = byId('video');
const source = new VideoSource(video);
const gate = new Gate();
let seen = null; // what the server said (first_look.js)
let standby = null;
let isIn = false; // past the gate

function showBeginning({ info: { state, video: entry, serverTimeMs }, heardMs }) {
  if (!entry) return;
  const timeline = new Timeline();
  timeline.accept(state);
  const positionS = () => timeline.positionAt(serverTimeMs + performance.now() - heardMs);
  source.load(entry, positionS());
  standby = new Standby(video, positionS);
  setTitle(entry.title || entry.id);
}

// Until it is known.
async function lookAround(found = firstLook) {
  try {
    seen = await found;
    gate.show(seen.info);
    if (!isIn) showBeginning(seen);
  } catch (error) {
    if (error.code === 'session_not_found') return gate.bar(strings.gate.noSession);
    gate.say(`${describeFault(error)} ${strings.gate.allTheSame}`);
    setTimeout(() => isIn || lookAround(look()), LOOK_AGAIN_MS);
  }
}

async function pass() {
  const joined = gate.open();
  lookAround();
  // The controls' elements are asked for here so that they come with the rest, and not after it.
  const [{ enter }] = await Promise.all([import('./watch.js'), import('/vendor/media-chrome.js')]);
  const name = await joined;
  isIn = true;
  standby?.stop();
  gate.close();
  enter({ name, video, source, seen });
}

// Not awaited: what comes later imports what this module is made of.
localizePage();
if (key) pass();
else gate.bar(strings.gate.noKey);
