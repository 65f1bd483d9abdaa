// What media-chrome's elements show and ask for. Their store is fed from the shared playback instead
// of the element, and their requests that concern everybody become commands. Only requests that a person's
// input raises count, for some elements also ask for what they are told to show.
import { allowPopOut } from '../playback/pop_out.js';
import { soundNames } from '../playback/sound_names.js';
import { createMediaStore, MediaUIEvents, requestMap, stateMediator } from '/vendor/media-chrome.js';

// A part of the state that is read by get() and may change whenever `source` says so.
function following(source, get) {
  const watch = (update) => {
    const onChange = () => update();
    source.addEventListener('change', onChange);
    return () => source.removeEventListener('change', onChange);
  };
  return { get, stateOwnersUpdateHandlers: [watch] };
}

// The same array for the same duration: another one is a change to the store.
function seekableOf(playback) {
  let known;
  return () => {
    const { durationS } = playback;
    if (known?.[1] !== durationS) known = Number.isFinite(durationS) ? [0, durationS] : undefined;
    return known;
  };
}

// The same array for the same qualities, whatever has become of it: the menu sorts and marks the array that
// it is given, takes the next one for other qualities, and builds itself anew, under somebody's finger.
function renditionsOf(quality) {
  let known;
  let list = [];
  return () => {
    const { renditions } = quality;
    const now = JSON.stringify(renditions);
    if (now !== known) list = renditions;
    known = now;
    return list;
  };
}

// Likewise of the sounds.
function soundsOf(audio) {
  let known;
  let list = [];
  return () => {
    const { tracks } = audio;
    const labels = soundNames(tracks);
    const now = JSON.stringify(labels);
    if (now !== known) list = tracks.map(({ id, lang }, i) => ({ id, kind: '', label: labels[i], language: lang, enabled: i === audio.wanted }));
    known = now;
    return list;
  };
}

/** @param {Record<string, any>} parts */
function mediatorOf({ playback, quality, audio, size }) {
  return {
    ...stateMediator,
    mediaPaused: following(playback, () => !playback.playing),
    mediaEnded: following(playback, () => playback.over),
    mediaPlaybackRate: following(playback, () => playback.rate),
    mediaCurrentTime: following(playback, () => Math.max(0, playback.position)),
    mediaDuration: following(playback, () => (Number.isFinite(playback.durationS) ? playback.durationS : NaN)),
    mediaSeekable: following(playback, seekableOf(playback)),
    mediaWidth: following(size, () => size.width),
    mediaHeight: following(size, () => size.height),
    mediaRenditionList: following(quality, renditionsOf(quality)),
    mediaRenditionSelected: following(quality, () => quality.selected ?? undefined),
    mediaRenditionUnavailable: following(quality, () => (quality.renditions.length > 1 ? undefined : 'unavailable')),
    mediaAudioTrackList: following(audio, soundsOf(audio)),
    mediaAudioTrackEnabled: following(audio, () => String(audio.wanted)),
    mediaAudioTrackUnavailable: following(audio, () => (audio.tracks.length > 1 ? undefined : 'unavailable')),
    mediaPipUnavailable: { get: () => (document.pictureInPictureEnabled ? undefined : 'unsupported') },
    // The page says itself what is wrong, and its controls go on working meanwhile.
    mediaError: { get: () => undefined },
    mediaErrorCode: { get: () => undefined },
    mediaErrorMessage: { get: () => '' },
  };
}

/** @param {Record<string, any>} parts */
function requestsOf({ inputs, playback, quality, audio, sound, captions }) {
  const ifAsked = (command) => (mediator, owners, { detail }) => {
    const { act } = inputs;
    if (act) command(act, detail);
  };
  const thenRemember = (request) => (...parameters) => {
    if (!inputs.act) return;
    requestMap[request](...parameters);
    captions.remember();
  };
  const popOut = (mediator, owners, event) => {
    if (!inputs.act) return;
    allowPopOut(owners.media);
    requestMap[MediaUIEvents.MEDIA_ENTER_PIP_REQUEST](mediator, owners, event);
  };
  return {
    ...requestMap,
    [MediaUIEvents.MEDIA_ENTER_PIP_REQUEST]: popOut,
    [MediaUIEvents.MEDIA_PLAY_REQUEST]: ifAsked((act) => playback.play(act)),
    [MediaUIEvents.MEDIA_PAUSE_REQUEST]: ifAsked((act) => playback.pause(act)),
    [MediaUIEvents.MEDIA_SEEK_REQUEST]: ifAsked((act, position) => playback.seekTo(act, position)),
    [MediaUIEvents.MEDIA_PLAYBACK_RATE_REQUEST]: ifAsked((act, rate) => playback.setRate(act, Number(rate))),
    [MediaUIEvents.MEDIA_RENDITION_REQUEST]: ifAsked((act, id) => quality.select(id)),
    [MediaUIEvents.MEDIA_AUDIO_TRACK_REQUEST]: ifAsked((act, id) => audio.select(id)),
    [MediaUIEvents.MEDIA_MUTE_REQUEST]: ifAsked(() => sound.mute()),
    [MediaUIEvents.MEDIA_UNMUTE_REQUEST]: ifAsked(() => sound.unmute()),
    [MediaUIEvents.MEDIA_VOLUME_REQUEST]: ifAsked((act, volume) => sound.setVolume(volume)),
    [MediaUIEvents.MEDIA_SHOW_SUBTITLES_REQUEST]: thenRemember(MediaUIEvents.MEDIA_SHOW_SUBTITLES_REQUEST),
    [MediaUIEvents.MEDIA_DISABLE_SUBTITLES_REQUEST]: thenRemember(MediaUIEvents.MEDIA_DISABLE_SUBTITLES_REQUEST),
    [MediaUIEvents.MEDIA_TOGGLE_SUBTITLES_REQUEST]: ifAsked(() => captions.toggle()),
  };
}

// media: the <video>. fullscreenElement: what fills the screen. inputs (PageInputs), playback, quality, audio,
// size (PictureSize), sound, captions: the modules of these names.
/** @param {{media: HTMLVideoElement, fullscreenElement: HTMLElement} & Record<string, any>} means */
export function createSharedStore({ media, fullscreenElement, ...parts }) {
  return createMediaStore({
    media,
    fullscreenElement,
    documentElement: document,
    // Its types ask for a setter of everything, and for a detail of no request: neither is so.
    stateMediator: /** @type {any} */ (mediatorOf(parts)),
    requestMap: /** @type {any} */ (requestsOf(parts)),
    options: { noVolumePref: true, noMutedPref: true, noSubtitlesLangPref: true },
  });
}
