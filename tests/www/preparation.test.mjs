// When it is said that the server is still making a film ready: with a player that behaves as hls.js does there.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Preparation } from '../../www/player/playback/preparation.js';
import { refusalOf } from '../../www/player/playback/refusal_of_film.js';

const TYPES = ['MANIFEST_LOADING', 'MANIFEST_LOADED', 'LEVEL_LOADING', 'LEVEL_LOADED', 'AUDIO_TRACK_LOADING', 'AUDIO_TRACK_LOADED', 'FRAG_LOADING', 'FRAG_LOADED', 'ERROR'];
const EVENTS = Object.fromEntries(TYPES.map((type) => [type, type]));

function followed() {
  let nowMs = 0;
  const preparation = new Preparation({ now: () => nowMs });
  const hls = new EventEmitter();
  preparation.follow(hls, EVENTS);
  let changes = 0;
  preparation.addEventListener('change', () => (changes += 1));
  return {
    preparation, hls,
    say: (type, data = {}) => hls.emit(type, type, data),
    at: (ms) => ((nowMs = ms), preparation.state),
    changes: () => changes,
  };
}
const fragment = (type, first = 0) => ({ frag: { type, stats: { loading: { first } } } });

test('what is asked for and does not begin to come is being prepared', () => {
  const { preparation, say, at } = followed();
  assert.equal(at(10_000), null);
  assert.equal(preparation.isPossible, false);
  say('FRAG_LOADING', fragment('main'));
  assert.equal(at(10_700), null, 'a line may be as slow');
  assert.equal(preparation.isPossible, true);
  assert.deepEqual(at(12_000), { reason: 'preparing', sinceMs: 10_000 });
  say('FRAG_LOADED', fragment('main'));
  assert.equal(at(13_000), null);
});

test('what has begun to come is there, and only slow', () => {
  const { say, at } = followed();
  const coming = fragment('main');
  say('FRAG_LOADING', coming);
  assert.equal(at(1_000).reason, 'preparing');
  coming.frag.stats.loading.first = 1_100;
  assert.equal(at(5_000), null);
});

test('it is counted from the one that has been waited for longest; a seek begins anew', () => {
  const { say, at } = followed();
  say('FRAG_LOADING', fragment('main'));
  at(500);
  say('FRAG_LOADING', fragment('audio'));
  assert.equal(at(2_000).sinceMs, 0);
  say('FRAG_LOADING', fragment('main'));
  assert.equal(at(2_100).sinceMs, 500);
  say('FRAG_LOADED', fragment('audio'));
  assert.equal(at(2_200), null);
});

test('playlists count as well', () => {
  for (const kind of ['MANIFEST', 'LEVEL', 'AUDIO_TRACK']) {
    const { say, at } = followed();
    say(`${kind}_LOADING`);
    assert.equal(at(900).reason, 'preparing', kind);
    say(`${kind}_LOADED`);
    assert.equal(at(9_000), null, kind);
  }
});

test('a playlist that cannot be had is not waited for', () => {
  const errors = {
    MANIFEST: [{ context: { type: 'manifest' }, details: 'manifestLoadTimeOut' }, { details: 'manifestParsingError' }],
    LEVEL: [{ context: { type: 'level' }, details: 'levelLoadError' }, { details: 'levelEmptyError' }],
    AUDIO_TRACK: [{ context: { type: 'audioTrack' }, details: 'audioTrackLoadTimeOut' }, { details: 'audioTrackLoadError' }],
  };
  for (const [kind, all] of Object.entries(errors)) {
    for (const error of all) {
      const { preparation, say, at } = followed();
      say(`${kind}_LOADING`);
      say('ERROR', error);
      assert.deepEqual([at(9_000), preparation.isPossible], [null, false], error.details);
    }
  }
});

test('an error of something else leaves what is waited for', () => {
  const { say, at } = followed();
  say('LEVEL_LOADING');
  say('FRAG_LOADING', fragment('main'));
  for (const error of [{ details: 'bufferStalledError' }, { details: 'levelSwitchError' }, { context: { type: 'audioTrack' }, details: 'audioTrackLoadError' }, fragment('audio')]) say('ERROR', error);
  say('FRAG_LOADED', fragment('main'));
  assert.equal(at(900).reason, 'preparing');
  say('LEVEL_LOADED');
  assert.equal(at(9_000), null);
});

test('a refusal is told at once, and until something comes', () => {
  const { preparation, say, at, changes } = followed();
  say('FRAG_LOADING', fragment('main'));
  at(100);
  say('ERROR', fragment('main'));
  preparation.refuse('busy');
  preparation.refuse('busy');
  assert.deepEqual([at(200), changes()], [{ reason: 'busy', sinceMs: 100 }, 1]);
  preparation.refuse('unreadable');
  assert.deepEqual(at(300), { reason: 'unreadable', sinceMs: 100 });
  say('FRAG_LOADED', fragment('main'));
  assert.deepEqual([at(400), changes()], [null, 3]);
});

test('a player that is left behind says nothing any more', () => {
  const { preparation, say, at } = followed();
  say('FRAG_LOADING', fragment('main'));
  preparation.follow(null);
  say('FRAG_LOADING', fragment('audio'));
  assert.equal(at(9_000), null);
});

test('what a refusal says, of a request of either kind', () => {
  const body = JSON.stringify({ error: { code: 'busy', message: '' } });
  const bytes = new TextEncoder().encode(body).buffer;
  const asked = (response) => ({ status: 503, response, getResponseHeader: (name) => (name === 'Retry-After' ? '2' : null) });
  for (const response of [body, bytes]) assert.deepEqual(refusalOf(asked(response)), { status: 503, code: 'busy', retryAfterMs: 2_000 });
  assert.deepEqual(refusalOf(new Response(null, { status: 503, headers: { 'Retry-After': '7' } })), { status: 503, code: '', retryAfterMs: 7_000 });
  assert.deepEqual(refusalOf(undefined, 404), { status: 404, code: '', retryAfterMs: 5_000 });
});
