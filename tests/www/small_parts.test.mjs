import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '../../www/format.js';
import { LatestSender } from '../../www/player/playback/latest_sender.js';
import { findSessionKey } from '../../www/session/api.js';
import { FakeTime } from './support/fake_network.mjs';

test('times read as people write them', () => {
  const cases = { 0: '0:00', 9.99: '0:09', 75: '1:15', 3675: '1:01:15', 36_000: '10:00:00' };
  for (const [seconds, text] of Object.entries(cases)) assert.equal(formatTime(Number(seconds)), text);
  assert.equal(formatTime(NaN), '–:––');
  assert.equal(formatTime(-1), '0:00');
});

test('a key is found alone, in a link and in whatever was pasted around it', () => {
  const key = '1b4e28ba-2fa1-4d3b-a1c5-0123456789ab';
  for (const text of [key, key.toUpperCase(), ` ${key}\n`, `https://x/player.html?session=${key}&a=1`, `Join: "${key}"!`]) {
    assert.equal(findSessionKey(text), key);
  }
  for (const text of ['', 'hello', key.slice(1), key.replace('-4', '-1')]) assert.equal(findSessionKey(text), null);
});

test('of many positions only the one it came to rest on is sent', () => {
  const time = new FakeTime();
  const sent = [];
  const sender = new LatestSender((value) => sent.push(value), time.timers);
  for (const position of [1, 2, 3]) {
    sender.push(position);
    time.pass(100);
  }
  assert.deepEqual(sent, []);
  assert.equal(sender.pending, 3);
  time.pass(200);
  assert.deepEqual(sent, [3]);
  assert.equal(sender.pending, undefined);
  time.pass(5000);
  assert.deepEqual(sent, [3]);
});
