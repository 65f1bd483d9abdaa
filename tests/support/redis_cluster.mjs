// A real Redis Cluster for tests: primaries, their replicas, what happens to them, and who has which slot.
//
// Built without redis-cli, step by step as the cluster's own commands have it, so that a test can act between two steps
// of a slot's move. Each server has a second port, over which the servers speak to each other. Whoever starts one calls
// stop(), also when a test fails.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startRedis } from './redis.mjs';
import { tlsSettings } from './redis_tls.mjs';
import { until } from './until.mjs';

const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 1_000; // after which a server that says nothing is taken for gone; Redis' default is 15 s
const WHOLE_MS = 30_000;
const OWNER_TRIES = 20;
const OWNER_PAUSE_MS = 50;
const MIGRATE_MS = 5_000;
const PORT_TRIES = 20;

// The slot of a key or a channel: CRC-16/XMODEM of the name, or of what stands in its first braces.
export function slotOf(name) {
  const open = name.indexOf('{');
  const close = open < 0 ? -1 : name.indexOf('}', open + 1);
  const counted = Buffer.from(close > open + 1 ? name.slice(open + 1, close) : name);
  let crc = 0;
  for (const byte of counted) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff);
  }
  return crc % SLOTS;
}

const asSlot = (nameOrSlot) => (typeof nameOrSlot === 'number' ? nameOrSlot : slotOf(nameOrSlot));

// A line of CLUSTER NODES. `slots` are the ranges [from, to] that it says to have.
function readLine(line) {
  const [id, address, flags, primary, , , epoch, , ...rest] = line.split(' ');
  const slots = rest.filter((each) => !each.startsWith('[')).map((each) => each.split('-').map(Number))
    .map(([from, to = from]) => [from, to]);
  return { id, port: Number(/:(\d+)@/.exec(address)?.[1]), flags: flags.split(','), primary, epoch: Number(epoch), slots };
}

const linesOf = async (server) => (await server.command('CLUSTER', 'NODES')).trim().split('\n').map(readLine);
const ownLine = async (server) => (await linesOf(server)).find(({ flags }) => flags.includes('myself'));
const hasSlot = ({ slots }, slot) => slots.some(([from, to]) => from <= slot && slot <= to);

// What makes a server speak TLS to everybody but the test, which has the plain port for itself.
const tlsArgs = (port, { authority, own, wantsClients, name }) => [
  ['tls-port', port], ['tls-cluster', 'yes'], ['tls-replication', 'yes'], ...tlsSettings({ authority, own, wantsClients }),
  ...(name ? [['cluster-announce-hostname', name], ['cluster-preferred-endpoint-type', 'hostname']] : []),
].flatMap(([setting, value]) => [`--${setting}`, value]);

async function startOne({ password, keepsData, aheadMs, args, tls }) {
  for (let left = PORT_TRIES; ; left -= 1) {
    const busPort = await freePort();
    const tlsPort = tls ? await freePort() : null;
    try {
      const server = await startRedis({ password, keepsData, hasOwnClock: aheadMs !== undefined, args: [
        '--cluster-enabled', 'yes', '--cluster-port', busPort, '--cluster-node-timeout', NODE_TIMEOUT_MS,
        // Else every server refuses every key as soon as one slot is away, and no session could go on. Operators need
        // this, too.
        '--cluster-require-full-coverage', 'no',
        '--repl-diskless-sync-delay', 0, // it would wait 5 s for further replicas
        ...(password ? ['--masterauth', password] : []), ...(tls ? tlsArgs(tlsPort, tls) : []), ...args] });
      server.busPort = busPort;
      server.sharedPort = tlsPort ?? server.port;
      if (aheadMs !== undefined) await server.setClock(aheadMs);
      return server;
    } catch (error) {
      if (left === 0 || !/in use|listening/.test(error.message)) throw error;
    }
  }
}

class RedisCluster {
  #password = '';
  #scheme = 'redis+cluster';

  static async start({ primaries = 3, replicas = 0, password = '', keepsData = false, clocksAheadMs = [], args = [], tls } = {}) {
    const cluster = new RedisCluster();
    cluster.#password = password;
    if (tls) cluster.#scheme = 'rediss+cluster';
    const started = await Promise.allSettled(Array.from({ length: primaries * (1 + replicas) },
      (_, i) => startOne({ password, keepsData, aheadMs: clocksAheadMs[i], args, tls: tls?.(i) })));
    cluster.servers = started.filter(({ status }) => status === 'fulfilled').map(({ value }) => value);
    try {
      const failed = started.find(({ status }) => status === 'rejected');
      if (failed) throw failed.reason;
      await cluster.#join(primaries);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  // Of all servers, as seeds.
  get url() {
    return this.urlOf(this.servers.map(({ sharedPort }) => sharedPort));
  }

  // With these ports as seeds. user: 'name:password' of another user than the default one.
  urlOf(ports, user = this.#password ? `:${this.#password}` : '') {
    return `${this.#scheme}://${user ? `${user}@` : ''}${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  }

  // Those that answer.
  get there() {
    return this.servers.filter(({ isThere }) => isThere);
  }

  // Who has that slot and answers, as it says itself, or null. Of two that say so, the one that was elected last.
  async primaryOf(nameOrSlot) {
    // For a moment after a move nobody says to have it: whoever had it has heard of that, and not yet whoever has got it.
    for (let tries = 0; tries < OWNER_TRIES; tries += 1) {
      const found = await this.#whoHas(asSlot(nameOrSlot));
      if (found) return found;
      await sleep(OWNER_PAUSE_MS);
    }
    return null;
  }

  async #whoHas(slot) {
    const lines = await Promise.all(this.there.map(async (server) => ({ server, line: await ownLine(server) })));
    const claims = lines.filter(({ line }) => line.flags.includes('master') && hasSlot(line, slot));
    return claims.sort((a, b) => b.line.epoch - a.line.epoch)[0]?.server ?? null;
  }

  // Those that have slots and answer.
  async primaries() {
    const lines = await Promise.all(this.there.map(async (server) => ({ server, line: await ownLine(server) })));
    return lines.filter(({ line }) => line.flags.includes('master') && line.slots.length > 0).map(({ server }) => server);
  }

  // Those of a primary that answer.
  async replicasOf(primary) {
    const { id } = await ownLine(primary);
    const lines = await Promise.all(this.there.map(async (server) => ({ server, line: await ownLine(server) })));
    return lines.filter(({ line }) => line.primary === id).map(({ server }) => server);
  }

  // To the primary that has that name.
  async command(name, ...words) {
    const server = await this.primaryOf(name);
    if (!server) throw new Error(`nobody has the slot of ${name}`);
    return server.command(...words);
  }

  // Every key that there is, sorted.
  async keys() {
    const lists = await Promise.all((await this.primaries()).map((server) => server.command('KEYS', '*')));
    return lists.flat().sort();
  }

  // calls() of each server that answers, by its port.
  async calls() {
    return Object.fromEntries(await Promise.all(this.there.map(async (server) => [server.port, await server.calls()])));
  }

  // Resolves when every server that answers is content, all say the same of all slots, and every replica follows.
  async untilWhole() {
    let why = '';
    await until(async () => (why = await this.#whatIsAmiss()) === '', () => `a whole cluster: ${why}`, WHOLE_MS);
  }

  // As an operator moves a slot, keys and all. onStep(step), each awaited: 'open' when both know of the move, and the keys
  // are where they were; 'moved' when the keys are at the new primary, and the slot is still the old one's; and
  // 'given' when those two know it as the new one's, and nobody else does.
  async moveSlot(nameOrSlot, to, onStep = () => {}) {
    const slot = asSlot(nameOrSlot);
    const from = await this.primaryOf(slot);
    if (from === to) return;
    const [{ id: fromId }, { id: toId }] = [await ownLine(from), await ownLine(to)];
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    await onStep('open');
    await this.#moveKeys(slot, from, to);
    await onStep('moved');
    // Whatever came to be there meanwhile.
    await this.#moveKeys(slot, from, to);
    await to.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    await this.#tell(from, slot, toId);
    await onStep('given');
    for (const other of await this.primaries()) {
      if (other !== from && other !== to) await this.#tell(other, slot, toId);
    }
  }

  // Who loses its last slot becomes a replica of whoever has got it, as soon as it hears of that from anybody: it knows then.
  async #tell(server, slot, toId) {
    await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId).catch(async (error) => {
      if (!/SETSLOT only with masters/.test(error.message)) throw error;
      assert.match(await server.command('CLUSTER', 'NODES'), new RegExp(`myself,slave ${toId} `));
    });
  }

  // A further primary, which has no slots yet and is known to all.
  async grow() {
    const server = await startOne({ password: this.#password, keepsData: false, args: [] });
    this.servers.push(server);
    await server.command('CLUSTER', 'MEET', '127.0.0.1', this.servers[0].sharedPort, this.servers[0].busPort);
    await this.untilWhole();
    return server;
  }

  // One that has no slots any more goes for good.
  async shrink(server) {
    const { id } = await ownLine(server);
    this.servers.splice(this.servers.indexOf(server), 1);
    await server.stop();
    for (const other of this.there) await other.command('CLUSTER', 'FORGET', id);
  }

  // As an operator does it: nothing is lost, and the old primary is a replica afterwards.
  async failOver(replica) {
    await replica.command('CLUSTER', 'FAILOVER');
    await until(async () => (await ownLine(replica)).flags.includes('master'), 'the replica is the primary', WHOLE_MS);
  }

  // Who has the slot when it is somebody else than that one.
  async untilPromoted(nameOrSlot, old) {
    return until(async () => {
      const primary = await this.primaryOf(nameOrSlot);
      return primary !== old && primary;
    }, 'a replica to be promoted', WHOLE_MS);
  }

  async stop() {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  async #join(primaries) {
    const { servers } = this;
    await Promise.all(servers.map((server, i) => server.command('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)));
    const share = SLOTS / primaries;
    await Promise.all(servers.slice(0, primaries).map((server, i) => server.command('CLUSTER', 'ADDSLOTSRANGE',
      Math.round(i * share), Math.round((i + 1) * share) - 1)));
    for (const server of servers.slice(1)) {
      await servers[0].command('CLUSTER', 'MEET', '127.0.0.1', server.sharedPort, server.busPort);
    }
    const know = async (server) => (await linesOf(server)).filter(({ flags }) => !flags.includes('handshake')).length === servers.length;
    await until(async () => (await Promise.all(servers.map(know))).every(Boolean), 'the servers know each other', WHOLE_MS);
    await Promise.all(servers.slice(primaries).map(async (replica, i) => {
      const { id } = await ownLine(servers[i % primaries]);
      await replica.command('CLUSTER', 'REPLICATE', id);
    }));
    await this.untilWhole();
  }

  async #moveKeys(slot, from, to) {
    const auth = this.#password ? ['AUTH', this.#password] : [];
    for (;;) {
      const keys = await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 100);
      if (keys.length === 0) return;
      await from.command('MIGRATE', '127.0.0.1', to.sharedPort, '', 0, MIGRATE_MS, ...auth, 'KEYS', ...keys);
    }
  }

  // '' where nothing is.
  async #whatIsAmiss() {
    const { there } = this;
    const ports = new Set(there.map(({ port }) => port));
    let owners = null;
    for (const server of there) {
      const info = await server.command('CLUSTER', 'INFO');
      if (!/cluster_state:ok/.test(info)) return `${server.port} says ${info}`;
      const lines = (await linesOf(server)).filter(({ port }) => ports.has(port));
      const odd = lines.find(({ flags }) => flags.some((flag) => /fail|handshake|noaddr/.test(flag)));
      if (lines.length !== there.length || odd) return `${server.port} sees ${JSON.stringify(odd ?? lines)}`;
      const said = JSON.stringify(lines.map(({ id, slots, primary }) => [id, primary, slots]).sort());
      if (said !== (owners ??= said)) return `${server.port} says ${said}, others ${owners}`;
      const replication = await server.command('INFO', 'replication');
      if (/role:slave/.test(replication) && !/master_link_status:up/.test(replication)) return `${server.port} does not follow`;
    }
    return '';
  }
}

// primaries, and replicas of each; password, keepsData, args: as of startRedis, of every server. clocksAheadMs: of those
// that have clocks of their own, in the order of `servers`, of which the primaries come first; none below 0.
// tls(i): {authority, own, wantsClients, name} of that server, as of redis_tls.mjs; clients are told its name, if it has
// one, and else its address. They and the servers speak TLS alone, at `sharedPort` (without TLS that is `port`).
// Each of `servers` is what startRedis gives: command(), calls(), kill(), hang(), goOn(), start(), setClock(), port, pid.
export const startRedisCluster = (options) => RedisCluster.start(options);
