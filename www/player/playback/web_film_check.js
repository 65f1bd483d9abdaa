// Whether this browser can play what is at an address, before everybody is shown it: resolves to {durationS}, or to
// {problem}: 'network', it cannot be had; 'unsupported'; 'endless', nobody could be in step with what has no length.
import { loadPart } from '../../load_part.js';
import { webFilm } from '../../web_film.js';
import { FilmLength } from './film_length.js';

const PATIENCE_MS = 15_000;
const PART_TRIES_MAX = 2;

export async function checkWebFilm(url) {
  const film = webFilm(url);
  const Hls = film.hls ? await loadHls() : null;
  const seen = await (Hls?.isSupported() ? lookAtStream(Hls, url) : lookAtFile(url));
  if (seen.problem) return seen;
  return Number.isFinite(seen.durationS) && seen.durationS > 0 ? seen : { problem: 'endless' };
}

async function loadHls() {
  const part = loadPart(() => import('/vendor/hls.js/hls.min.mjs'), { triesMax: PART_TRIES_MAX });
  return (await part.catch(() => null))?.default ?? null;
}

function lookAtFile(url) {
  const video = document.createElement('video');
  video.preload = 'metadata';
  video.muted = true;
  const length = new FilmLength(video);
  return judged((settle) => {
    video.addEventListener('loadedmetadata', () => settle({ durationS: length.seconds }));
    video.addEventListener('error', async () => settle({ problem: (await isThere(url)) ? 'unsupported' : 'network' }));
    video.src = url;
  }, () => {
    video.removeAttribute('src');
    video.load();
  });
}

// A browser says the same of a file that it cannot have and of one that it cannot play. Where the site does not let
// others read what it says, nobody knows more than that it is there.
async function isThere(url) {
  const ask = (mode) => fetch(url, { method: 'HEAD', mode, cache: 'no-store' });
  return ask('cors').then(({ ok }) => ok, () => ask('no-cors').then(() => true, () => false));
}

// Its parts are fetched by the page, which the other site has to allow (CORS).
function lookAtStream(Hls, url) {
  const hls = new Hls({ enableWorker: false });
  const { LEVEL_LOADED, ERROR } = Hls.Events;
  return judged((settle) => {
    hls.on(LEVEL_LOADED, (_, { details }) => settle({ durationS: details.live ? Infinity : details.totalduration }));
    hls.on(ERROR, (_, { fatal, type }) => fatal && settle({ problem: type === Hls.ErrorTypes.NETWORK_ERROR ? 'network' : 'unsupported' }));
    hls.attachMedia(document.createElement('video'));
    hls.loadSource(url);
  }, () => hls.destroy());
}

// begin(settle); end(): whatever came of it.
async function judged(begin, end) {
  let timer = null;
  try {
    return await new Promise((settle) => {
      timer = setTimeout(settle, PATIENCE_MS, { problem: 'network' });
      begin(settle);
    });
  } finally {
    clearTimeout(timer);
    end();
  }
}
