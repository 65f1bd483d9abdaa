// Sessions of the embedded store across a restart (--state): nobody notices more than a cut.
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { filesBelow, makeFolder, patternBytes } from '../support/files.mjs';
import { createSession, join, openRoom } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';
import { uploader } from '../support/tus.mjs';
import { until, untilLogged } from '../support/until.mjs';

let media;
before(async () => {
  media = await makeFolder({ 'film.mp4': patternBytes(2_000, 1), 'other.mp4': patternBytes(2_000, 2) });
});
after(() => media?.remove());

// One that is started again in the same place: restart() ends it as an operator would, or by `signal`.
async function keep(t, ...args) {
  const folder = await makeFolder();
  const stateFile = folder.path('state');
  const start = (more = {}) => startServer({ args: ['--media', media.directory, '--session-rate', '0', '--workers', '2', '--state', stateFile, ...args], ...more });
  const kept = { folder, stateFile, server: await start() };
  kept.restart = async (signal = 'SIGTERM') => {
    const ended = await kept.server.stop(signal);
    kept.before = kept.server;
    kept.server = await start({ listen: new URL(kept.server.origin).host });
    return ended;
  };
  t.after(async () => {
    await kept.server.stop();
    await folder.remove();
  });
  return kept;
}

const positionOf = (state) => state.position + (state.playing ? ((Date.now() - state.atMs) / 1_000) * state.rate : 0);

test('members are who they were, the film goes on, and what was planned is still planned', async (t) => {
  const kept = await keep(t);
  const [host, ann, ben, session] = await openRoom(kept.server, 3, { control: 'host' });
  host.send('enqueue', { video: 'other' });
  await ann.next('queue', ({ list }) => list.length === 1);
  host.send('seek', { position: 100 });
  host.send('play');
  const before = await ann.next('state', ({ playing }) => playing);
  const { code } = await kept.restart();
  assert.equal(code, 0);
  assert.match(kept.before.stderr(), /sessions are kept for the next start.*sessions=1/);
  await untilLogged(kept.server, /sessions go on from the program before.*sessions=1/);
  assert.deepEqual(await readdir(kept.folder.directory), [], 'it was read once');

  const back = await Promise.all([ann, host, ben].map((one) => join(kept.server, session.key, { resume: one.resume, held: `${before.epoch}.${before.seq}` })));
  assert.deepEqual(back.map(({ id }) => id), [ann.id, host.id, ben.id]);
  assert.deepEqual(back.map(({ welcome }) => welcome.you.role), ['participant', 'host', 'participant']);
  for (const { welcome } of back) {
    assert.equal(welcome.session.code, session.code);
    assert.ok(welcome.state.epoch > before.epoch, 'what a home that is gone might still say is older');
    assert.equal(welcome.state.playing, true);
    assert.ok(Math.abs(positionOf(welcome.state) - positionOf(before)) < 1, JSON.stringify(welcome.state));
  }
  const queue = await back[0].next('queue');
  assert.deepEqual(queue.list.map(({ video }) => video), ['other']);
  back[1].send('pause');
  await back[0].next('state', ({ playing }) => !playing);
  back[0].send('play');
  assert.equal((await back[0].next('error')).code, 'not_host', 'rights are as they were');
  const { key } = await (await fetch(`${kept.server.origin}/api/sessions/${session.code}/validate`)).json();
  assert.equal(key, session.key);
});

test('who was removed stays out: browsers are known as before', async (t) => {
  const kept = await keep(t);
  const [host, ann, session] = await openRoom(kept.server, 2, {});
  host.send('kick', { id: ann.id });
  assert.equal(await ann.closeCode(), 4004);
  await kept.restart();
  await join(kept.server, session.key, { resume: host.resume });
  const response = await fetch(`${kept.server.origin}/api/sessions/${session.key}`, { headers: { Cookie: ann.cookie } });
  assert.equal(response.status, 200);
  await assert.rejects(join(kept.server, session.key, { name: 'Ann' }, { headers: { Cookie: ann.cookie } }), /403/);
});

test('a session that has ended is over, and one that nobody has open waits', async (t) => {
  const kept = await keep(t);
  const ended = await createSession(kept.server);
  const waiting = await createSession(kept.server);
  const gone = await fetch(`${kept.server.origin}/api/sessions/${ended.key}`, { method: 'DELETE', headers: { Authorization: `Bearer ${ended.hostToken}` } });
  assert.equal(gone.status, 204);
  await kept.restart();
  const valid = async ({ key }) => (await (await fetch(`${kept.server.origin}/api/sessions/${key}/validate`)).json()).valid;
  assert.equal(await valid(ended), false);
  assert.equal(await valid(waiting), true);
  await kept.restart();
  assert.equal(await valid(waiting), true, 'and after another one');
  assert.equal((await join(kept.server, waiting.key, { host: waiting.hostToken })).welcome.you.role, 'host');
});

test('after a crash there is nothing, and nothing older comes back', async (t) => {
  const kept = await keep(t);
  const { key } = await createSession(kept.server);
  await kept.restart();
  await kept.restart('SIGKILL');
  assert.equal((await fetch(`${kept.server.origin}/api/sessions/${key}`)).status, 404);
});

test('a start that fails leaves the file to the next one', async (t) => {
  const kept = await keep(t);
  const { key } = await createSession(kept.server);
  const taken = await startServer({ args: ['--media', media.directory] });
  await kept.server.stop();
  await assert.rejects(startServer({ args: ['--media', media.directory, '--state', kept.stateFile], listen: new URL(taken.origin).host }), /in use/);
  await taken.stop();
  kept.server = await startServer({ args: ['--media', media.directory, '--state', kept.stateFile] });
  assert.equal((await fetch(`${kept.server.origin}/api/sessions/${key}`)).status, 200);
});

test('who cannot wait for the drain loses nothing: a second signal', async (t) => {
  const kept = await keep(t, '--drain', '60s');
  const [host, , session] = await openRoom(kept.server, 2, {});
  host.socket.pause(); // it does not answer the server's close
  process.kill(kept.server.pid, 'SIGTERM');
  await untilLogged(kept.server, /draining/);
  const { code } = await kept.restart();
  assert.equal(code, 143);
  assert.equal((await join(kept.server, session.key, { resume: host.resume })).id, host.id);
});

test('a damaged file is set aside, in words, and the server starts', async (t) => {
  const kept = await keep(t);
  await createSession(kept.server);
  await kept.server.stop();
  await writeFile(kept.stateFile, 'not what it was');
  kept.server = await startServer({ args: ['--media', media.directory, '--state', kept.stateFile] });
  await untilLogged(kept.server, /the sessions of before the restart cannot be read.*state\.damaged.*no file of sessions/);
  assert.deepEqual(await readdir(kept.folder.directory), ['state.damaged']);
});

test('films that hosts brought stay with their sessions', async (t) => {
  const uploads = await makeFolder();
  t.after(() => uploads.remove());
  const kept = await keep(t, '--uploads', uploads.directory);
  const host = await uploader(kept.server);
  await host.bring(patternBytes(50_000, 3), 'Brought.mp4');
  const other = await uploader(kept.server);
  await other.bring(patternBytes(50_000, 4), 'Ended.mp4');
  const films = async ({ key }) => (await (await fetch(`${kept.server.origin}/api/videos?session=${key}`)).json()).videos.map(({ title, id }) => title ?? id);
  await until(async () => (await films(host)).some((title) => /Brought/.test(title)), 'it is listed');
  await until(async () => (await films(other)).some((title) => /Ended/.test(title)), 'so is the other');
  const ended = await fetch(`${kept.server.origin}/api/sessions/${other.key}`, { method: 'DELETE', headers: { Authorization: `Bearer ${other.hostToken}` } });
  assert.equal(ended.status, 204);
  await kept.server.stop();
  // What lies there of a session that is no more, as after a crash.
  const nobodys = uploads.path('0123456789abcdef0123456789abcdef');
  await mkdir(nobodys);
  await writeFile(path.join(nobodys, 'Left.mp4'), 'left');
  kept.server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--state', kept.stateFile, '--uploads', uploads.directory] });
  await until(async () => (await films(host)).some((title) => /Brought/.test(title)), 'it is listed again');
  await until(async () => (await filesBelow(uploads.directory)).length === 1, 'what was nobody\'s is gone');
  assert.match((await filesBelow(uploads.directory))[0], /Brought\.mp4$/);
});

test('without --state a restart ends them', async () => {
  const args = ['--media', media.directory];
  const first = await startServer({ args });
  const { key } = await createSession(first);
  await first.stop();
  const second = await startServer({ args, listen: new URL(first.origin).host });
  assert.equal((await fetch(`${second.origin}/api/sessions/${key}`)).status, 404);
  await second.stop();
});
