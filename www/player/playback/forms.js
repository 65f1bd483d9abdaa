// In which forms a film can be had here: what the server offers (`forms`, cheapest first), without what this browser
// does not know, or failed at before.
//
// A browser may play a file that it says it knows in silence, or in darkness, and fire no error. So what plays is
// checked (playing_check.js), and what failed is remembered, for all films of those codecs.
import { preference, setPreference } from '../../memory.js';
import { isHeardAlone } from './audio_tracks.js';

const HLS_TYPE = 'application/vnd.apple.mpegurl';
const FAILED = 'failedForms';
const FAILED_MAX = 30;
const STARTS_AT_0_MS = 10; // a file whose film begins elsewhere on its own clock would lie so far off the others
// Containers that browsers read. Whether they do is seen; what they say of Matroska is worth nothing.
const CONTAINERS = { 'video/mp4': 'video/mp4', 'video/quicktime': 'video/mp4', 'video/webm': 'video/webm', 'video/x-matroska': 'video/mp4' };

// [{form, url, isStream, type, codecs}], the one to be tried first first; never empty. video: an element to be asked.
// soundPlace: of the sound that is wanted, in entry.tracks; a file that may be heard with another one comes last.
export function formsOf(entry, video, { soundPlace = 0, mediaSource = globalThis.ManagedMediaSource ?? globalThis.MediaSource } = {}) {
  const file = { form: 'file', url: entry.url, isStream: false, type: entry.type ?? '', codecs: '' };
  if (entry.hls) {
    const stream = { form: 'stream', url: entry.hls, isStream: true, type: HLS_TYPE, codecs: '' };
    return entry.url && entry.url !== entry.hls ? [stream, file] : [stream];
  }
  if (!entry.forms?.length) return [file];
  const forms = entry.forms.map((one) => ({ ...one, isStream: one.type === HLS_TYPE }));
  const failed = failedForms();
  const known = forms.filter((form) => !failed.includes(nameOf(form)) && isKnown(form, entry, video, mediaSource));
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

function failedForms() {
  try {
    const names = JSON.parse(preference(FAILED) ?? '[]');
    return Array.isArray(names) ? names : [];
  } catch {
    return [];
  }
}

// This browser cannot play such a form: for good, as far as it can be remembered.
export function rememberFailure(form) {
  if (!form.codecs) return;
  const names = failedForms().filter((name) => name !== nameOf(form));
  setPreference(FAILED, JSON.stringify([...names, nameOf(form)].slice(-FAILED_MAX)));
}
