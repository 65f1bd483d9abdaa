// What is done to the server of a soak from the process that judges it: hosts who steer, sessions that come and go, a library
// that changes, a Redis that is killed.
import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSession, join } from '../../tests/support/member.mjs';
import { until } from '../../tests/support/until.mjs';
import { Viewer } from './viewer.mjs';

const COMMAND_MS = 4_000; // of one host, on average
const ANSWER_MS = 8_000; // a command is carried out, or refused within 6 s
const GUESTS = 5;
const CHAT = 0.1; // of commands
const LISTED_MS = 15_000;
const ENDS_MS = 40_000; // Redis is away for up to half of that

const below = (end) => Math.floor(Math.random() * end);

// A host steers while `world.isStorm()`. Each seek has to come back to it, or its refusal.
export class Host {
  #viewer;
  #world;
  #seeks = new Map(); // positions that are on their way: when they left
  #position = 0;

  constructor(world, { key, hostToken }) {
    this.#world = world;
    this.#viewer = new Viewer({ ...world, isCalm: () => true }, key, { host: hostToken, name: 'Host' });
    this.#viewer.listen((message) => this.#onAnswer(message));
  }

  get key() {
    return this.#viewer.key;
  }

  get isIn() {
    return this.#viewer.phase === 'in';
  }

  get digest() {
    return this.#viewer.digest;
  }

  // Nothing that it said is without an answer.
  get isHeard() {
    return this.#seeks.size === 0;
  }

  // Its turn of the loop that all hosts share.
  act(nowMs, everyMs) {
    if (this.#viewer.phase === 'out' && nowMs >= this.#viewer.mayJoinAtMs) this.#viewer.connect();
    this.#viewer.report(nowMs, Math.random);
    for (const [position, sentMs] of this.#seeks) {
      if (nowMs - sentMs < ANSWER_MS) continue;
      this.#seeks.delete(position);
      this.#world.onFault(`a seek of ${this.key.slice(0, 8)} was neither carried out nor refused in ${ANSWER_MS} ms`);
    }
    if (this.isIn && this.#world.isStorm() && Math.random() < everyMs / COMMAND_MS) this.#command(nowMs);
  }

  leave() {
    this.#viewer.leave(Infinity);
  }

  #command(nowMs) {
    const way = Math.random();
    this.#world.count('commands');
    if (Math.random() < CHAT) this.#viewer.send('chat', { text: 'x'.repeat(1 + below(200)) });
    if (way < 0.15) this.#viewer.send('rate', { rate: 0.5 + below(4) / 2 });
    else if (way < 0.35) this.#viewer.send('play');
    else if (way < 0.5) this.#viewer.send('pause');
    else this.#seek(nowMs);
  }

  #seek(nowMs) {
    this.#position += 1;
    this.#seeks.set(this.#position, nowMs);
    this.#viewer.send('seek', { position: this.#position });
    this.#world.count('seeks');
  }

  // States come in the order of what was said.
  #onAnswer(message) {
    if (message.type === 'state' && message.cause === 'seek') this.#seeks.delete(message.position);
    if (message.type !== 'error') return;
    this.#world.count(`refused: ${message.code}`);
    if (message.code !== 'unavailable') this.#world.onFault(`a command of a host was refused: ${message.code}`);
    if (message.re === 'seek') this.#seeks.delete(this.#seeks.keys().next().value);
  }
}

// Until it is gone: what is refused while Redis is away has to be said again.
export function endSession(origin, { key, hostToken }) {
  const isGone = async () => {
    const { status } = await fetch(`${origin}/api/sessions/${key}`, { method: 'DELETE', headers: { Authorization: `Bearer ${hostToken}` } });
    if (status !== 204 && status !== 404 && status !== 503) throw new Error(`the end of a session was answered with ${status}`);
    return status !== 503;
  };
  return until(isGone, 'a session ends', ENDS_MS);
}

// A session with some guests, that its host ends or deletes: all hear of it, and it is gone.
export async function shortSession(server) {
  const session = await createSession(server, { video: 'film' });
  try {
    await useAndEnd(server, session);
  } finally {
    await endSession(server.origin, session);
  }
}

async function useAndEnd(server, { key, hostToken }) {
  const members = [];
  for (let i = 0; i < GUESTS; i += 1) members.push(await join(server, key, i === 0 ? { host: hostToken } : {}));
  members[0].send('seek', { position: 7 });
  await Promise.all(members.map((member) => member.next('state', ({ position }) => position === 7)));
  if (Math.random() < 0.5) members[0].send('end');
  else await endSession(server.origin, { key, hostToken });
  const codes = await Promise.all(members.map((member) => member.closeCode()));
  if (codes.some((code) => code !== 4001)) throw new Error(`the members of a session that was ended were closed with ${codes}`);
  const { status } = await fetch(`${server.origin}/api/sessions/${key}`);
  if (status !== 404) throw new Error(`a session that was ended is answered with ${status}`);
}

// A film comes or goes, and SIGHUP says so.
export async function changeLibrary(server, library, round) {
  const isThere = round % 2 === 0;
  if (isThere) await writeFile(library.path('extra.mp4'), 'x'.repeat(1_000 + round));
  else await rm(library.path('extra.mp4'));
  process.kill(server.pid, 'SIGHUP');
  const lists = async () => (await (await fetch(`${server.origin}/api/videos`)).json()).videos.some(({ id }) => id === 'extra');
  await until(async () => (await lists()) === isThere, `the list ${isThere ? 'has' : 'has no more'} a film that ${isThere ? 'came' : 'went'}`, LISTED_MS);
}

// Killed, away for a while, and back with what it had. Resolves when the server is ready again.
export async function restartRedis(server, redis, awayMs) {
  await redis.kill();
  await sleep(awayMs);
  await redis.start();
  const isReady = async () => (await fetch(`${server.adminOrigin}/readyz`)).status === 200;
  await until(isReady, 'the server is ready with the Redis that is back', 15_000);
}
