// The captions of a video of the library, as <track>s: those beside it, and those inside.
//
// What the server has yet to make takes its time: a track that could not be had is asked for again while it is
// shown. Subtitles that are pictures are <track>s without cues, so that they can be chosen like the others; what they
// show is PictureCaptions'.
import { make } from '../../dom.js';
import { languageName } from '../../language_name.js';
import { strings } from '../../strings.js';

const RETRY_DELAYS_MS = [2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000];

// entry: {captions?, tracks?}. To [{lang, name, url?, pictures?}], each once, forced ones last: who chose a language
// gets the first of it. No two have one name.
export function captionsOf({ captions = [], tracks }) {
  const beside = new Set(captions.map(({ url }) => url));
  const inside = (tracks?.subtitles ?? []).filter(({ url, pictures }) => pictures || (url && !beside.has(url)));
  const all = [...captions, ...inside].map((one) => ({ ...one, kind: one.kind ?? (one.forced ? 'forced' : null) }));
  all.sort((a, b) => Number(a.kind === 'forced') - Number(b.kind === 'forced'));
  const taken = new Set();
  return all.map(({ lang, label, kind, url, pictures }) => {
    const language = languageName(lang, label || lang);
    const plain = kind ? strings.controls.captionsOfKind(language, strings.controls.captionKinds[kind]) : language;
    const names = [plain, ...(label && label !== language ? [`${plain}: ${label}`] : [])];
    let name = names.find((one) => !taken.has(one));
    for (let number = 2; !name; number += 1) if (!taken.has(`${plain} ${number}`)) name = `${plain} ${number}`;
    taken.add(name);
    return { lang, name, url, pictures };
  });
}

// timers: other ones for tests.
export function addCaptionTracks(video, entry, timers = globalThis) {
  for (const { lang, name, url, pictures } of captionsOf(entry)) {
    const track = make('track', { kind: 'captions', srclang: lang, label: name, src: url,
      'data-pictures': pictures?.url, 'data-span-ms': pictures?.spanMs });
    if (url) retryWhileShown(video, track, url, timers);
    video.append(track);
  }
}

// What is turned off when its time has come is asked for when it is turned on again.
function retryWhileShown(video, element, url, timers) {
  let tries = 0;
  let isDue = false;
  const retry = () => {
    if (!element.isConnected) return video.textTracks.removeEventListener('change', retry);
    if (!isDue || element.track.mode === 'disabled') return undefined;
    isDue = false;
    element.src = `${url}?again=${tries}`;
    return undefined;
  };
  element.addEventListener('error', () => {
    const delayMs = RETRY_DELAYS_MS[tries];
    if (delayMs === undefined) return;
    tries += 1;
    timers.setTimeout(() => {
      isDue = true;
      retry();
    }, delayMs);
  });
  video.textTracks.addEventListener('change', retry);
}
