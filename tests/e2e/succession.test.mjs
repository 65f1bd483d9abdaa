// A new program takes over from the running one (SIGUSR2): nobody loses who they are, what was said, or a
// connection that was being made.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import test, { after, before } from 'node:test';
import { makeFolder, patternBytes } from '../support/files.mjs';
import { createSession, join, openRoom, refusal } from '../support/member.mjs';
import { makeOwnClock } from '../support/own_clock.mjs';
import { signal } from '../support/process.mjs';
import { startRedis } from '../support/redis.mjs';
import { startServer } from '../support/server.mjs';
import { startSupervisor } from '../support/supervisor.mjs';
import { uploader } from '../support/tus.mjs';
import { until, untilLogged } from '../support/until.mjs';

const LONG_FILM = 8_000_000;

let media;
before(async () => {
  media = await makeFolder({ 'film.mp4': patternBytes(2_000, 1), 'long.mp4': patternBytes(LONG_FILM, 2), 'other.mp4': patternBytes(2_000, 3) });
});
after(() => media?.remove());

async function start(t, { args = [], ...more } = {}) {
  const server = await startServer({ args: ['--media', media.directory, '--session-rate', '0', '--workers', '2', ...args], ...more });
  t.after(() => server.stop());
  return server;
}

// A file of settings, for --config: {path, set(text)}.
async function settingsFile(t) {
  const folder = await makeFolder();
  t.after(() => folder.remove());
  const file = folder.path('settings');
  const set = (text) => writeFile(file, `${text}\n`);
  await set('');
  return { folder, path: file, set };
}

const servingPid = (server) => server.successors().at(-1) ?? server.pid;
// Resolves when another process serves.
async function succeed(server) {
  const before = server.successors().length;
  process.kill(servingPid(server), 'SIGUSR2');
  await until(() => server.successors().length > before, () => `a new program serves:\n${server.stderr()}`);
}
const isGone = (pid) => !signal(pid, 0);
const positionOf = (state) => state.position + (state.playing ? ((Date.now() - state.atMs) / 1_000) * state.rate : 0);

test('members are who they were, the film goes on, what was said and planned is there', async (t) => {
  const server = await start(t);
  const [host, ann, ben, session] = await openRoom(server, 3, { control: 'host' });
  host.send('enqueue', { video: 'other' });
  await ann.next('queue', ({ list }) => list.length === 1);
  ann.send('chat', { text: 'Do you see it?' });
  await ben.next('chat');
  host.send('seek', { position: 100 });
  host.send('play');
  const before = await ann.next('state', ({ playing }) => playing);
  await succeed(server);

  const members = [host, ann, ben];
  for (const member of members) {
    const notice = await member.next('notice', ({ code }) => code === 'draining');
    assert.ok(notice.retryAfterMs <= 100, `so few come back at once: ${notice.retryAfterMs}`);
    assert.equal((await member.closed).code, 1001);
  }
  const back = await Promise.all(members.map(({ resume }) => join(server, session.key, { resume, held: `${before.epoch}.${before.seq}` })));
  assert.deepEqual(back.map(({ id }) => id), members.map(({ id }) => id));
  assert.deepEqual(back.map(({ welcome }) => welcome.you.role), ['host', 'participant', 'participant']);
  for (const { welcome } of back) {
    assert.ok(welcome.state.epoch > before.epoch);
    assert.equal(welcome.state.playing, true);
    assert.ok(Math.abs(positionOf(welcome.state) - positionOf(before)) < 1, JSON.stringify(welcome.state));
  }
  assert.deepEqual(back.map(({ welcome }) => welcome.you.name), ['p0', 'p1', 'p2'], 'nobody has to say it again');
  const late = await join(server, session.key);
  assert.deepEqual((await late.next('queue')).list.map(({ video }) => video), ['other']);
  assert.deepEqual((await late.next('history')).list.map(({ name, text }) => `${name}: ${text}`), ['p1: Do you see it?']);
  back[1].send('pause');
  assert.equal((await back[1].next('error')).code, 'not_host', 'rights are as they were');
  back[0].send('pause');
  await late.next('state', ({ playing }) => !playing);
});

test('no connection is refused or lost meanwhile', async (t) => {
  const server = await start(t);
  const { key } = await createSession(server);
  const answers = [];
  let isOver = false;
  const ask = async () => {
    while (!isOver) {
      const status = await new Promise((resolve, reject) => {
        const request = http.get(`${server.origin}/api/sessions/${key}/validate`, { agent: false, headers: { Connection: 'close' } }, (response) => {
          let text = '';
          response.on('data', (part) => (text += part)).on('end', () => resolve(`${response.statusCode} ${text}`));
        });
        request.on('error', reject);
      });
      answers.push(status);
    }
  };
  const askers = Array.from({ length: 8 }, ask);
  for (let time = 1; time <= 3; time += 1) {
    await until(() => answers.length > 200 * time, 'it is asked');
    await succeed(server);
  }
  isOver = true;
  await Promise.all(askers);
  const wrong = answers.filter((answer) => !answer.startsWith('200 ') && !answer.startsWith('503 '));
  assert.deepEqual(wrong, []);
  // A request that was read before the sessions went, and not yet answered.
  assert.ok(answers.filter((answer) => answer.startsWith('503 ')).length <= 3 * askers.length);
  assert.ok(answers.at(-1).includes('"valid":true'));
});

test('who is being sent a film gets the rest of it from the old program', async (t) => {
  const server = await start(t);
  const response = await new Promise((resolve) => http.get(`${server.origin}/api/video?id=long`, { agent: false }, resolve));
  assert.equal(response.statusCode, 200);
  const { pid } = server;
  await succeed(server);
  let bytes = 0;
  for await (const part of response) bytes += part.length;
  assert.equal(bytes, LONG_FILM);
  await until(() => isGone(pid), 'then it ends');
  assert.equal((await fetch(`${server.origin}/api/video?id=film`)).status, 200);
});

test('again and again, with other settings each time, on the same addresses', async (t) => {
  const settings = await settingsFile(t);
  const socket = settings.folder.path('socket');
  const set = (workers) => settings.set(`workers = ${workers}`);
  await set(1);
  const server = await startServer({ args: ['--config', settings.path, '--media', media.directory, '--listen', `unix:${socket}`] });
  t.after(() => server.stop());
  let [host, session] = await openRoom(server, 1, {});
  for (const workers of [3, 1, 2]) {
    await set(workers);
    await succeed(server);
    await host.closed;
    const again = await join(server, session.key, { resume: host.resume });
    assert.equal(again.id, host.id);
    assert.equal(again.welcome.you.role, 'host');
    host = again;
    const metrics = await (await fetch(`${server.adminOrigin}/metrics`)).text();
    assert.match(metrics, /videosync_sessions 1\n/);
    const overSocket = await new Promise((resolve, reject) => http.get({ socketPath: socket, path: `/api/sessions/${session.key}` }, resolve).on('error', reject));
    overSocket.resume();
    assert.equal(overSocket.statusCode, 200);
  }
  await until(() => [server.pid, ...server.successors().slice(0, -1)].every(isGone), 'those before have ended');
  assert.ok(existsSync(socket));
});

test('a new program that does not start changes nothing, and the log says why', async (t) => {
  const settings = await settingsFile(t);
  const server = await start(t, { args: ['--config', settings.path] });
  const [host, ann] = await openRoom(server, 2, {});
  await settings.set('drain = "never"');
  process.kill(server.pid, 'SIGUSR2');
  await untilLogged(server, /no new program has taken over: this one goes on.*it ended with status 1/);
  await untilLogged(server, /drain.*never/);
  host.send('play');
  await ann.next('state', ({ playing }) => playing);
  await settings.set('');
  await succeed(server);
  assert.equal((await ann.closed).code, 1001);
});

test('the state file is the last one\'s alone', async (t) => {
  const folder = await makeFolder();
  t.after(() => folder.remove());
  const args = ['--media', media.directory, '--state', folder.path('state')];
  const server = await startServer({ args });
  const { key } = await createSession(server);
  await succeed(server);
  await until(() => isGone(server.pid), 'the first has ended');
  assert.deepEqual(await readdir(folder.directory), []);
  await server.stop();
  assert.deepEqual(await readdir(folder.directory), ['state']);
  const next = await start(t, { args: args.slice(2) });
  assert.equal((await fetch(`${next.origin}/api/sessions/${key}`)).status, 200);
});

test('a supervisor is told whom to watch, and that one feeds it', async (t) => {
  const supervisor = await startSupervisor(`@videosync-succession-${process.pid}`);
  t.after(() => supervisor.stop());
  const server = await start(t, { env: { ...supervisor.env, WATCHDOG_USEC: '1000000' } });
  await supervisor.untilTold(/READY=1/);
  await succeed(server);
  await supervisor.untilTold(/^RELOADING=1\|MONOTONIC_USEC=\d+/);
  const told = `MAINPID=${server.successors()[0]}|READY=1`;
  await supervisor.untilTold(new RegExp(`^${told.replace('|', '\\|')}`));
  const since = supervisor.told().findIndex((line) => line.startsWith(told));
  await until(() => supervisor.told().slice(since + 1).filter((line) => line.startsWith('WATCHDOG=1')).length > 2, 'it is fed');
  assert.ok(!supervisor.told().some((line) => /STOPPING/.test(line)), 'nothing stops');
  await until(() => isGone(server.pid), 'the first has ended');
});

test('told to end while the new one starts, it ends, and the new one with it', async (t) => {
  const server = await start(t);
  process.kill(server.pid, 'SIGUSR2');
  process.kill(server.pid, 'SIGTERM');
  const { code } = await server.exited;
  assert.equal(code, 0);
});

test('a film that a host is bringing is brought to the end', async (t) => {
  const uploads = await makeFolder();
  t.after(() => uploads.remove());
  const server = await start(t, { args: ['--uploads', uploads.directory] });
  const host = await uploader(server);
  const bytes = patternBytes(400_000, 5);
  await host.bring(patternBytes(50_000, 4), 'Before.mp4');
  const upload = await host.begin(bytes.length, 'Film.mp4');
  await host.patch(upload, 0, bytes.subarray(0, 150_000));
  await succeed(server);
  assert.equal(await host.offset(upload), 150_000);
  await host.patch(upload, 150_000, bytes.subarray(150_000));
  const titles = async () => (await (await fetch(`${server.origin}/api/videos?session=${host.key}`)).json()).videos.map(({ title }) => title);
  await until(async () => ['Before', 'Film'].every((name) => titles().then((all) => all.includes(name))), 'both are there');
});

test('with Redis the new program is another node', async (t) => {
  const redis = await startRedis();
  const server = await start(t, { args: ['--redis', redis.url, '--redis-required'] });
  t.after(() => redis.stop()); // after the server, that would wait for it
  const [host, ann, session] = await openRoom(server, 2, {});
  host.send('play');
  const before = await ann.next('state', ({ playing }) => playing);
  await succeed(server);
  assert.equal((await ann.closed).code, 1001);
  const again = await join(server, session.key, { resume: ann.resume, held: `${before.epoch}.${before.seq}` });
  assert.equal(again.id, ann.id);
  assert.equal(again.welcome.state.playing, true);
  await until(() => isGone(server.pid), 'the first has ended');
});

test('settings with which sessions would end are refused', async (t) => {
  const settings = await settingsFile(t);
  const server = await start(t, { args: ['--config', settings.path] });
  const { key } = await createSession(server);
  await createSession(server);
  for (const [text, words] of [['max-sessions = 1', /--max-sessions 1 leaves no room for its 2 sessions/], ['redis = "redis://127.0.0.1:1"', /2 sessions are in no Redis and would end/]]) {
    await settings.set(text);
    const before = server.stderr().length;
    process.kill(server.pid, 'SIGUSR2');
    await until(() => /no new program has taken over/.test(server.stderr().slice(before)), () => `${text}: ${server.stderr()}`);
    await untilLogged(server, words);
  }
  assert.equal((await fetch(`${server.origin}/api/sessions/${key}`)).status, 200);
});

test('who was removed stays out of a locked room', async (t) => {
  const server = await start(t);
  const [host, ann, session] = await openRoom(server, 2, {});
  host.send('settings', { door: 'locked' });
  await ann.next('settings', ({ door }) => door === 'locked');
  host.send('kick', { id: ann.id });
  assert.equal((await ann.closed).code, 4004);
  await succeed(server);
  await host.closed;
  assert.equal((await join(server, session.key, { resume: host.resume })).id, host.id);
  assert.equal((await refusal(server, { session: session.key, resume: ann.resume })).status, 403);
});

test('the machine\'s clock may be set: films stay where they are', { skip: process.env.VIDEOSYNC_SANITIZE ? 'a sanitizer is to be loaded before all else' : false }, async (t) => {
  const clock = await makeOwnClock();
  t.after(() => clock.remove());
  const server = await start(t, { env: clock.env });
  const [host, session] = await openRoom(server, 1, {});
  host.send('play');
  const { atMs } = await host.next('state', ({ playing }) => playing);
  await clock.set(3_600_000);
  await succeed(server);
  await host.closed;
  const { welcome } = await join(server, session.key, { resume: host.resume });
  assert.ok(welcome.state.playing);
  assert.ok(welcome.serverTimeMs - atMs < 60_000, `${welcome.serverTimeMs - atMs} ms have passed`);
});

test('a descriptor that somebody has left in the environment is none', async (t) => {
  for (const VIDEOSYNC_PREDECESSOR_FD of ['2', '3', 'x']) {
    const server = await start(t, { env: { VIDEOSYNC_PREDECESSOR_FD } });
    await untilLogged(server, /names a predecessor that is none: this is an ordinary start/);
    await server.stop();
  }
});
