// Everything at once for an hour, and nothing may grow or be lost: `make soak`, --help for its options. README.md says what
// is done and how it is judged.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeFolder } from '../../tests/support/files.mjs';
import { createSession } from '../../tests/support/member.mjs';
import { readMetric } from '../../tests/support/metrics.mjs';
import { startRedis } from '../../tests/support/redis.mjs';
import { projectRoot, startServer } from '../../tests/support/server.mjs';
import { until } from '../../tests/support/until.mjs';
import { Host, changeLibrary, endSession, restartRedis, shortSession } from './acts.mjs';
import { makeLibrary } from './films.mjs';
import { disagreements, digestOf } from './held_state.mjs';
import { judge, judgeFigures, warmUpMs } from './judge.mjs';
import { startProcess } from './processes.mjs';
import { progressLine, summaryText } from './report.mjs';
import { bytesBelow, childrenOf, processorS, socketsOf, startSampler } from './sampler.mjs';
import { StoreWatch } from './store_watch.mjs';

// What can be had alone, and what has to have happened then.
const PARTS = {
  churn: ['left', 'lost'],
  commands: ['seeks'],
  sessions: ['short sessions'],
  downloads: ['downloads'],
  uploads: ['uploads'],
  forms: ['copies', 'transcodes'],
  library: ['sighups'],
  redis: ['redis restarts'],
};

const HELP = `A server and its Redis under everything at once; nothing may grow or be lost (VIDEOSYNC_BINARY names the server).

  --minutes N     how long, 3 to try it (60)
  --viewers N     how many watch (5000)
  --churn N       of them come, go, break off or rest each second (50)
  --processes N   that are viewers (3)
  --workers N     of the server (2)
  --only NAMES    some of ${Object.keys(PARTS).join(', ')}, by commas: to find out what it is that
                  grows (all of them)
  --pace N        all but viewers so many times as often (1)
  --results DIR   where samples.json goes (build/soak)
  --help

Exit status: 0 all is flat and nothing was lost, 1 not so, 2 it could not be run.`;

const CACHE_MIB = 8;
const CACHE_BEYOND = 9 / 8; // what is being played may take so much more for a while
// How large the sessions are, of all viewers: one that is large, some, and many that are small.
const SHARES = [0.4, ...Array(3).fill(0.1), ...Array(15).fill(0.02)];
// Those of sessions that have ended are kept for ten minutes, with this field alone.
const LIVING_KEYS = "local n = 0 for _, key in ipairs(redis.call('KEYS', '*')) do "
  + "if redis.call('TYPE', key).ok ~= 'hash' or redis.call('HEXISTS', key, 'removed') == 0 then n = n + 1 end end return n";
const OWN_KEYS = 2; // the clock and the secret that all nodes have
const CONNECTIONS_BESIDE = 60; // of downloads, uploads, forms, sessions that come and go
const AGREE_MS = 5_000;
const SETTLE_MS = 60_000;
const HOST_TICK_MS = 200;
const REQUIRED = ['joins', 'quiet points'];

function readArguments() {
  const names = { minutes: 60, viewers: 5_000, churn: 50, processes: 3, workers: 2, pace: 1 };
  const options = Object.fromEntries(Object.keys(names).map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ options: { ...options, only: { type: 'string', default: Object.keys(PARTS).join() }, results: { type: 'string', default: path.join(projectRoot, 'build/soak') }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const numbers = Object.entries(names).map(([name, value]) => [name, Number(values[name] ?? value)]);
  for (const [name, value] of numbers) {
    if (!(value > 0) || (name !== 'minutes' && !Number.isInteger(value))) throw new Error(`--${name} wants a ${name === 'minutes' ? '' : 'whole '}number above 0`);
  }
  const parts = values.only.split(',');
  const unknown = parts.find((name) => !PARTS[name]);
  if (unknown !== undefined) throw new Error(`--only: there is no "${unknown}"`);
  return { ...Object.fromEntries(numbers), parts, results: values.results };
}

// How often what happens: an hour leaves Redis in peace for longer than three minutes can.
function rhythmOf({ minutes, pace }) {
  const isShort = minutes < 20;
  const cycleMs = Math.min(isShort ? 40_000 : 120_000, minutes * 20_000) / pace;
  return { cycleMs, restartEvery: isShort ? 1 : 2, sighupMs: isShort ? 10_000 : 30_000, awayMaxMs: (isShort ? 4_000 : 20_000) / pace };
}

class Soak {
  #options;
  #totalMs;
  #rhythm;
  #store = new StoreWatch();
  #counts = {};
  #faults = [];
  #present = new Map(); // by process
  #crowds = [];
  #hosts = [];
  #isStorm = true;
  #ending = new AbortController(); // of the storm: by a signal, or where the server has gone
  #over = new AbortController(); // of all that goes on by itself
  #loops = [];

  constructor(options) {
    this.#options = options;
    this.#totalMs = options.minutes * 60_000;
    this.#rhythm = rhythmOf(options);
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => this.#ending.abort());
  }

  // Resolves to the verdict. What was started is ended, whatever happens.
  async run() {
    this.library = await makeLibrary();
    this.cache = await makeFolder();
    this.uploads = await makeFolder();
    try {
      this.redis = await startRedis();
      this.server = await startServer({
        args: ['--media', this.library.directory, '--uploads', this.uploads.directory, '--redis', this.redis.url, '--workers', String(this.#options.workers), '--session-rate', '0',
          '--max-per-address', '0', '--cache-size', `${CACHE_MIB}MiB`, '--transcodes', '1', '--drain', '5s', '--log-level', 'warn'],
        env: { VIDEOSYNC_CACHE: this.cache.directory },
      });
      return await this.#soak();
    } finally {
      this.#over.abort();
      await Promise.all([...this.#crowds, this.traffic].map((one) => one?.end()));
      await this.server?.stop();
      await this.redis?.stop();
      await Promise.all([this.library, this.cache, this.uploads].map((folder) => folder.remove()));
    }
  }

  async #soak() {
    await until(async () => (await fetch(`${this.server.adminOrigin}/readyz`)).status === 200, 'the server is ready');
    const sockets = socketsOf(this.server.pid);
    const sessions = [];
    for (let i = 0; i < SHARES.length; i += 1) sessions.push(await createSession(this.server, { video: 'film', onStall: i % 2 ? 'wait' : 'continue' }));
    this.begunMs = performance.now();
    this.sampler = startSampler({ pid: this.server.pid, cache: this.cache.directory, connectionsOf: () => readMetric(this.server, 'connections'), redisKeys: () => this.#redisKeys(), begunMs: this.begunMs, onGone: (error) => this.#end(`the server has gone: ${error.message}`) });
    const reporting = setInterval(() => this.#progress(), 60_000);
    try {
      await this.#begin(sessions);
      await this.#conduct();
      this.sampler.stop();
      return await this.#conclude(sessions, sockets);
    } finally {
      clearInterval(reporting);
      this.sampler.stop();
    }
  }

  async #begin(sessions) {
    const world = { wsOrigin: this.server.wsOrigin, onFault: (text) => this.#fault(text), count: (name) => this.#count(name), isStorm: () => this.#isStorm && this.#has('commands') };
    this.#hosts = sessions.map((session) => new Host(world, session));
    const steering = setInterval(() => (this.#over.signal.aborted ? clearInterval(steering) : this.#hosts.forEach((host) => host.act(performance.now(), HOST_TICK_MS))), HOST_TICK_MS);
    await until(() => this.#hosts.every(({ isIn }) => isIn), 'the hosts are in');
    const { viewers, processes, churn } = this.#options;
    const seats = Array.from({ length: viewers }, (_, i) => seatOf((i + 0.5) / viewers, sessions).key);
    for (let i = 0; i < processes; i += 1) {
      const crowd = await startProcess('crowd', (told) => this.#onTold(i, told));
      crowd.tell('begin', { wsOrigin: this.server.wsOrigin, seats: seats.filter((_, place) => place % processes === i), joinsPerS: Math.ceil(400 / processes), churnPerS: this.#has('churn') ? churn / processes : 0 });
      this.#crowds.push(crowd);
    }
    this.traffic = await startProcess('traffic', (told) => this.#onTold('traffic', told));
    this.traffic.tell('begin', { origin: this.server.origin, downloaders: 4, parts: this.#options.parts, pace: this.#options.pace });
    if (this.#has('sessions')) this.#loops.push(this.#loop('short sessions', 1_000, () => shortSession(this.server)));
    if (this.#has('library')) this.#loops.push(this.#loop('sighups', this.#rhythm.sighupMs, (round) => changeLibrary(this.server, this.library, round)));
  }

  #has(part) {
    return this.#options.parts.includes(part);
  }

  // Storms, in the middle of some of which Redis is killed, and a quiet point after each.
  async #conduct() {
    const { cycleMs, restartEvery, awayMaxMs } = this.#rhythm;
    for (let cycle = 0; !this.#hasEnded(); cycle += 1) {
      await this.#rest(cycleMs / 2);
      if (this.#has('redis') && cycle % restartEvery === 0 && !this.#hasEnded()) await this.#restartRedis(500 + Math.random() * awayMaxMs);
      await this.#rest(cycleMs / 2);
      await this.#quietPoint();
    }
  }

  #hasEnded() {
    return this.#ending.signal.aborted || performance.now() - this.begunMs >= this.#totalMs;
  }

  async #rest(ms) {
    const leftMs = this.begunMs + this.#totalMs - performance.now();
    await sleep(Math.max(0, Math.min(ms, leftMs)), null, { signal: this.#ending.signal }).catch(() => {});
  }

  async #restartRedis(awayMs) {
    this.#store.onAway();
    this.traffic.tell('away');
    await this.#tried('Redis that was killed', () => restartRedis(this.server, this.redis, awayMs));
    this.#store.onBack();
    this.traffic.tell('back');
    this.#count('redis restarts');
  }

  // Nobody says or does anything, all are in: now each viewer holds what its session has.
  async #quietPoint() {
    this.#isStorm = false;
    await this.#tried('a quiet point', async () => {
      const settled = Promise.all(this.#crowds.map((crowd) => crowd.ask('quiet', 'settled'))).then(() => 'all');
      if ((await Promise.race([settled, sleep(SETTLE_MS, 'not all')])) !== 'all') throw new Error(`not all are in after ${SETTLE_MS} ms: ${this.#presentCount()} of ${this.#options.viewers}`);
      await until(() => this.#hosts.every(({ isIn, isHeard }) => isIn && isHeard), 'each host is in and heard', SETTLE_MS);
      let faults;
      await until(async () => (faults = await this.#disagreements()).length === 0, () => faults.slice(0, 3).join('; '), AGREE_MS);
    });
    this.#count('quiet points');
    this.#isStorm = true;
    for (const crowd of this.#crowds) crowd.tell('storm');
  }

  async #disagreements() {
    const expected = new Map();
    let members = 0;
    for (const host of this.#hosts) {
      const session = await (await fetch(`${this.server.origin}/api/sessions/${host.key}`)).json();
      expected.set(host.key, digestOf(session.state));
      members += session.members;
    }
    const crowds = await Promise.all(this.#crowds.map((crowd) => crowd.ask('tell', 'told')));
    const own = this.#hosts.map(({ key, digest }) => [key, digest, 1]);
    const wanted = this.#options.viewers + this.#hosts.length;
    const faults = disagreements(expected, [...crowds.flat(), ...own], wanted);
    if (members !== wanted) faults.push(`the sessions count ${members} members, there are ${wanted}`);
    const connections = await readMetric(this.server, 'connections');
    if (connections > wanted + CONNECTIONS_BESIDE) faults.push(`${connections} connections for ${wanted} viewers`);
    const cached = await readMetric(this.server, 'form_cache_bytes');
    if (cached > CACHE_MIB * 2 ** 20 * CACHE_BEYOND) faults.push(`forms take ${cached} bytes of the cache, ${CACHE_MIB} MiB were granted`);
    return faults;
  }

  // All go, and nothing may be left of them.
  async #conclude(sessions, sockets) {
    const totalMs = performance.now() - this.begunMs;
    this.#over.abort();
    const processor = processorS(this.server.pid);
    await Promise.all([...this.#crowds, this.traffic].map((one) => one.end()));
    await Promise.all(this.#loops);
    for (const host of this.#hosts) host.leave();
    await this.#tried('the end of all', async () => {
      for (const session of sessions) await endSession(this.server.origin, session);
      for (const name of ['members', 'sessions']) await until(async () => (await readMetric(this.server, name)) === 0, async () => `${await readMetric(this.server, name)} ${name} are left`);
      await until(() => socketsOf(this.server.pid) <= sockets, () => `${socketsOf(this.server.pid)} sockets are left of ${sockets}`);
      await until(async () => (await this.#redisKeys()) <= OWN_KEYS, async () => `${await this.#redisKeys()} keys are left in Redis, ${OWN_KEYS} are not of sessions`);
      await until(async () => (await bytesBelow(this.uploads.directory)) === 0, 'films that were brought have gone with their sessions');
      await until(() => childrenOf(this.server.pid).every(({ isHelper }) => isHelper), 'what was being made of films has ended', SETTLE_MS);
      const { code, signal } = await this.server.stop();
      if (code !== 0) throw new Error(`the server ended with ${signal ?? code}`);
    });
    if (/assertion failed|Sanitizer|runtime error/.test(this.server.stderr())) this.#fault(`the server complained:\n${this.server.stderr().slice(-2_000)}`);
    const figures = judgeFigures(this.sampler.samples, totalMs);
    const verdict = judge({ figures, faults: this.#faults, counts: this.#counts, required: [...REQUIRED, ...this.#options.parts.flatMap((part) => PARTS[part])] });
    return { verdict, figures, counts: this.#counts, totalMs, judgedMs: totalMs - warmUpMs(totalMs), processor, samples: this.sampler.samples, log: this.server.stderr() };
  }

  async #loop(name, pauseMs, act) {
    const { signal } = this.#over;
    for (let round = 0; ; round += 1) {
      await sleep((pauseMs / this.#options.pace) * (0.5 + Math.random()), null, { signal }).catch(() => {});
      if (signal.aborted) return;
      const beganMs = performance.now();
      try {
        await act(round);
        this.#count(name);
      } catch (error) {
        if (this.#store.wasAwaySince(beganMs)) this.#count(`${name} refused without Redis`);
        else this.#fault(`${name}: ${error.message}`);
      }
    }
  }

  async #tried(what, act) {
    await act().catch((error) => this.#fault(`${what}: ${error.message}`));
  }

  #onTold(from, { counts, faults, present }) {
    for (const [name, count] of Object.entries(counts)) this.#count(name, count);
    for (const fault of faults) this.#fault(fault);
    if (present !== undefined) this.#present.set(from, present);
  }

  #presentCount() {
    return [...this.#present.values()].reduce((sum, one) => sum + one, 0);
  }

  #count(name, by = 1) {
    this.#counts[name] = (this.#counts[name] ?? 0) + by;
  }

  #fault(text) {
    this.#faults.push(`after ${Math.round((performance.now() - this.begunMs) / 1_000)} s: ${text}`);
  }

  #end(why) {
    this.#fault(why);
    this.#ending.abort();
  }

  #redisKeys() {
    return this.redis.isThere ? this.redis.command('EVAL', LIVING_KEYS, '0').catch(() => null) : null;
  }

  #progress() {
    const { samples } = this.sampler;
    const cacheMib = samples.findLast((sample) => sample.cacheMib !== undefined)?.cacheMib;
    console.log(progressLine({ atMs: performance.now() - this.begunMs, present: this.#presentCount(), sample: { ...samples.at(-1), cacheMib }, counts: this.#counts, faults: this.#faults.length }));
  }
}

// Whose seat a viewer takes at this place of 0 to 1.
function seatOf(place, sessions) {
  let end = 0;
  return sessions.find((_, i) => (end += SHARES[i]) >= place) ?? sessions.at(-1);
}

try {
  const options = readArguments();
  const result = await new Soak(options).run();
  console.log(summaryText(result));
  await mkdir(options.results, { recursive: true });
  await writeFile(path.join(options.results, 'samples.json'), `${JSON.stringify(result)}\n`);
  process.exit(result.verdict.passed ? 0 : 1);
} catch (error) {
  console.error(`soak: ${error.stack}`);
  process.exit(2);
}
