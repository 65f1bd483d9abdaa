// The actors of the stress test: each does random things to a server until `world.isOver`.
//
// world: {server, media, sessions: [{key, hostToken}], videoBytes, seed, isOver, counts, waits}.
// waits: what each actor awaits of the server at the moment, for whoever finds one that never ends.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { resetSocket } from './reset_socket.mjs';

// One request on a connection of its own, so that none is left open. Resolves to {status, text}.
export function ask(origin, method, target, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(origin + target, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    request.on('error', reject);
    request.end();
  });
}

export async function createSession(server) {
  const { status, text } = await ask(server.origin, 'POST', '/api/sessions');
  assert.equal(status, 201, text);
  return JSON.parse(text);
}

export function connectRaw(server) {
  const socket = net.connect({ port: Number(new URL(server.origin).port), host: '127.0.0.1' });
  socket.on('error', () => {});
  return socket;
}

// A generator of its own for each actor, so that one's timing does not change another's choices.
function makeRandom(seed, actor) {
  let state = (seed * 10_000 + actor) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end) => Math.floor(next() * end);
  return { below, chance: (share) => next() < share, pick: (list) => list[below(list.length)] };
}

// --- Viewers -------------------------------------------------------------------------------------

function randomMessage(random, viewer, session) {
  const someone = viewer.others.length > 0 ? random.pick(viewer.others) : 'nobody';
  const message = random.pick([
    { type: 'play' },
    { type: 'pause', position: random.below(100) },
    { type: 'seek', position: random.below(100) },
    { type: 'rate', rate: 0.5 + random.below(3) / 2 },
    { type: 'load', video: random.pick(['one', 'two']) },
    { type: 'chat', text: 'x'.repeat(1 + random.below(500)) },
    { type: 'reaction', emoji: '👍' },
    { type: 'name', name: `viewer ${random.below(1_000)}` },
    { type: 'ping', id: 1, t1: 2 },
    { type: 'report', driftMs: random.below(100), rttMs: random.below(200), buffering: random.chance(0.3) },
    { type: 'claim', hostToken: session.hostToken },
    { type: 'give', to: someone },
    { type: 'settings', control: random.pick(['everyone', 'host']), onStall: random.pick(['wait', 'continue']) },
    { type: 'kick', id: someone },
    { type: 'nonsense' },
  ]);
  if (message.type === 'kick' && random.chance(0.5)) message.type = 'end';
  return random.chance(0.02) ? '{"type":' : JSON.stringify(message);
}

// {socket, opened: resolves to whether it did, closed: resolves to the code, others, resume}
export function connectViewer(server, session, query = '') {
  const socket = new WebSocket(`${server.wsOrigin}/ws?session=${session.key}${query}`);
  const viewer = { socket, others: [], resume: null };
  socket.on('error', () => {});
  socket.on('message', (text) => {
    const message = JSON.parse(text);
    if (message.type !== 'welcome') return;
    viewer.resume = message.you.resume;
    viewer.others = message.members.list.map(({ id }) => id);
  });
  viewer.opened = new Promise((resolve) => {
    socket.once('open', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
  viewer.closed = new Promise((resolve) => socket.once('close', resolve));
  return viewer;
}

// By any way out, also when the server is just closing the connection itself.
export function leave(random, { socket }) {
  const way = random.below(4);
  if (way === 0) socket.close(1000);
  if (way === 1 && socket._socket) resetSocket(socket._socket);
  if (way === 2) socket._socket?.end(); // half closed, without a Close frame
  socket.resume();
  if (way > 0) socket.terminate();
}

const describeSocket = ({ socket }) =>
  `ready state ${socket.readyState}, port ${socket._socket?.localPort}, paused ${socket.isPaused}`;

export async function visit(world, actor) {
  const random = makeRandom(world.seed, actor);
  let resume = null;
  await sleep(random.below(1_000));
  while (!world.isOver) {
    const session = random.pick(world.sessions);
    const query = resume !== null && random.chance(0.5) ? `&resume=${resume}` : `&name=v${actor}`;
    const viewer = connectViewer(world.server, session, query);
    if (random.chance(0.05)) viewer.socket.terminate(); // gone before the answer
    world.waits.set(actor, () => `its handshake's answer, ${describeSocket(viewer)}`);
    if (await viewer.opened) {
      world.waits.delete(actor);
      world.counts.joined += 1;
      if (random.chance(0.1)) viewer.socket.pause(); // does not read
      for (let left = random.below(8); left > 0 && !world.isOver; --left) {
        await sleep(100 + random.below(600));
        if (viewer.socket.readyState !== WebSocket.OPEN) break;
        viewer.socket.send(randomMessage(random, viewer, session));
      }
      resume = viewer.resume;
    }
    leave(random, viewer);
    world.waits.set(actor, () => `its end, ${describeSocket(viewer)}`);
    await viewer.closed;
    world.waits.delete(actor);
    await sleep(50 + random.below(200));
  }
}

// Ends sessions by request, some of which their hosts have ended before, and opens others.
export async function endSessions(world, actor) {
  const random = makeRandom(world.seed, actor);
  while (!world.isOver) {
    await sleep(300);
    const place = random.below(world.sessions.length);
    const { key, hostToken } = world.sessions[place];
    world.waits.set(actor, () => 'the end of a session and a new one');
    world.sessions[place] = await createSession(world.server);
    const { status } = await ask(world.server.origin, 'DELETE', `/api/sessions/${key}`,
      { authorization: `Bearer ${hostToken}` });
    assert.ok(status === 204 || status === 404, `DELETE answered ${status}`);
    world.waits.delete(actor);
    world.counts.ended += 1;
  }
}

// --- HTTP ----------------------------------------------------------------------------------------

function randomRequest(random, videoBytes) {
  const begin = random.below(videoBytes);
  const range = random.pick([
    `bytes=${begin}-`, `bytes=-${begin + 1}`, `bytes=0-99,${begin}-${begin + 999}`, `bytes=${begin}-${begin}`, 'nonsense',
  ]);
  const target = random.pick(['/api/video', '/api/video?id=two', '/api/video', '/api/videos', '/', '/nothing']);
  return `${random.chance(0.1) ? 'HEAD' : 'GET'} ${target} HTTP/1.1\r\nHost: here\r\nRange: ${range}\r\n\r\n`;
}

// Raw connections: a few requests in a row, some bytes of the answers, then any kind of end.
export async function download(world, actor) {
  const random = makeRandom(world.seed, actor);
  while (!world.isOver) {
    const socket = connectRaw(world.server);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const enough = random.below(world.videoBytes);
    let received = 0;
    socket.on('data', (bytes) => {
      received += bytes.length;
      if (received >= enough) resetSocket(socket);
    });
    for (let left = 1 + random.below(4); left > 0; --left) socket.write(randomRequest(random, world.videoBytes));
    if (random.chance(0.1)) socket.write(randomBytes(200)); // no HTTP at all
    if (random.chance(0.2)) socket.pause();
    await Promise.race([closed, sleep(50 + random.below(500))]);
    if (random.chance(0.5)) resetSocket(socket);
    socket.destroy();
    await closed;
    world.counts.downloads += 1;
  }
}

// The library changes and is scanned again while its files are being sent.
export async function rescan(world) {
  const extra = path.join(world.media, 'three.mp4');
  for (let round = 0; !world.isOver; ++round) {
    await sleep(400);
    if (round % 2 === 0) await writeFile(extra, randomBytes(1_000 + round));
    else await rm(extra);
    process.kill(world.server.pid, 'SIGHUP');
    assert.equal((await ask(world.server.adminOrigin, 'GET', '/metrics')).status, 200);
    world.counts.rescans += 1;
  }
}
