// Real redis-servers for tests, to be killed, hung and brought back; and Sentinels over them. Another program that
// speaks as Redis does is named by VIDEOSYNC_REDIS_SERVER.
//
// On ports of 127.0.0.1 below those that the kernel gives to connections, so that nobody takes the
// port of a Redis that is away for a while. Whoever starts one calls stop(), also when a test fails.
import net from 'node:net';
import { writeFile } from 'node:fs/promises';
import { startChild } from './child.mjs';
import { makeFolder } from './files.mjs';
import { makeOwnClock } from './own_clock.mjs';
import { pauseProcess } from './process.mjs';
import { RespClient } from './resp.mjs';
import { until } from './until.mjs';

const PORT_MIN = 15_000;
const PORT_END = 32_000;
const TRIES = 20;
const IS_UP = /Ready to accept connections/;
export const redisServer = process.env.VIDEOSYNC_REDIS_SERVER || 'redis-server';

export function isPortFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

export async function freePort() {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_END - PORT_MIN));
    if (await isPortFree(port)) return port;
  }
}

async function answers(address) {
  const client = await RespClient.connect(address).catch(() => null);
  // Any answer will do, also that a password is wanted.
  const isUp = client !== null && (await client.command('PING').then(() => true, ({ message }) => /NOAUTH/.test(message)));
  client?.close();
  return isUp;
}

class Redis {
  #args;
  #password;
  #folder;
  #clock = null; // its own one
  #child = null;
  #client = null;
  #listeners = [];
  #hangs = false;

  static async start({ args = [], keepsData = true, password = '', hasOwnClock = false } = {}) {
    const redis = new Redis();
    redis.#folder = await makeFolder();
    if (hasOwnClock) redis.#clock = await makeOwnClock();
    redis.#password = password;
    redis.#args = [
      ...(keepsData ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']),
      ...(password ? ['--requirepass', password] : []), ...args];
    for (let left = TRIES; ; left -= 1) {
      redis.port = await freePort();
      try {
        await redis.start();
        return redis;
      } catch (error) {
        if (left === 0 || !/Address already in use/.test(error.message)) throw error;
      }
    }
  }

  get url() {
    return `redis://${this.#password ? `:${this.#password}@` : ''}127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#child.pid;
  }

  // Whether it can answer: it was neither killed nor does it hang.
  get isThere() {
    return !this.#child.hasEnded() && !this.#hangs;
  }

  // With the data that the last one left, unless told otherwise. args: of this run, besides its own.
  async start({ isEmpty = false, args = [] } = {}) {
    if (isEmpty) {
      await this.#folder.remove();
      this.#folder = await makeFolder();
    }
    this.#hangs = false;
    this.#child = await startChild(redisServer, ['--bind', '127.0.0.1', '--port', this.port, '--save', '',
      '--dir', this.#folder.directory, ...this.#args, ...args].map(String), { env: { ...process.env, ...this.#clock?.env } });
    // Its word comes first: until it has found its port taken, another one answers there.
    const look = async () => {
      if (this.#child.hasEnded()) throw new Error(`redis-server ended:\n${this.#child.output()}`);
      return IS_UP.test(this.#child.output()) && answers({ port: this.port, host: '127.0.0.1' });
    };
    await until(look, () => `redis-server:\n${this.#child.output()}`);
  }

  // Over a connection that is made anew when Redis, or a failover, has cut it.
  async command(...words) {
    if (!this.#client?.isOpen) this.#client = await this.#connect();
    return this.#client.command(...words);
  }

  // How often each command has been called since the start or CONFIG RESETSTAT, those of scripts
  // included: {evalsha: 3, ...}.
  async calls() {
    const text = await this.command('INFO', 'commandstats');
    return Object.fromEntries([...text.matchAll(/cmdstat_([\w|-]+):calls=(\d+)/g)].map(([, name, calls]) => [name, Number(calls)]));
  }

  // What is published from now on, of all channels: an array that grows, of {channel, bytes}.
  async hear() {
    const client = await this.#connect();
    this.#listeners.push(client);
    const heard = [];
    await client.listenToAll((channel, bytes) => heard.push({ channel, bytes }));
    return heard;
  }

  // From now on its clock is ahead of the machine's by so much; of one with hasOwnClock.
  setClock(aheadMs) {
    return this.#clock.set(aheadMs);
  }

  kill() {
    return this.#child.kill();
  }

  hang() {
    this.#hangs = true;
    return pauseProcess(this.#child.pid);
  }

  goOn() {
    this.#hangs = false;
    this.#child.signal('SIGCONT');
  }

  async stop() {
    for (const client of [this.#client, ...this.#listeners]) client?.close();
    await this.#child.kill();
    await this.#folder.remove();
    await this.#clock?.remove();
  }

  async #connect() {
    const client = await RespClient.connect({ port: this.port, host: '127.0.0.1' });
    if (this.#password) await client.command('AUTH', this.#password);
    return client;
  }
}

// args: further ones of redis-server. keepsData: what was written is there after kill() and start().
// hasOwnClock: setClock() may be called.
export const startRedis = (options) => Redis.start(options);

// One master, one replica and a Sentinel that sees to them. `name` is the master's, for clients.
// Resolves to {url, master, replica, masterPort(), stop()}.
export async function startSentinel({ name = 'show', downAfterMs = 500, haveOwnClocks: hasOwnClock = false } = {}) {
  const master = await startRedis({ keepsData: false, hasOwnClock });
  const replica = await startRedis({ keepsData: false, hasOwnClock, args: ['--replicaof', `127.0.0.1 ${master.port}`] });
  await until(async () => /master_link_status:up/.test(await replica.command('INFO', 'replication')), 'the replica follows');
  const folder = await makeFolder();
  const port = await freePort();
  await writeFile(folder.path('sentinel.conf'), [
    'bind 127.0.0.1', `port ${port}`, `dir ${folder.directory}`,
    `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 5000`, ''].join('\n'));
  const child = await startChild(redisServer, [folder.path('sentinel.conf'), '--sentinel']);
  let client = null;
  const ask = async (...words) => {
    if (!client?.isOpen) client = await RespClient.connect({ port, host: '127.0.0.1' });
    return client.command('SENTINEL', ...words);
  };
  await until(() => answers({ port, host: '127.0.0.1' }), () => `the Sentinel:\n${child.output()}`);
  await until(async () => (await ask('REPLICAS', name)).length === 1, 'the Sentinel knows the replica');
  return {
    url: `redis+sentinel://127.0.0.1:${port}/${name}`,
    master,
    replica,
    masterPort: async () => Number((await ask('GET-MASTER-ADDR-BY-NAME', name))[1]),
    stop: async () => {
      client?.close();
      await child.kill();
      await Promise.all([master.stop(), replica.stop(), folder.remove()]);
    },
  };
}
