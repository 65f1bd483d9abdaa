// Which form of a film is played: the cheapest that the browser knows, and that did not fail before; and whether what
// plays is seen and heard.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { formsOf, rememberFailure } from '../../www/player/playback/forms.js';
import { PlayingCheck } from '../../www/player/playback/playing_check.js';

const HLS = 'application/vnd.apple.mpegurl';
const known = /avc1|mp4a|opus/;
const video = { canPlayType: (type) => (type === HLS || !type.split('"')[1].split(',').every((codec) => known.test(codec)) ? '' : 'probably') };
const mediaSource = { isTypeSupported: (type) => type.split('"')[1].split(',').every((codec) => known.test(codec)) };
const names = (entry, element = video, source = mediaSource, soundPlace = 0) => formsOf(entry, element, { mediaSource: source, soundPlace }).map(({ form }) => form);

const film = (picture, sound, { type = 'video/x-matroska', startMs = 0 } = {}) => ({
  id: 'film', url: '/api/video?id=film', type, startMs,
  forms: [
    { form: 'file', url: '/api/video?id=film', type, codecs: `${picture},${sound}` },
    { form: 'copy', url: '/forms/film/1-1/copy.m3u8', type: HLS, codecs: `${picture},mp4a.40.2` },
    { form: 'transcode', url: '/forms/film/1-1/transcode.m3u8', type: HLS, codecs: 'avc1.64002a,mp4a.40.2' },
  ],
});

beforeEach(() => {
  const kept = new Map();
  globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
});

test('the cheapest form that the browser knows comes first', () => {
  assert.deepEqual(names(film('avc1.64001f', 'mp4a.40.2')), ['file', 'copy', 'transcode']);
  assert.deepEqual(names(film('avc1.64001f', 'ac-3')), ['copy', 'transcode']);
  assert.deepEqual(names(film('hvc1.1.6.L93.B0', 'mp4a.40.2')), ['transcode']);
  assert.deepEqual(names(film('avc1.64001f', 'mp4a.40.2', { type: 'video/x-msvideo' })), ['copy', 'transcode'], 'no browser reads avi');
});

test('a file whose film does not begin at 0 on its own clock is copied', () => {
  assert.deepEqual(names(film('avc1.64001f', 'mp4a.40.2', { startMs: 100_000 })), ['copy', 'transcode']);
  assert.deepEqual(names(film('avc1.64001f', 'mp4a.40.2', { startMs: -10 })), ['file', 'copy', 'transcode']);
});

test('a file that may be heard with another sound than is wanted comes last', () => {
  const sounds = (audio, place) => names({ ...film('avc1.64001f', 'mp4a.40.2'), tracks: { audio } }, video, mediaSource, place);
  assert.deepEqual(sounds([{ default: true }], 0), ['file', 'copy', 'transcode']);
  assert.deepEqual(sounds([{ default: true }, {}], 0), ['file', 'copy', 'transcode']);
  assert.deepEqual(sounds([{}, {}], 0), ['file', 'copy', 'transcode']);
  assert.deepEqual(sounds([{ default: true }, {}], 1), ['copy', 'transcode', 'file']);
  assert.deepEqual(sounds([{}, { default: true }], 0), ['copy', 'transcode', 'file'], 'some take the marked one');
  assert.deepEqual(sounds([{}, { default: true }], 1), ['copy', 'transcode', 'file'], 'some take the first one');
});

test('without Media Source the browser is asked whether it plays HLS itself', () => {
  assert.deepEqual(names(film('avc1.64001f', 'ac-3'), { canPlayType: (type) => (type === HLS ? 'maybe' : '') }, null), ['copy', 'transcode']);
});

test('where nothing is known the first is tried, and a video without forms is a file or its stream', () => {
  assert.deepEqual(names(film('hvc1', 'dts'), video, { isTypeSupported: () => false }), ['file']);
  assert.deepEqual(names({ url: '/a' }), ['file']);
  assert.deepEqual(names({ url: '/a', hls: '/b' }), ['stream', 'file']);
  assert.deepEqual(names({ url: '/b', hls: '/b' }), ['stream']);
});

test('what failed is left out from then on, for all films of those codecs', () => {
  const one = film('avc1.64001f', 'mp4a.40.2');
  rememberFailure(formsOf(one, video, { mediaSource })[0]);
  assert.deepEqual(names(one), ['copy', 'transcode']);
  assert.deepEqual(names({ ...film('avc1.64001f', 'mp4a.40.2'), id: 'other' }), ['copy', 'transcode']);
  assert.deepEqual(names(film('avc1.640028', 'mp4a.40.2')), ['file', 'copy', 'transcode']);
  localStorage.setItem('videosync.player.failedForms', '{"broken');
  assert.deepEqual(names(one), ['file', 'copy', 'transcode']);
});

// Plays steps of a quarter of a second; each is what the element then tells.
function check(tracks, steps, { hidden = false } = {}) {
  const element = new EventTarget();
  Object.assign(element, { currentTime: 0, paused: false, seeking: false, videoWidth: 0, frames: 0, webkitAudioDecodedByteCount: 0, getVideoPlaybackQuality: () => ({ totalVideoFrames: element.frames }) });
  const missing = [];
  const one = new PlayingCheck(element, tracks, (what) => missing.push(what), { page: { hidden } });
  for (const step of steps) {
    Object.assign(element, step);
    element.dispatchEvent(new Event('timeupdate'));
  }
  return { missing, isPassed: one.isPassed };
}

const both = { video: {}, audio: [{}] };
const playing = (told, count = 12) => Array.from({ length: count }, (_, i) => ({ currentTime: i / 4, ...told(i) }));

test('what plays with picture and sound passes', () => {
  const { missing, isPassed } = check(both, playing((i) => ({ videoWidth: 320, frames: i, webkitAudioDecodedByteCount: i * 100 })));
  assert.deepEqual([missing, isPassed], [[], true]);
});

test('a picture without a size, or without frames, and silence are told once', () => {
  assert.deepEqual(check(both, playing((i) => ({ webkitAudioDecodedByteCount: i }))).missing, ['picture']);
  assert.deepEqual(check(both, playing((i) => ({ videoWidth: 320, webkitAudioDecodedByteCount: i }))).missing, ['picture']);
  assert.deepEqual(check(both, playing((i) => ({ videoWidth: 320, frames: i }))).missing, ['sound']);
});

test('a film without sound need not be heard, nor one without picture seen', () => {
  assert.deepEqual(check({ video: {}, audio: [] }, playing((i) => ({ videoWidth: 320, frames: i }))).missing, []);
  assert.deepEqual(check({ audio: [{}] }, playing((i) => ({ webkitAudioDecodedByteCount: i }))).missing, []);
});

test('what stands, seeks or is hidden tells nothing', () => {
  assert.deepEqual(check(both, playing(() => ({ paused: true }))).missing, []);
  assert.deepEqual(check(both, playing(() => ({}), 5)).missing, [], 'too short');
  assert.deepEqual(check(both, playing((i) => ({ currentTime: i * 20 }))).missing, [], 'jumps');
  assert.deepEqual(check(both, playing(() => ({})), { hidden: true }).missing, []);
});
