// The short code of a session: told to whom it is to be, found however it is written, and not by trying.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { ask, assertError } from '../support/http_connection.mjs';
import { join } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';

const UNKNOWN_MAX = 30; // a minute, of one address
const FORM = /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/;
let server;
let media;

before(async () => {
  media = await makeFolder({ 'film.mp4': patternBytes(2_000, 1) });
  server = await start();
});
after(async () => {
  await server?.stop();
  await media?.remove();
});

const start = (...args) => startServer({
  args: ['--media', media.directory, '--session-rate', '0', '--workers', '2', '--trusted-proxy', '127.0.0.0/8', ...args],
});
// Each test asks from an address of its own, lest one's guesses are another's.
const asker = (address, at = server) => {
  const get = (target, headers = {}, method = 'GET') => ask(at.origin, method, target, { 'X-Forwarded-For': address, ...headers });
  return {
    get,
    validate: (name) => get(`/api/sessions/${encodeURIComponent(name)}/validate`),
    follow: (name, method) => get(`/r/${encodeURIComponent(name)}`, {}, method),
  };
};
const create = async (at = server) => JSON.parse((await ask(at.origin, 'POST', '/api/sessions')).body);
const json = ({ status, body }) => {
  assert.equal(status, 200, String(body));
  return JSON.parse(body);
};
// Codes that nobody has, but for a chance that is not worth a word.
const guesses = (count) => Array.from({ length: count }, (_, i) => `ZZZZ-${String(i).padStart(4, '0')}`);

test('it is made with the session, and the same in every welcome', async () => {
  const made = await create();
  assert.match(made.code, FORM);
  for (let i = 0; i < 2; i += 1) {
    const { welcome } = await join(server, made.key);
    assert.deepEqual([welcome.session.key, welcome.session.code], [made.key, made.code]);
  }
  const others = await Promise.all(Array.from({ length: 100 }, () => create()));
  assert.equal(new Set(others.map(({ code }) => code)).size, 100);
});

test('of a session it is told to whoever shows its host or a resume token', async () => {
  const { key, code, hostToken } = await create();
  const ann = await join(server, key);
  const { get } = asker('198.51.100.1');
  const told = async (token) => json(await get(`/api/sessions/${key}`, token && { Authorization: `Bearer ${token}` })).code;
  for (const token of [undefined, '0'.repeat(32), 'nonsense', `m1.${'0'.repeat(32)}`]) assert.equal(await told(token), undefined);
  assert.equal(await told(hostToken), code);
  assert.equal(await told(ann.resume), code);
});

test('it is found however a person writes it', async () => {
  const { key, code } = await create();
  const { validate } = asker('198.51.100.2');
  const bare = code.replace('-', '');
  const alike = bare.replaceAll('0', 'o').replaceAll('1', 'L');
  for (const written of [code, code.toLowerCase(), bare, ` ${bare.slice(0, 4)} ${bare.slice(4)} `, alike, alike.toUpperCase(), bare.split('').join('-')]) {
    assert.deepEqual(json(await validate(written)), { valid: true, key }, written);
  }
  for (const written of ['ZZZZ-ZZZZ', bare.slice(1), `${bare}0`, '0000-0000']) assert.deepEqual(json(await validate(written)), { valid: false }, written);
  assertError(await asker('198.51.100.2').get(`/api/sessions/${code}`), 404, 'session_not_found');
});

test('a link with it leads to the player, and one with another to the start page', async () => {
  const { key, code } = await create();
  const { follow, get } = asker('198.51.100.3');
  for (const method of ['GET', 'HEAD']) {
    const found = await follow(code.toLowerCase(), method);
    assert.deepEqual([found.status, found.headers.location, found.headers['cache-control']], [302, `/player.html?session=${key}`, 'no-store']);
  }
  const start = await get('/');
  for (const written of ['ZZZZ-ZZZZ', 'no code', '']) {
    const unknown = await follow(written);
    assert.deepEqual([unknown.status, unknown.headers['content-type'], unknown.headers['cache-control']], [404, 'text/html; charset=utf-8', 'no-store'], written);
    assert.deepEqual(unknown.body, start.body, 'which says in words what is wrong');
    assert.equal(unknown.headers['content-security-policy'], start.headers['content-security-policy']);
    assert.equal(unknown.headers.etag, undefined);
  }
  assertError(await follow(code, 'POST'), 405);
  const socket = await get(`/ws?session=${code}`, { 'Sec-WebSocket-Version': '13' });
  assertError(socket, 404, 'session_not_found');
});

test('who tries too many gets 429 for every code, whatever the worker, and for no key', async () => {
  const { key, code } = await create();
  const { validate, follow } = asker('198.51.100.4');
  for (let i = 0; i < 2 * UNKNOWN_MAX; i += 1) json(await validate(code)); // those that are somebody's do not count
  const tried = await Promise.all(guesses(2 * UNKNOWN_MAX).map((guess, i) => (i % 2 ? validate(guess) : follow(guess))));
  const passed = tried.filter(({ status }) => status !== 429).length;
  assert.ok(passed >= UNKNOWN_MAX && passed <= UNKNOWN_MAX + 5, `${passed} were looked up`);
  const refused = await validate(code);
  assertError(refused, 429, 'rate_limited');
  const seconds = Number(refused.headers['retry-after']);
  assert.ok(seconds >= 1 && seconds <= 2, `Retry-After: ${seconds}`);
  const link = await follow(code);
  assert.deepEqual([link.status, link.headers['content-type']], [429, 'text/html; charset=utf-8']);
  assert.ok(Number(link.headers['retry-after']) >= 1);
  assert.deepEqual(json(await validate(key)), { valid: true, key });
  assert.deepEqual(json(await asker('198.51.100.5').validate(code)), { valid: true, key }, 'others are not concerned');
});

test('of IPv6 it is the /64 that is counted', async () => {
  const statuses = [];
  for (const [i, guess] of guesses(UNKNOWN_MAX + 10).entries()) statuses.push((await asker(`2001:db8:0:7::${i + 1}`).validate(guess)).status);
  assert.ok(statuses.slice(0, UNKNOWN_MAX).every((status) => status === 200));
  assert.ok(statuses.slice(-5).includes(429), String(statuses.slice(-10)));
  assert.equal((await asker('2001:db8:0:8::1').validate('ZZZZ-0000')).status, 200);
});

test('it ends with its session, by its host or by old age', async () => {
  const brief = await start('--session-ttl', '1s');
  try {
    const { validate, follow } = asker('198.51.100.6');
    const ended = await create();
    await ask(server.origin, 'DELETE', `/api/sessions/${ended.key}`, { Authorization: `Bearer ${ended.hostToken}` });
    assert.deepEqual(json(await validate(ended.code)), { valid: false });
    assert.equal((await follow(ended.code)).status, 404);
    const old = await create(brief);
    const there = asker('198.51.100.7', brief);
    assert.deepEqual(json(await there.validate(old.code)), { valid: true, key: old.key });
    await until(async () => !json(await there.validate(old.code)).valid, 'it to be too old', 10_000, 500);
  } finally {
    await brief.stop();
  }
});

test('the limit is a setting', async () => {
  const [strict, open] = await Promise.all([start('--code-rate', '2'), start('--code-rate', '0')]);
  try {
    const tried = async (at) => (await Promise.all(guesses(40).map((guess) => asker('198.51.100.8', at).validate(guess)))).filter(({ status }) => status === 429).length;
    assert.ok((await tried(strict)) >= 36);
    assert.equal(await tried(open), 0);
  } finally {
    await Promise.all([strict.stop(), open.stop()]);
  }
});
