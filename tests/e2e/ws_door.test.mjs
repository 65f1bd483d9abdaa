// The door of a session: open, where one knocks, or locked.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createSession, join, knock, openRoom, refusal, sleep } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

let server;

before(async () => {
  server = await startServer({ args: ['--media', 'tests/support', '--session-rate', '0', '--workers', '2'] });
});

after(() => server?.stop());

const room = (count, settings) => openRoom(server, count, settings);
const infoOf = async (key) => (await fetch(`${server.origin}/api/sessions/${key}`)).json();

// The host, and its session, which has this door from the beginning.
async function closedRoom(door) {
  const session = await createSession(server, { door });
  const ann = await join(server, session.key, { name: 'Ann', host: session.hostToken });
  return [ann, session];
}

// Somebody who waits, of whom the host has heard under that id.
async function knocker(host, key, name) {
  const one = await knock(server, key, { name });
  const { id } = await host.next('knock', (told) => told.name === name);
  return [one, id];
}

describe('locked', () => {
  test('newcomers get 403; the host, and who comes back, come in', async () => {
    const [ann, ben, { key, hostToken }] = await room(2);
    assert.equal(ann.welcome.session.door, 'open');
    ann.send('settings', { door: 'locked' });
    assert.equal((await ben.next('settings')).door, 'locked');
    const refused = await refusal(server, { session: key });
    assert.deepEqual([refused.status, refused.body.error.code], [403, 'session_locked']);
    assert.equal((await infoOf(key)).door, 'locked');
    await ben.drop();
    const again = await join(server, key, { resume: ben.resume });
    assert.deepEqual([again.id, again.welcome.session.door], [ben.id, 'locked']);
    const dan = await join(server, key, { host: hostToken });
    assert.equal(dan.welcome.you.role, 'host');
    assert.equal((await refusal(server, { session: key, host: '0'.repeat(32) })).status, 403);
  });

  test('a plain GET is judged like the handshake', async () => {
    const [, { key }] = await closedRoom('locked');
    const ask = async (more = '') => fetch(`${server.origin}/ws?session=${key}&origin=${server.origin}${more}`);
    const answer = await ask();
    assert.deepEqual([answer.status, (await answer.json()).error.code], [403, 'session_locked']);
    assert.equal((await ask('&host=abc')).status, 426);
  });

  test('a session whose door is locked from the beginning waits for its host', async () => {
    const session = await createSession(server, { door: 'locked' });
    assert.equal((await refusal(server, { session: session.key })).status, 403);
    assert.equal((await join(server, session.key, { host: session.hostToken })).welcome.you.role, 'host');
  });

  test('what is no door is refused', async () => {
    const [ann] = await room(1);
    ann.send('settings', { door: 'ajar' });
    assert.equal((await ann.next('error')).code, 'bad_message');
    const made = await fetch(`${server.origin}/api/sessions`, { method: 'POST', body: '{"door":1}' });
    assert.equal(made.status, 400);
  });
});

describe('knocking', () => {
  test('who knocks waits, unseen, and is let in by the host', async () => {
    const [ann, { key }] = await closedRoom('knock');
    const [ben, id] = await knocker(ann, key, 'Ben');
    assert.equal((await infoOf(key)).members, 1);
    ann.send('play');
    ann.send('chat', { text: 'nobody else hears this' });
    await ann.next('chat');
    ben.send('chat', { text: 'hello?' });
    const error = await ben.next('error');
    assert.deepEqual([error.code, error.re], ['not_admitted', 'chat']);
    await ben.settled();
    assert.deepEqual(ben.all.map(({ type }) => type), ['knocking', 'error', 'pong']);
    ann.send('admit', { id });
    assert.equal((await ann.next('knock')).gone, true);
    const welcome = await ben.next('welcome');
    assert.deepEqual([welcome.you.name, welcome.members.count, welcome.session.door], ['Ben', 2, 'knock']);
    await ann.next('members', ({ joined }) => joined.some(({ name }) => name === 'Ben'));
    ben.send('chat', { text: 'here I am' });
    assert.equal((await ann.next('chat')).name, 'Ben');
    await ben.drop();
    assert.equal((await join(server, key, { resume: welcome.you.resume })).id, welcome.you.id);
  });

  test('who is refused is closed with 4005, and may knock again', async () => {
    const [ann, { key }] = await closedRoom('knock');
    const [ben, id] = await knocker(ann, key, 'Ben');
    ann.send('refuse', { id });
    assert.equal(await ben.closeCode(), 4005);
    const [, again] = await knocker(ann, key, 'Ben');
    assert.notEqual(again, id);
  });

  test('the host hears who leaves; an id that nobody has is refused', async () => {
    const [ann, { key }] = await closedRoom('knock');
    const [ben, id] = await knocker(ann, key, 'Ben');
    await ben.close();
    assert.deepEqual({ ...(await ann.next('knock')), receivedMs: 0 }, { type: 'knock', id, gone: true, receivedMs: 0 });
    for (const [type, whom] of [['admit', id], ['refuse', id], ['admit', 'm1'], ['refuse', 7]]) {
      ann.send(type, { id: whom });
      const { code, re } = await ann.next('error');
      assert.deepEqual([code, re], [whom === 7 ? 'bad_message' : 'no_such_member', type]);
    }
  });

  test('only the host lets in', async () => {
    const [ann, ben, { key }] = await room(2);
    ann.send('settings', { door: 'knock', control: 'everyone' });
    await ben.next('settings');
    const [, id] = await knocker(ann, key, 'Cem');
    ben.send('admit', { id });
    assert.equal((await ben.next('error')).code, 'not_host');
    assert.equal(ben.of('knock').length, 0);
  });

  test('a new host is told of those who wait, and so is one that comes back', async () => {
    const [ann, ben, { key }] = await room(2);
    ann.send('settings', { door: 'knock' });
    await ben.next('settings');
    const [cem, id] = await knocker(ann, key, 'Cem');
    ann.send('give', { to: ben.id });
    assert.deepEqual(((told) => [told.id, told.name])(await ben.next('knock')), [id, 'Cem']);
    await ben.drop();
    const back = await join(server, key, { resume: ben.resume });
    assert.equal((await back.next('knock')).id, id);
    back.send('admit', { id });
    assert.equal((await cem.next('welcome')).host, ben.id);
  });

  test('opening the door lets all in, locking it refuses all', async () => {
    const [ann, { key }] = await closedRoom('knock');
    const [ben] = await knocker(ann, key, 'Ben');
    const [cem] = await knocker(ann, key, 'Cem');
    ann.send('settings', { door: 'open' });
    for (const one of [ben, cem]) assert.equal((await one.next('welcome')).session.door, 'open');
    ann.send('settings', { door: 'knock' });
    await ben.next('settings', ({ door }) => door === 'knock');
    const [dan] = await knocker(ann, key, 'Dan');
    ann.send('settings', { door: 'locked' });
    assert.equal(await dan.closeCode(), 4005);
  });

  test('while the host is away one waits for it', async () => {
    const [ann, { key }] = await closedRoom('knock');
    await ann.drop();
    const ben = await knock(server, key, { name: 'Ben' });
    const back = await join(server, key, { resume: ann.resume });
    const { id } = await back.next('knock');
    back.send('admit', { id });
    assert.equal((await ben.next('welcome')).members.count, 2);
  });

  test('the end of the session is the end of waiting', async () => {
    const [ann, { key }] = await closedRoom('knock');
    const [ben] = await knocker(ann, key, 'Ben');
    ann.send('end');
    assert.equal(await ben.closeCode(), 4001);
  });

  test('who waits longer than an answer may take still waits', async () => {
    const [ann, { key }] = await closedRoom('knock');
    const [ben, id] = await knocker(ann, key, 'Ben');
    await sleep(12_000);
    assert.equal(ann.of('knock').every((told) => told.id === id && !told.gone), true);
    ann.send('admit', { id });
    await ben.next('welcome');
  });

  test('at most 50 wait', async () => {
    const [ann, { key }] = await closedRoom('knock');
    const waiting = await Promise.all(Array.from({ length: 50 }, (_, i) => knock(server, key, { name: `K${i}` })));
    const refused = await refusal(server, { session: key });
    assert.deepEqual([refused.status, refused.body.error.code], [503, 'door_full']);
    await waiting[0].close();
    await ann.next('knock', ({ gone }) => gone);
    await knock(server, key);
    ann.send('settings', { door: 'locked' });
    for (const one of waiting.slice(1)) assert.equal(await one.closeCode(), 4005);
  });
});

describe('a removed browser', () => {
  const COOKIE = /^videosync_browser=([0-9a-f]{16}\.[0-9a-f]{32}); Path=\/ws; Max-Age=\d+; HttpOnly; SameSite=Strict$/;
  const removedBy = async (host, one) => {
    host.send('kick', { id: one.id });
    assert.equal(await one.closeCode(), 4004);
  };
  const withCookie = (cookie) => ({ headers: { cookie } });
  const refusalOf = async (query, cookie) => {
    const { status, body } = await refusal(server, query, withCookie(cookie));
    return [status, body.error.code];
  };

  test('the 101 sets a cookie, the same one again for who shows it', async () => {
    const { key } = await createSession(server);
    const ann = await join(server, key);
    assert.match(ann.setCookie, COOKIE);
    const again = await join(server, key, {}, withCookie(`theme=dark; ${ann.cookie}`));
    assert.equal(again.cookie, ann.cookie);
    const other = await join(server, key);
    assert.notEqual(other.cookie, ann.cookie);
    const forged = await join(server, key, {}, withCookie(ann.cookie.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))));
    assert.match(forged.setCookie, COOKIE, 'a new one');
    assert.ok(![ann.cookie, other.cookie].includes(forged.cookie));
    const waiting = await knock(server, (await createSession(server, { door: 'knock' })).key);
    assert.match(waiting.setCookie, COOKIE, 'with the 101 of who knocks, too');
  });

  test('it is Secure where the proxy says that the page came over https', async () => {
    const proxied = await startServer({ args: ['--media', 'tests/support', '--trusted-proxy', '127.0.0.1'] });
    try {
      const { key } = await createSession(proxied);
      const options = { headers: { 'X-Forwarded-Proto': 'https' } };
      assert.match((await join(proxied, key, {}, options)).setCookie, /; Secure$/);
      assert.ok(!(await join(proxied, key)).setCookie.includes('Secure'));
    } finally {
      await proxied.stop();
    }
  });

  test('it gets 403 in that session alone, whatever its door; the host may come in', async () => {
    const [ann, { key, hostToken }] = await closedRoom('open');
    const ben = await join(server, key, { name: 'Ben' });
    await removedBy(ann, ben);
    for (const door of ['open', 'knock', 'locked']) {
      ann.send('settings', { door });
      await ann.next('settings', (told) => told.door === door);
      assert.deepEqual(await refusalOf({ session: key }, ben.cookie), [403, 'removed']);
      assert.deepEqual(await refusalOf({ session: key, resume: ben.resume }, ben.cookie), [403, 'removed']);
    }
    assert.equal((await join(server, key, { host: hostToken }, withCookie(ben.cookie))).welcome.you.role, 'host');
    const elsewhere = await createSession(server);
    assert.equal((await join(server, elsewhere.key, {}, withCookie(ben.cookie))).welcome.members.count, 1);
  });

  test('without the cookie it is another browser: no more is claimed', async () => {
    const [ann, { key }] = await closedRoom('open');
    const ben = await join(server, key, { name: 'Ben' });
    await removedBy(ann, ben);
    assert.equal((await join(server, key, { name: 'Ben' })).welcome.you.name, 'Ben');
  });

  test('a plain GET is judged like the handshake', async () => {
    const [ann, { key, hostToken }] = await closedRoom('open');
    const ben = await join(server, key);
    await removedBy(ann, ben);
    const ask = async (more = '') => fetch(`${server.origin}/ws?session=${key}&origin=${server.origin}${more}`, withCookie(ben.cookie));
    const answer = await ask();
    assert.deepEqual([answer.status, (await answer.json()).error.code], [403, 'removed']);
    assert.equal(answer.headers.get('set-cookie'), null);
    assert.equal((await ask(`&host=${hostToken}`)).status, 426);
  });

  test('who had to knock is known again', async () => {
    const [ann, { key }] = await closedRoom('knock');
    const [ben, id] = await knocker(ann, key, 'Ben');
    ann.send('admit', { id });
    ben.id = (await ben.next('welcome')).you.id;
    await removedBy(ann, ben);
    assert.deepEqual(await refusalOf({ session: key, name: 'Ben' }, ben.cookie), [403, 'removed']);
    assert.equal(ann.of('knock').filter(({ gone }) => !gone).length, 1, 'the host is not asked again');
  });
});
