// Everything at once, for a while: viewers who come, talk and vanish, downloads that are reset,
// sessions that end, rescans; then a drain. Afterwards nothing may be left: no descriptor, no report
// of a sanitizer, and the server ends with 0. Most telling with the binaries of `make asan` and
// `make tsan`. VIDEOSYNC_STRESS_SEED repeats the choices of a run, as far as timing lets it.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { closePayload, frame, opcode } from '../support/raw_websocket.mjs';
import { startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';
import {
  connectRaw, connectViewer, createSession, download, endSessions, leave, rescan, visit,
} from '../support/storm.mjs';

const STORM_MS = 12_000; // and on, on a slow machine, until all has happened often enough
const OFTEN = 5;
const VIEWERS = 200;
const SESSIONS = 12;
const DOWNLOADERS = 8;
const SETTLE_MS = 20_000;
const LEAVE_MS = 60_000; // for the last actor to go: twice what a client waits for a Close

const seed = Number(process.env.VIDEOSYNC_STRESS_SEED ?? Date.now() % 100_000);
const world = {
  seed,
  videoBytes: 6 * 1024 * 1024,
  isOver: false,
  counts: { joined: 0, ended: 0, downloads: 0, rescans: 0 },
  waits: new Map(),
};
let server;

before(async () => {
  world.media = await mkdtemp(path.join(tmpdir(), 'videosync-stress-'));
  for (const name of ['one', 'two']) {
    await writeFile(path.join(world.media, `${name}.mp4`), randomBytes(world.videoBytes));
  }
  server = await startServer({
    args: ['--media', world.media, '--workers', '4', '--session-rate', '0', '--max-per-address', '5000',
      '--drain', '3s', '--log-level', 'warn'],
  });
  world.server = server;
  world.sessions = await Promise.all(Array.from({ length: SESSIONS }, () => createSession(server)));
});

after(async () => {
  world.isOver = true;
  await server?.stop();
  await rm(world.media, { recursive: true, force: true });
});

// What the server's descriptors are, one text each; without the pipes, which it keeps to use again.
async function openDescriptors() {
  const folder = `/proc/${server.pid}/fd`;
  const names = await readdir(folder);
  const targets = await Promise.all(names.map((name) => readlink(path.join(folder, name)).catch(() => null)));
  return targets.filter((target) => target !== null && !target.startsWith('pipe:'));
}

const hasRaged = () => Object.values(world.counts).every((count) => count >= OFTEN);

async function storm() {
  const actors = [endSessions(world, 1_001), rescan(world)];
  for (let i = 0; i < VIEWERS; ++i) actors.push(visit(world, i));
  for (let i = 0; i < DOWNLOADERS; ++i) actors.push(download(world, 2_000 + i));
  const ended = server.exited.then(({ code, signal }) => {
    throw new Error(`the server ended in the middle (${signal ?? code})\n${server.stderr()}`);
  });
  try {
    await Promise.race([sleep(STORM_MS).then(() => until(hasRaged, () => JSON.stringify(world.counts), SETTLE_MS)), ended, Promise.all(actors)]);
  } finally {
    ended.catch(() => {});
    world.isOver = true;
  }
  const late = sleep(LEAVE_MS, null, { ref: false }).then(() => {
    const waits = [...world.waits].map(([actor, what]) => `${actor} waits for ${what()}`);
    throw new Error(`not all have gone: ${waits.join('; ')}`);
  });
  await Promise.race([Promise.all(actors), late]);
}

// The library's files are opened by the last scan, with or without the third: one more at most.
async function assertDescriptorsBackAt(base) {
  const deadline = Date.now() + SETTLE_MS;
  let now = await openDescriptors();
  while (now.length > base.length + 1 && Date.now() < deadline) {
    await sleep(250);
    now = await openDescriptors();
  }
  assert.ok(now.length <= base.length + 1, `open: ${now.join(' ')}; before: ${base.join(' ')}`);
}

// Answers each handshake, and takes leave in the same bytes, as a slow client may read them.
async function startClosingServer() {
  const stub = http.createServer().on('upgrade', ({ headers }, socket) => {
    const proof = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    socket.on('error', () => {}).on('end', () => socket.end()).resume();
    socket.write(Buffer.concat([
      Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + `Sec-WebSocket-Accept: ${proof.digest('base64')}\r\n\r\n`),
      frame(opcode.close, closePayload(4001), { masked: false }),
    ]));
  });
  await once(stub.listen(0, '127.0.0.1'), 'listening');
  return stub;
}

test('a viewer whom the server is just closing goes as well, each way', { timeout: 20_000 }, async () => {
  const stub = await startClosingServer();
  const wsOrigin = `ws://127.0.0.1:${stub.address().port}`;
  for (const way of [0, 1, 2, 3]) {
    const viewer = connectViewer({ wsOrigin }, { key: 'any' });
    assert.ok(await viewer.opened);
    leave({ below: () => way }, viewer);
    assert.equal(await viewer.closed, 4001, `way ${way}`);
  }
  stub.close();
  await once(stub, 'close');
});

test(`a storm leaves nothing behind (seed ${seed})`, { timeout: 150_000 }, async (t) => {
  const base = await openDescriptors();
  await storm();
  t.diagnostic(JSON.stringify(world.counts));
  for (const [what, count] of Object.entries(world.counts)) assert.ok(count >= OFTEN, `only ${count} ${what}`);
  await assertDescriptorsBackAt(base);
});

test('a drain amid viewers and downloads ends with 0 and without complaint', { timeout: 60_000 }, async () => {
  const viewers = Array.from({ length: 50 }, (_, i) => connectViewer(server, world.sessions[i % SESSIONS]));
  const opened = await Promise.all(viewers.map((viewer) => viewer.opened));
  const joined = viewers.filter((_, i) => opened[i]); // not those whose session a host had ended
  assert.ok(joined.length > 0);
  const downloads = Array.from({ length: 4 }, () => connectRaw(server).pause());
  for (const socket of downloads) socket.write('GET /api/video HTTP/1.1\r\nHost: here\r\n\r\n');
  await sleep(300);
  process.kill(server.pid, 'SIGTERM');
  process.kill(server.pid, 'SIGHUP');
  const codes = await Promise.all(joined.map(({ closed }) => closed));
  assert.deepEqual([...new Set(codes)], [1001]);
  const end = await server.exited;
  assert.doesNotMatch(server.stderr(), /Sanitizer|runtime error|assertion failed/);
  assert.deepEqual(end, { code: 0, signal: null }, server.stderr());
  for (const socket of downloads) socket.destroy();
});
