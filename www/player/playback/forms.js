// In which forms a film can be had here: what the server offers (`forms`, cheapest first), without what this browser
// does not know, or failed at before.
//
// A browser may play a file that it says it knows in silence, or in darkness, and fire no error. So what plays is
// checked (playing_check.js), and what failed is left out on this page, for all films of those codecs. Once may be an
// accident, of a decoder that was busy or of one film: only what fails on a second page is left out on others, too, for
// a week, or until the browser is another version.
import { preference, setPreference } from '../../memory.js';
import { isHeardAlone } from './audio_tracks.js';

const HLS_TYPE = 'application/vnd.apple.mpegurl';
const FAILED = 'failedForms';
const FAILED_MAX = 30;
const FAILED_FOR_MS = 7 * 24 * 3_600_000;
const FAILURES_BELIEVED = 2;
const STARTS_AT_0_MS = 10; // a file whose film begins elsewhere on its own clock would lie so far off the others
// Containers that browsers read. Whether they do is seen; what they say of Matroska is worth nothing.
const CONTAINERS = { 'video/mp4': 'video/mp4', 'video/quicktime': 'video/mp4', 'video/webm': 'video/webm', 'video/x-matroska': 'video/mp4' };

const thisBrowser = () => globalThis.navigator?.userAgent ?? '';
const failedHere = new Set(); // names, on this page

// [{form, url, isStream, type, codecs}], the one to be tried first first; never empty. video: an element to be asked.
// soundPlace: of the sound that is wanted, in entry.tracks; a file that may be heard with another one comes last.
// nowMs, agent (which browser this is): others for tests.
export function formsOf(entry, video, {
  soundPlace = 0, mediaSource = globalThis.ManagedMediaSource ?? globalThis.MediaSource, nowMs = Date.now(),
  agent = thisBrowser(),
} = {}) {
  const file = { form: 'file', url: entry.url, isStream: false, type: entry.type ?? '', codecs: '' };
  if (entry.hls) {
    const stream = { form: 'stream', url: entry.hls, isStream: true, type: HLS_TYPE, codecs: '' };
    return entry.url && entry.url !== entry.hls ? [stream, file] : [stream];
  }
  if (!entry.forms?.length) return [file];
  const forms = entry.forms.map((one) => ({ ...one, isStream: one.type === HLS_TYPE }));
  const believed = failuresKept({ nowMs, agent }).filter(({ times }) => times >= FAILURES_BELIEVED).map(({ name }) => name);
  const failed = new Set([...failedHere, ...believed]);
  const known = forms.filter((form) => !failed.has(nameOf(form)) && isKnown(form, entry, video, mediaSource));
  const isRight = ({ isStream }) => isStream || isHeardAlone(entry.tracks ?? {}, soundPlace);
  const inOrder = [...known.filter(isRight), ...known.filter((form) => !isRight(form))];
  // Where nothing is known, to try is better than to say so.
  return inOrder.length > 0 ? inOrder : forms.slice(0, 1);
}

function isKnown({ form, isStream, type, codecs }, entry, video, mediaSource) {
  if (isStream) return mediaSource ? mediaSource.isTypeSupported(`video/mp4; codecs="${codecs}"`) : video.canPlayType(HLS_TYPE) !== '';
  const container = CONTAINERS[type];
  if (form !== 'file' || !container || Math.abs(entry.startMs ?? 0) > STARTS_AT_0_MS) return false;
  return [container, 'video/webm'].some((one) => video.canPlayType(`${one}; codecs="${codecs}"`) !== '');
}

const nameOf = ({ form, type, codecs }) => [form, type, codecs].join(' ');

// [{name, times, atMs, agent}] of this browser, not too long ago.
function failuresKept({ nowMs, agent }) {
  try {
    const kept = JSON.parse(preference(FAILED) ?? '[]');
    return kept.filter((one) => one.agent === agent && Math.abs(nowMs - one.atMs) < FAILED_FOR_MS);
  } catch {
    return [];
  }
}

// This browser could not play such a form here. On one page it counts once.
export function rememberFailure(form, { nowMs = Date.now(), agent = thisBrowser() } = {}) {
  const name = nameOf(form);
  if (!form.codecs || failedHere.has(name)) return;
  failedHere.add(name);
  const kept = failuresKept({ nowMs, agent });
  const times = 1 + (kept.find((one) => one.name === name)?.times ?? 0);
  const others = kept.filter((one) => one.name !== name);
  setPreference(FAILED, JSON.stringify([...others, { name, times, atMs: nowMs, agent }].slice(-FAILED_MAX)));
}
