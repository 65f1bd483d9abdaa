// What the server's half of the contract makes of answers that are not the server's, and the words for it.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { describeFault } from '../../www/faults.js';
import { createSession, findSession, servedPage, sessionInfo, videos } from '../../www/session/api.js';

const realFetch = globalThis.fetch;
afterEach(() => (globalThis.fetch = realFetch));

const answer = (body, { status = 200, headers = {} } = {}) => {
  globalThis.fetch = async () => new Response(body, { status, headers });
};
const json = (value, options) => answer(JSON.stringify(value), options);
const list = () => videos({ limit: 48 });
const fault = (act = list) => act().then(() => assert.fail('no fault'), (error) => error);
const codes = ({ code, status }) => [code, status];

test("the server's own answers, good and bad", async () => {
  json({ videos: [{ id: 'film' }] });
  assert.deepEqual(await list(), { videos: [{ id: 'film' }] });
  json({ valid: false });
  assert.equal(await findSession('k'), null);
  json({ error: { code: 'rate_limited', message: 'slow down' } }, { status: 429, headers: { 'Retry-After': '7' } });
  const limited = await fault(createSession);
  assert.deepEqual([limited.code, limited.status, limited.retryAfterS, limited.message], ['rate_limited', 429, 7, 'slow down']);
});

test('a page that is not served now says how long to wait', async () => {
  answer('', { status: 429, headers: { 'Retry-After': '7' } });
  const limited = await fault(() => servedPage('/player.html'));
  assert.deepEqual([...codes(limited), limited.retryAfterS], ['refused', 429, 7]);
});

test('an error of something on the way, whatever it says', async () => {
  for (const [body, status] of [['<h1>502 Bad Gateway</h1>', 502], ['', 413], ['{"message":"no route"}', 403]]) {
    answer(body, { status });
    for (const act of [list, () => sessionInfo('k'), () => servedPage('/player.html')]) assert.deepEqual(codes(await fault(act)), ['refused', status]);
  }
});

test('a page in the place of the answer, something else that is JSON, and a redirect, are a stranger\'s', async () => {
  answer('<!doctype html><title>Sign in</title>');
  assert.equal((await fault()).code, 'stranger');
  json({ message: 'hello' });
  assert.equal((await fault()).code, 'stranger');
  globalThis.fetch = async (_, { redirect }) => (assert.equal(redirect, 'manual'), Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' }));
  assert.equal((await fault()).code, 'stranger');
  assert.equal((await fault(() => servedPage('/'))).code, 'stranger');
});

test('nobody answers, or the answer breaks off', async () => {
  const breaksOff = async () => { throw new DOMException('The operation timed out.', 'TimeoutError'); };
  globalThis.fetch = async () => { throw new TypeError('Failed to fetch'); };
  assert.equal((await fault()).code, 'unreachable');
  globalThis.fetch = async () => ({ ok: true, status: 200, headers: new Headers(), json: breaksOff, text: breaksOff });
  assert.equal((await fault()).code, 'unreachable');
  assert.equal((await fault(() => servedPage('/'))).code, 'unreachable');
});

test('each is said in words, with the status, and what to do', () => {
  const words = (code, more) => describeFault({ code, ...more }).replaceAll('\u00a0', ' ');
  assert.match(words('offline'), /no network/);
  assert.match(words('unreachable'), /cannot be reached/);
  assert.match(words('stranger'), /Load this page anew/);
  for (const status of [502, 503, 504]) assert.match(words('refused', { status }), new RegExp(`answered ${status}: it does not reach`));
  for (const status of [401, 403, 407, 511]) assert.match(words('refused', { status }), new RegExp(`answered ${status}: it does not let you through.*sign in`));
  assert.match(words('refused', { status: 413 }), /answered 413\. Tell whoever runs the server/);
  assert.equal(words('refused', { status: 429 }), words('rate_limited'));
  assert.match(words('rate_limited', { retryAfterS: 7 }), /in 7 s/);
  assert.match(words('too_many_sessions'), /as many sessions/);
  assert.match(words('internal'), /did not work \(internal\)/);
  assert.match(describeFault(new RangeError('a slip')), /did not work \(RangeError\)/);
});
