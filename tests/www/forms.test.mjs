// Which form of a film is played: the cheapest that the browser knows, and that did not fail before; and whether what
// plays is seen and heard.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { formsOf } from '../../www/player/playback/forms.js';
import { PlayingCheck } from '../../www/player/playback/playing_check.js';
import { fakeStorage } from './support/fake_storage.mjs';

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

beforeEach(fakeStorage);

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

// A page of its own, with a memory of what failed on it.
let pages = 0;
const openPage = () => import(`../../www/player/playback/forms.js?page=${(pages += 1)}`);
const DAY_MS = 24 * 3_600_000;
const one = film('avc1.64001f', 'mp4a.40.2');
const namesOn = (page, entry, means) => page.formsOf(entry, video, { mediaSource, ...means }).map(({ form }) => form);
// On two pages.
async function failTwice(means) {
  for (const page of [await openPage(), await openPage()]) page.rememberFailure(page.formsOf(one, video, { mediaSource, ...means })[0], means);
}

test('what failed is left out on this page, for all films of those codecs', async () => {
  const page = await openPage();
  const [first] = page.formsOf(one, video, { mediaSource });
  page.rememberFailure(first);
  assert.deepEqual(namesOn(page, one), ['copy', 'transcode']);
  assert.deepEqual(namesOn(page, { ...one, id: 'other' }), ['copy', 'transcode']);
  assert.deepEqual(namesOn(page, film('avc1.640028', 'mp4a.40.2')), ['file', 'copy', 'transcode']);
  page.rememberFailure(first);
  assert.deepEqual(namesOn(await openPage(), one), ['file', 'copy', 'transcode'], 'once, as far as others know');
});

test('what failed on two pages is left out on others, for a week', async () => {
  await failTwice({ nowMs: 0, agent: 'a' });
  const page = await openPage();
  assert.deepEqual(namesOn(page, one, { nowMs: 6 * DAY_MS, agent: 'a' }), ['copy', 'transcode']);
  assert.deepEqual(namesOn(page, one, { nowMs: 8 * DAY_MS, agent: 'a' }), ['file', 'copy', 'transcode']);
  page.rememberFailure(one.forms[0], { nowMs: 8 * DAY_MS, agent: 'a' });
  assert.deepEqual(namesOn(await openPage(), one, { nowMs: 8 * DAY_MS, agent: 'a' }), ['file', 'copy', 'transcode'], 'what expired does not count');
});

test('another browser may do better', async () => {
  await failTwice({ nowMs: 0, agent: 'a' });
  assert.deepEqual(namesOn(await openPage(), one, { nowMs: 0, agent: 'b' }), ['file', 'copy', 'transcode']);
});

test('a memory that makes no sense is none', async () => {
  for (const kept of ['{"broken', '{}', 'null', JSON.stringify(['file video/x-matroska avc1.64001f,mp4a.40.2', null])]) {
    localStorage.setItem('videosync.player.failedForms', kept);
    assert.deepEqual(namesOn(await openPage(), one), ['file', 'copy', 'transcode'], kept);
  }
});

// Plays steps of a quarter of a second; each is what the element then tells.
function check(tracks, steps, { hidden = false, lengthS = 3_600 } = {}) {
  const element = new EventTarget();
  Object.assign(element, { currentTime: 0, paused: false, seeking: false, videoWidth: 0, frames: 0, webkitAudioDecodedByteCount: 0, getVideoPlaybackQuality: () => ({ totalVideoFrames: element.frames }) });
  const missing = [];
  const one = new PlayingCheck(element, tracks, (what) => missing.push(what), { page: { hidden }, length: { seconds: lengthS } });
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

test('where a film is about to end its sound may be over, but not its picture', () => {
  const near = (fromS, told, lengthS = 100) => check(both, playing((i) => ({ currentTime: fromS + i / 4, ...told(i) })), { lengthS });
  const seen = (i) => ({ videoWidth: 320, frames: i });
  assert.deepEqual(near(80, seen).missing, ['sound']);
  assert.deepEqual(near(91, seen), { missing: [], isPassed: false });
  assert.deepEqual(near(88.5, seen).missing, ['sound'], 'told before');
  assert.deepEqual(near(91, () => ({ videoWidth: 0 })).missing, ['picture']);
  assert.equal(near(91, (i) => ({ ...seen(i), webkitAudioDecodedByteCount: i })).isPassed, true);
  assert.deepEqual(near(0, seen, 8).missing, ['sound'], 'a short film has a beginning, too');
  assert.deepEqual(near(0, seen, Infinity).missing, ['sound']);
  const back = [...playing((i) => ({ currentTime: 95 + i / 4, ...seen(i) })), ...playing((i) => ({ currentTime: 10 + i / 4, ...seen(i) }))];
  assert.deepEqual(check(both, back, { lengthS: 100 }).missing, ['sound'], 'it is told elsewhere');
});
