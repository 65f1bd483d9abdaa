// Which sound of a film is heard: by language, as the viewer, the host or the film has it.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { beforeEach, test } from 'node:test';
import { AudioTracks, isHeardAlone, languageOf } from '../../www/player/playback/audio_tracks.js';
import { fakeStorage } from './support/fake_storage.mjs';

const EVENTS = { AUDIO_TRACKS_UPDATED: 'updated' };
const film = { audio: [
  { index: 1, codec: 'ac-3', lang: 'eng', label: '', channels: 6, default: true },
  { index: 2, codec: 'mp4a.40.2', lang: 'ger', label: '', channels: 2, default: false },
  { index: 4, codec: 'mp4a.40.2', lang: 'ger', label: 'Comments', channels: 2, default: false },
] };

beforeEach(fakeStorage);

function opened(tracks = film) {
  const audio = new AudioTracks();
  const choices = [];
  audio.addEventListener('choice', ({ detail }) => choices.push(detail));
  audio.open(tracks);
  return { audio, choices };
}

// As hls.js behaves: it begins with the marked one.
function playing(audio, audioTracks) {
  const hls = Object.assign(new EventEmitter(), { audioTracks: [], audioTrack: -1 });
  audio.follow(hls, EVENTS);
  Object.assign(hls, { audioTracks, audioTrack: 0 });
  hls.emit(EVENTS.AUDIO_TRACKS_UPDATED);
  return hls;
}
const rendition = (index, lang) => ({ url: `http://host/forms/film/1-1/sound-${index}/index.m3u8`, lang, name: lang });
const renditions = [rendition(1, 'en'), rendition(2, 'de'), rendition(4, 'de')];

test('the language of a tag, however a film writes it', () => {
  assert.deepEqual(['ger', 'deu', 'de', 'de-AT', 'pt-BR', 'und', '', 'no language', undefined].map(languageOf), ['de', 'de', 'de', 'de', 'pt', '', '', '', '']);
});

test('by itself it is the one that the film marks, or its first', () => {
  assert.equal(opened().audio.wanted, 0);
  assert.equal(opened({ audio: [{ lang: 'eng' }, { lang: 'ger', default: true }] }).audio.wanted, 1);
  assert.equal(opened({ audio: [{ lang: 'eng' }, { lang: 'ger' }] }).audio.wanted, 0);
  assert.deepEqual([opened({}).audio.wanted, opened({}).audio.tracks], [0, []]);
});

test('a choice is told, and holds in the next film by its language', () => {
  const { audio, choices } = opened();
  audio.select('2');
  assert.deepEqual([audio.wanted, choices], [2, ['de']]);
  audio.select('2');
  audio.select('7');
  assert.deepEqual(choices, ['de'], 'what is so already, or is not there, is no choice');
  audio.open({ audio: [{ lang: 'fra', default: true }, { lang: 'deu' }] });
  assert.equal(audio.wanted, 1);
  audio.open({ audio: [{ lang: 'fra', default: true }, { lang: 'ita' }] });
  assert.equal(audio.wanted, 0);
  assert.equal(opened().audio.wanted, 1, 'and on another day');
});

test('the host\'s choice is what others begin with, and their own one counts more', () => {
  opened().audio.select('0');
  opened().audio.select('1'); // both on another day
  const { audio, choices } = opened();
  audio.share('en');
  assert.deepEqual([audio.wanted, choices], [0, []]);
  audio.select('1');
  assert.equal(audio.wanted, 1);
  audio.share('fr');
  assert.equal(audio.wanted, 1);
  const { audio: other } = opened();
  other.share('en');
  other.share('');
  assert.equal(other.wanted, 1, 'taken back');
});

test('in a stream that is made it is found by its place in the file', () => {
  const { audio } = opened();
  const hls = playing(audio, renditions);
  assert.equal(hls.audioTrack, 0);
  audio.select('2');
  assert.equal(hls.audioTrack, 2);
  assert.equal(playing(audio, [rendition(4, 'de'), rendition(1, 'en')]).audioTrack, 0);
  assert.equal(playing(audio, [rendition(1, 'en'), rendition(2, 'de')]).audioTrack, 0, 'one that is not there changes nothing');
});

test('a packaged stream has the sounds of its playlist', () => {
  const { audio } = opened({});
  audio.share('de');
  const hls = playing(audio, [{ url: 'a.m3u8', lang: 'en', name: 'English', default: true }, { url: 'b.m3u8', lang: 'de', name: 'Deutsch', default: false }]);
  assert.deepEqual(audio.tracks.map(({ id, lang, label }) => [id, lang, label]), [['0', 'en', 'English'], ['1', 'de', 'Deutsch']]);
  assert.equal(hls.audioTrack, 1);
});

test('a stream that is left behind says nothing any more', () => {
  const { audio } = opened();
  const hls = playing(audio, renditions);
  audio.follow(null);
  audio.select('1');
  hls.emit(EVENTS.AUDIO_TRACKS_UPDATED);
  assert.equal(hls.audioTrack, 0);
});

test('of one sound every browser takes it; of several not all take the same', () => {
  assert.equal(isHeardAlone({}, 0), true);
  assert.equal(isHeardAlone({ audio: [{}] }, 0), true);
  assert.equal(isHeardAlone(film, 0), true);
  assert.equal(isHeardAlone(film, 1), false);
});
