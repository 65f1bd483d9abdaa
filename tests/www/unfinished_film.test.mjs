import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breaksOff } from '../../www/player/playback/unfinished_film.js';

const at = ({ ranOut = false, over = false, ended = false, endsEarly }) =>
  breaksOff({ ranOut, measure: () => ({ over, ended }) }, { current: endsEarly === undefined ? null : { endsEarly } });

test('an end that the server says is none, or that nobody expected, is where a film breaks off', () => {
  assert.equal(at({ ranOut: true }), true);
  assert.equal(at({ over: true, endsEarly: true }), true);
  assert.equal(at({ ended: true, endsEarly: true }), true);
  assert.equal(at({ over: true, ended: true, endsEarly: false }), false);
  assert.equal(at({ over: true }), false);
  assert.equal(at({ endsEarly: true }), false, 'it goes on there');
});
