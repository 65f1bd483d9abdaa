// Films that are not of the library: by their address, from sites that the operator allows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { join, openRoom } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';

const SITE = 'https://films.example';
const FILM = `${SITE}/a%20film.mp4?t=1`;
let media;
let server;
let closed; // a server that allows none

before(async () => {
  media = await makeFolder({ 'One Film.mp4': patternBytes(3_000) });
  const args = ['--media', media.directory, '--session-rate', '0', '--workers', '2'];
  server = await startServer({ args: [...args, '--allow-source', 'https://Films.example:443', '--allow-source', 'https://b.example:8443'] });
  closed = await startServer({ args });
});

after(async () => {
  await closed?.stop();
  await server?.stop();
  await media?.remove();
});

const shown = ({ video, url }) => ({ video, url });
const refusedWith = async (member) => (({ code, re }) => [code, re])(await member.next('error'));

test('a load by address is shown to all, and who comes later has it in the welcome', async () => {
  const [ann, ben, { key }] = await openRoom(server, 2);
  ann.send('load', { url: FILM });
  const state = await ben.next('state', ({ cause }) => cause === 'load');
  assert.deepEqual([shown(state), state.position, state.playing], [{ video: null, url: FILM }, 0, false]);
  const cem = await join(server, key);
  const { session, state: welcomed } = cem.welcome;
  assert.deepEqual([shown(session), shown(welcomed)], [{ video: null, url: FILM }, { video: null, url: FILM }]);
  const info = await (await fetch(`${server.origin}/api/sessions/${key}`)).json();
  assert.deepEqual([info.video, shown(info.state)], [null, { video: null, url: FILM }]);
  const film = await fetch(`${server.origin}/api/video?session=${key}`, { redirect: 'manual' });
  assert.deepEqual([film.status, film.headers.get('location')], [307, FILM]);
  ann.send('load', { video: 'one-film' });
  assert.deepEqual(shown(await cem.next('state', ({ video }) => video !== null)), { video: 'one-film', url: undefined });
});

test('its length is what its sender has seen', async () => {
  const [ann] = await openRoom(server, 1);
  ann.send('load', { url: FILM, duration: 60 });
  ann.send('seek', { position: 1e6 });
  assert.equal((await ann.next('state', ({ cause }) => cause === 'seek')).position, 60);
  ann.send('load', { url: `${SITE}/another` });
  ann.send('seek', { position: 1e6 });
  assert.equal((await ann.next('state', ({ cause, url }) => cause === 'seek' && url.endsWith('another'))).position, 1e6, 'not known');
  ann.send('load', { url: FILM, duration: 0.2 });
  ann.send('play', {});
  assert.equal((await ann.next('state', ({ cause }) => cause === 'ended')).position, 0.2);
});

test('what is not allowed is refused, and the film stays', async () => {
  const [ann, ben, { key }] = await openRoom(server, 2);
  for (const url of ['https://evil.example/a.mp4', 'http://films.example/a.mp4', `${SITE}.evil.example/`, 'https://films.example@evil.example/', 'one-film']) {
    ann.send('load', { url });
    assert.deepEqual(await refusedWith(ann), ['no_such_video', 'load'], url);
  }
  ann.send('load', { url: `${SITE}/${'x'.repeat(2_048)}` });
  assert.deepEqual(await refusedWith(ann), ['out_of_range', 'load']);
  ann.send('load', { url: FILM, video: 'one-film' });
  assert.deepEqual(await refusedWith(ann), ['bad_message', 'load']);
  ann.send('load', { video: FILM });
  assert.deepEqual(await refusedWith(ann), ['no_such_video', 'load'], 'an address is no video');
  ann.send('enqueue', { video: FILM });
  assert.deepEqual(await refusedWith(ann), ['no_such_video', 'enqueue']);
  ben.send('load', { url: FILM });
  assert.deepEqual(await refusedWith(ben), ['not_host', 'load']);
  const { state } = (await join(server, key)).welcome;
  assert.deepEqual([state.video, state.seq], ['one-film', 0]);
});

test('pages are told the sites, and their policy lets films come from there alone', async () => {
  const [ann] = await openRoom(server, 1);
  assert.deepEqual(ann.welcome.session.sources, [SITE, 'https://b.example:8443']);
  for (const page of ['/', '/player.html']) {
    const policy = (await fetch(server.origin + page)).headers.get('content-security-policy');
    assert.ok(policy.includes("media-src 'self' blob: https://films.example https://b.example:8443;"), policy);
    assert.ok(policy.includes("connect-src 'self' https://films.example https://b.example:8443;"), policy);
  }
});

test('where none is allowed everything is as if there were no such thing', async () => {
  const [ann] = await openRoom(closed, 1);
  assert.equal('sources' in ann.welcome.session, false);
  ann.send('load', { url: FILM });
  assert.deepEqual(await refusedWith(ann), ['no_such_video', 'load']);
  const policy = (await fetch(closed.origin)).headers.get('content-security-policy');
  assert.ok(policy.includes("media-src 'self' blob:; connect-src 'self';") && !policy.includes('https:'), policy);
});
