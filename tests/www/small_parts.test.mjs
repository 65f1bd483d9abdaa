import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '../../www/format.js';
import { LatestSender } from '../../www/player/playback/latest_sender.js';
import { findSessionCode, findSessionKey } from '../../www/session/api.js';
import { timedByBrowser } from '../../www/session/first_look.js';
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

test('a code is found however it is written, and in a link', () => {
  for (const text of ['ABCD-EF01', 'abcdefoI', ' abcd efol\n', 'A-B-C-D–E—F 0 1', 'https://x/r/abcd-ef01', 'http://x:8080/r/ABCD%20EF01?a=1']) {
    assert.equal(findSessionCode(text), 'ABCD-EF01', text);
  }
  for (const text of ['', 'ABCD-EF0', 'ABCD-EF011', 'ABCD-EFGU', 'ABCD_EF01', 'https://x/r/', 'https://x/r/%', '1b4e28ba-2fa1-4d3b-a1c5-0123456789ab']) {
    assert.equal(findSessionCode(text), null, text);
  }
});

test('when a question was sent and answered the browser knows better than the page', () => {
  const seen = { info: { key: 'k' }, askedMs: 100, heardMs: 900 };
  const entry = { name: 'https://x/api/sessions/k', startTime: 101, requestStart: 350, responseStart: 500, responseEnd: 510 };
  assert.deepEqual(timedByBrowser(seen, [{ ...entry, name: 'https://x/api/videos' }, entry]), { ...seen, askedMs: 350, heardMs: 500 });
  // An earlier question, a later one, one that is not noted whole.
  for (const other of [{ startTime: 90 }, { responseEnd: 950 }, { requestStart: 0 }, { responseStart: 0 }]) {
    assert.equal(timedByBrowser(seen, [{ ...entry, ...other }]), seen);
  }
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
