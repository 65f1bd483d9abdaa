// A Redis Cluster over TLS: sessions of each primary as without it, names and certificates of its servers, and what becomes
// of sessions when a primary is lost or a slot is moved. Where the program was built without TLS, that it says so.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { makeAuthority } from '../support/authority.mjs';
import { readiness, startCluster, startNode, whenReady } from '../support/cluster.mjs';
import { fly, landed, showOn, showsOnEach, withRedisCluster } from '../support/cluster_show.mjs';
import { slotsAnswer, startFakeServer } from '../support/fake_cluster_server.mjs';
import { makeFolder } from '../support/files.mjs';
import { join } from '../support/member.mjs';
import { startRedisCluster } from '../support/redis_cluster.mjs';
import { programHasTls, redisHasTls } from '../support/redis_tls.mjs';
import { projectRoot, serverBinary } from '../support/server.mjs';
import { until, untilLogged } from '../support/until.mjs';
import { agreed, agreement, assertOpen, viewOf } from '../support/view.mjs';

const GOES_ON_MS = 15_000; // a promotion, and a command that crosses over behind it
const BOUND_MS = 90_000;
const run = promisify(execFile);
const hasTls = await programHasTls();
const isTried = hasTls && await redisHasTls();
const without = { skip: isTried ? false : hasTls ? 'this redis-server has no TLS' : 'this build has no TLS to Redis: its refusal is tested' };

// {code, stderr} of a start that ends at once.
const refusalOf = (args) => run(serverBinary(), args, { cwd: projectRoot }).then(() => assert.fail('it starts'), ({ code, stderr }) => ({ code, stderr }));

test('a build without it refuses it, and says why', { skip: hasTls && 'this build has it: that is tested' }, async () => {
  const { code, stderr } = await refusalOf(['--redis', 'rediss+cluster://app:secret@10.0.0.1:6379,10.0.0.2:6379']);
  assert.equal(code, 1);
  for (const part of [/--redis /, /TLS/, /Debian 13/]) assert.match(stderr, part);
  assert.doesNotMatch(stderr, /secret/);
});

describe('a cluster over TLS', { concurrency: 2, timeout: BOUND_MS, ...without }, () => {
  let folder;
  let authority;
  let stranger; // a CA that nobody trusts
  let own; // of a server, for 127.0.0.1 and localhost
  let named; // ... for localhost alone
  before(async () => {
    if (!isTried) return;
    folder = await makeFolder();
    [authority, stranger] = [await makeAuthority(folder, 'ca'), await makeAuthority(folder, 'stranger')];
    own = await authority.issue('redis');
    named = await authority.issue('named', { names: ['DNS:localhost'] });
  });
  after(() => folder?.remove());

  const trusting = (...more) => ['--redis-ca', authority.certificate, ...more];
  const believed = () => ({ authority, own });

  async function withServers(options, act) {
    const redis = await startRedisCluster({ tls: believed, ...options });
    try {
      await act(redis);
    } finally {
      await redis.stop();
    }
  }

  async function withNode(url, args, act) {
    const node = await startNode(url, args);
    try {
      await act(node);
    } finally {
      const { code } = await node.stop();
      assert.equal(code, 0, node.stderr());
    }
  }

  const untilSaid = async (node, expected) => {
    let last;
    await until(async () => expected.test((last = await readiness(node)).text), () => `/readyz says ${last.text}`);
    return last;
  };

  const assertUnready = (t, url, args, expected) => withNode(url, args, async (node) => {
    const { status, text } = await untilSaid(node, expected);
    assert.equal(status, 503);
    t.diagnostic(text.trim());
    await untilLogged(node, expected);
  });

  async function assertShows(redis, nodes) {
    for (const { ann, ben, all } of await showsOnEach(redis, nodes)) {
      ben.send('seek', { position: 7 });
      await agreement(all, ({ position }) => position === 7);
      ann.send('seek', { position: 8 });
      await agreement(all, ({ position }) => position === 8);
    }
  }

  test('sessions of each primary, from one seed; every connection is enciphered and shows a certificate, and no password is told', async () => {
    const client = await authority.issue('client', { names: ['DNS:client'] });
    const args = trusting('--redis-cert', client.certificate, '--redis-key', client.key, '--log-level', 'debug', '--message-rate', '0');
    await withServers({ password: 'sesame', tls: () => ({ authority, own, wantsClients: true }) }, async (redis) => {
      const nodes = await startCluster({ redis: { url: redis.urlOf([redis.servers[1].sharedPort]) }, args });
      try {
        await assertShows(redis, nodes.nodes);
        const places = [];
        for (const server of redis.servers) {
          const clients = (await server.command('CLIENT', 'LIST')).trim().split('\n');
          places.push(...clients.map((line) => Number(/ laddr=127\.0\.0\.1:(\d+)/.exec(line)[1])));
        }
        const plain = places.filter((port) => redis.servers.some((server) => server.port === port));
        assert.equal(plain.length, redis.servers.length, 'the test is the one on each plain port');
        assert.equal(places.length - plain.length, 2 * (2 * 3 + 1), 'two to each primary, and one to ask, of each node');
        for (const node of nodes.nodes) assert.doesNotMatch(node.stderr(), /sesame/);
      } finally {
        await nodes.stop();
      }
    });
  });

  test('a CA that is not trusted, and none named; the port that speaks no TLS, and redis+cluster:// at one that does: what to do', (t) =>
    withServers({}, async (redis) => {
      const untrusted = /redis: 127\.0\.0\.1:\d+: TLS: .*nobody who is trusted.*--redis-ca/;
      for (const args of [['--redis-ca', stranger.certificate], []]) await assertUnready(t, redis.url, args, untrusted);
      const { code, stderr } = await refusalOf(['--listen', '127.0.0.1:0', '--admin', 'none', '--media', 'tests/support', '--redis', redis.url,
        '--redis-ca', stranger.certificate, '--redis-required']);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /videosync: --redis: rediss\+cluster:\/\/.* cannot be used: .*TLS: .*nobody who is trusted/);
      await assertUnready(t, redis.urlOf([redis.servers[0].port]), trusting(), /redis: .*TLS: .*\(tls-port\)/);
      await assertUnready(t, redis.url.replace('rediss+', 'redis+'), [], /redis: 127\.0\.0\.1:\d+: \S/);
    }));

  test('where clients need a certificate: none, and one of a stranger', (t) => withServers({ tls: () => ({ authority, own, wantsClients: true }) }, async (redis) => {
    await assertUnready(t, redis.url, trusting(), /redis: 127\.0\.0\.1:\d+: TLS: the server wants a certificate of its clients: --redis-cert and --redis-key/);
    const other = await stranger.issue('other', { names: ['DNS:client'] });
    await assertUnready(t, redis.url, trusting('--redis-cert', other.certificate, '--redis-key', other.key),
      /redis: 127\.0\.0\.1:\d+: TLS: the server refuses our certificate .*--redis-cert/);
  }));

  // The certificate is for localhost alone.
  test('servers that tell their addresses are refused where their certificates have names, until that name is given', (t) =>
    withServers({ tls: () => ({ authority, own: named }) }, async (redis) => {
      const url = redis.url.replaceAll('127.0.0.1', 'localhost');
      await assertUnready(t, url, trusting(), /redis: 127\.0\.0\.1:\d+: TLS: .*not for '127\.0\.0\.1'.*--redis-sni/);
      await withNode(url, trusting('--redis-sni', 'localhost'), (node) => whenReady(node));
    }));

  test('servers that tell their names are believed by these, also as the new home of a slot that moves', () =>
    withServers({ tls: () => ({ authority, own: named, name: 'localhost' }) }, async (redis) => {
      const nodes = await startCluster({ redis: { url: redis.url.replaceAll('127.0.0.1', 'localhost') }, args: trusting('--message-rate', '0') });
      try {
        const [first, second] = await redis.primaries();
        const show = await showOn(redis, first, nodes.nodes);
        const flight = fly(show);
        await redis.moveSlot(show.name, second);
        await redis.moveSlot(show.name, first);
        await flight.land();
      } finally {
        await nodes.stop();
      }
    }));

  test('one of three servers is not believed: its slots alone are away, and why is said', async (t) => {
    const elsewhere = await authority.issue('elsewhere', { names: ['DNS:redis.example'] });
    const tls = (i) => ({ authority, own: i === 2 ? elsewhere : own });
    await withRedisCluster({ redis: { tls }, args: trusting() }, async ({ redis, nodes }) => {
      const { status, text } = await untilSaid(nodes[0], /^ready\nredis: 546\d of 16384 slots are away: .*TLS: .*not for '127\.0\.0\.1'/);
      assert.equal(status, 200);
      t.diagnostic(text.trim());
      for (const primary of (await redis.primaries()).slice(0, 2)) {
        const { ben, all } = await showOn(redis, primary, nodes);
        ben.send('seek', { position: 7 });
        await agreement(all, ({ position }) => position === 7);
      }
    });
  });

  test('each server is asked for by the name that was told of it, and by none where that is an address', async () => {
    const certificate = { key: await readFile(own.key), cert: await readFile(own.certificate) };
    for (const [told, ...expected] of [['localhost', false, 'localhost'], ['127.0.0.1', false], [null, false]]) {
      const server = await startFakeServer((words) => (words[0] === 'CLUSTER' ? slotsAnswer([[0, 16_383, told, server.port]]) : '-ERR no\r\n'), { certificate });
      try {
        await withNode(`rediss+cluster://127.0.0.1:${server.port}`, trusting(), async () => {
          await until(() => (server.asked.get('ROLE') ?? 0) > 0, 'somebody who asks the primary');
          assert.deepEqual([...server.names].sort(), expected.sort());
        });
      } finally {
        await server.stop();
      }
    }
  });

  test('a primary is killed, and its replica takes its place: the others notice nothing', (t) => withRedisCluster({
    redis: { replicas: 1, tls: believed }, args: trusting() }, async ({ redis, nodes }) => {
    const [hit, ...others] = await showsOnEach(redis, nodes);
    const lost = await redis.primaryOf(hit.name);
    const { seq } = agreed(hit.ann);
    const flights = others.map((show) => fly(show));
    await lost.kill();
    for (let i = 0; i < 20; i += 1) {
      hit.ann.send('seek', { position: 10 + i });
      await hit.amy.next('state', ({ position }) => position === 10 + i);
    }
    const promoted = await redis.untilPromoted(hit.name, lost);
    const { tookMs } = await agreement(hit.all, (view) => view.seq === seq + 20 && view.count === 4, GOES_ON_MS);
    hit.ben.send('seek', { position: 700 });
    await agreement(hit.all, ({ position }) => position === 700, GOES_ON_MS);
    await until(async () => Number(await promoted.command('EXISTS', hit.name)) === 1, 'its record at the new primary');
    await lost.start();
    await redis.untilWhole();
    const { said, worstMs } = await landed(flights);
    t.diagnostic(`all of its session agree ${Math.round(tookMs)} ms after the promotion; of the others ${said} commands, the slowest after ${worstMs} ms`);
    for (const member of hit.all) await until(() => [null, 'restored'].includes(viewOf(member).notice), 'nobody is left with a notice');
    assertOpen(hit.all);
    await (await join(nodes[1], hit.key, { name: 'Eve' })).close();
  }));

  test('a replica takes over at the word of an operator, and a slot goes round: nobody notices', (t) => withRedisCluster({
    redis: { replicas: 1, tls: believed }, args: trusting() }, async ({ redis, nodes }) => {
    const shows = await showsOnEach(redis, nodes);
    const flights = shows.map((show) => fly(show));
    const [first, second] = await redis.primaries();
    const [{ name }] = shows;
    await redis.moveSlot(name, second);
    await redis.moveSlot(name, first);
    const [replica] = await redis.replicasOf(first);
    await redis.failOver(replica);
    await redis.untilWhole();
    const { said, worstMs } = await landed(flights);
    t.diagnostic(`${said} commands meanwhile, the slowest seen by all after ${worstMs} ms`);
  }));
});
