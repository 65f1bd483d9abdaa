// The operator's password: who may make sessions and list the library, and who may have its films.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { makeFolder } from '../support/files.mjs';
import { join } from '../support/member.mjs';
import { makeMedia, makePoster } from '../support/media.mjs';
import { startServer } from '../support/server.mjs';
import { untilFilmsAreKnown } from '../support/until.mjs';

const PASSWORD = 'öpen: sesame';
const BASIC = /^videosync_password=\d+\.[0-9a-f]{32}; Path=\/; Max-Age=31536000; HttpOnly; SameSite=Lax$/;
const VIEWER = /^videosync_viewer=\d+\.[0-9a-f]{32}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax$/;
let media;
let server;

before(async () => {
  media = await makeMedia([{ name: 'film', seconds: 5 }]);
  await makePoster(`${media.directory}/film.jpg`);
  await writeFile(`${media.directory}/film.en.vtt`, 'WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n');
  server = await startServer({ args: ['--media', media.directory, '--create-password', PASSWORD, '--code-rate', '5', '--workers', '2'] });
});

after(async () => {
  await server?.stop();
  await media?.remove();
});

const said = (password) => ({ authorization: `Basic ${Buffer.from(`:${password}`).toString('base64')}` });
const ask = (path, options) => fetch(server.origin + path, { redirect: 'manual', ...options });
const statusOf = async (path, headers) => {
  const response = await ask(path, { headers });
  await response.arrayBuffer();
  return response.status;
};
const codeOf = async (response) => [response.status, (await response.json()).error.code];
const cookieOf = (response) => ({ cookie: response.headers.get('set-cookie').split(';')[0] });
const makeSession = async () => (await ask('/api/sessions', { method: 'POST', headers: said(PASSWORD) })).json();

describe('who makes sessions or lists the library', () => {
  test('needs the password', async () => {
    assert.deepEqual(await codeOf(await ask('/api/sessions', { method: 'POST' })), [401, 'password_required']);
    const listed = await ask('/api/videos');
    assert.equal(listed.headers.get('www-authenticate'), 'Password', 'no browser asks by itself');
    assert.deepEqual(await codeOf(listed), [401, 'password_required']);
    assert.equal(await statusOf('/'), 200);
  });

  test('gets a cookie for it, by which it is remembered', async () => {
    const answer = await ask('/api/password', { method: 'POST', headers: said(PASSWORD) });
    assert.equal(answer.status, 204);
    assert.match(answer.headers.get('set-cookie'), BASIC);
    const headers = cookieOf(answer);
    assert.equal(await statusOf('/api/videos', headers), 200);
    const made = await ask('/api/sessions', { method: 'POST', headers });
    assert.equal(made.status, 201);
    const { key } = await made.json();
    assert.equal((await join(server, key)).welcome.members.count, 1, 'a guest needs none');
  });

  test('may send it along with each request', async () => {
    assert.equal(await statusOf('/api/videos', said(PASSWORD)), 200);
    assert.equal((await ask('/api/sessions', { method: 'POST', headers: said(PASSWORD) })).status, 201);
    assert.equal(await statusOf('/api/video?id=film', said(PASSWORD)), 200);
  });
});

// It names its film's version and could be kept for good: by who has it, and by no cache on the way.
test('what may be kept for good is for its viewer alone', async (t) => {
  const cache = await makeFolder();
  const one = await startServer({ args: ['--media', media.directory, '--create-password', PASSWORD, '--cache', cache.directory] });
  t.after(async () => {
    await one.stop();
    await cache.remove();
  });
  const of = (path) => fetch(new URL(path, one.origin), { headers: said(PASSWORD) });
  await untilFilmsAreKnown(one, { headers: said(PASSWORD) });
  const { forms } = await (await of('/forms/film/film.json')).json();
  const master = new URL(forms.find(({ form }) => form === 'transcode').url, one.origin);
  const playlist = new URL((await (await of(master)).text()).match(/^[^#].*$/m)[0], master);
  const beginning = new URL((await (await of(playlist)).text()).match(/#EXT-X-MAP:URI="([^"]+)"/)[1], playlist);
  const answer = await of(beginning);
  assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'private, max-age=31536000, immutable']);
  assert.equal((await fetch(beginning)).status, 403);
});

describe('films and what belongs to them', () => {
  const paths = async () => {
    const { videos } = await (await ask('/api/videos', { headers: said(PASSWORD) })).json();
    return ['/api/video', '/api/video?id=film', videos[0].captions[0].url, videos[0].poster, '/forms/film/film.json'];
  };

  test('are for who knows a session', async () => {
    for (const path of await paths()) {
      assert.deepEqual(await codeOf(await ask(path)), [403, 'session_required'], path);
      const range = await ask(path, { headers: { range: 'bytes=0-9', cookie: 'videosync_viewer=99999999999.00' } });
      assert.deepEqual(await codeOf(range), [403, 'session_required'], path);
      assert.deepEqual(await codeOf(await ask(path, { method: 'DELETE' })), [405, 'method_not_allowed'], path);
    }
  });

  test('are given for a key or a code in the address', async () => {
    const { key, code } = await makeSession();
    const without = { ...(await makeSession()) };
    await ask(`/api/sessions/${without.key}`, { method: 'DELETE', headers: { authorization: `Bearer ${without.hostToken}` } });
    for (const path of await paths()) {
      const by = (name) => statusOf(`${path}${path.includes('?') ? '&' : '?'}session=${name}`);
      for (const name of [key, code, code.toLowerCase().replace('-', '')]) {
        assert.ok([200, 404].includes(await by(name)), `${path} by ${name}`);
        if (!path.startsWith('/forms')) assert.equal(await by(name), 200, `${path} by ${name}`);
      }
      assert.equal(await by(without.key), 404);
      assert.equal(await by('no-session'), 404);
    }
  });

  test('are given for the cookie of who has asked about a session', async () => {
    const { key, code } = await makeSession();
    for (const about of [`/api/sessions/${key}`, `/api/sessions/${key}/validate`, `/api/sessions/${code}/validate`]) {
      const answer = await ask(about);
      assert.match(answer.headers.get('set-cookie'), VIEWER, about);
      for (const path of await paths()) {
        if (!path.startsWith('/forms')) assert.equal(await statusOf(path, cookieOf(answer)), 200, `${path} by ${about}`);
      }
      assert.equal(await statusOf('/api/videos', cookieOf(answer)), 401, 'the list is not');
    }
    const unknown = await ask('/api/sessions/12345678-1234-4234-8234-123456789012/validate');
    assert.equal(unknown.headers.get('set-cookie'), null);
  });
});

test('no cookie is given where no password is asked for', async () => {
  const open = await startServer({ args: ['--media', media.directory] });
  try {
    const { key } = await (await fetch(`${open.origin}/api/sessions`, { method: 'POST' })).json();
    const about = await fetch(`${open.origin}/api/sessions/${key}`);
    assert.equal(about.headers.get('set-cookie'), null);
    assert.equal((await fetch(`${open.origin}/api/video?id=film`)).status, 200);
    const told = await fetch(`${open.origin}/api/password`, { method: 'POST', headers: said('whatever') });
    assert.deepEqual([told.status, told.headers.get('set-cookie')], [204, null]);
  } finally {
    await open.stop();
  }
});

// The last one: the address has had its fill then.
test('nobody tries for long', async () => {
  for (let i = 0; i < 5; i += 1) {
    assert.deepEqual(await codeOf(await ask('/api/password', { method: 'POST', headers: said(`x${i}`) })), [401, 'wrong_password']);
  }
  const late = await ask('/api/password', { method: 'POST', headers: said(PASSWORD) });
  assert.ok(Number(late.headers.get('retry-after')) > 0);
  assert.deepEqual(await codeOf(late), [429, 'rate_limited']);
  assert.equal(await statusOf('/api/video?id=film', said(PASSWORD)), 429);
});
