// The ways into a Redis Cluster, and what is said where there is none: seeds, passwords, rights, a Redis that is no
// cluster; a node that starts while one primary is away, and the whole cluster gone and back.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { comeBack, readiness, startCluster, startNode, whenReady } from '../support/cluster.mjs';
import { placesOf, sessionWhere, showOn, showsOnEach, withRedisCluster } from '../support/cluster_show.mjs';
import { slotsAnswer, startFakeServer } from '../support/fake_cluster_server.mjs';
import { createSession, join, refusal, sleep } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startRedis } from '../support/redis.mjs';
import { startRedisCluster } from '../support/redis_cluster.mjs';
import { projectRoot, startServer } from '../support/server.mjs';
import { leadOf } from '../support/server_time.mjs';
import { namesOf } from '../support/show.mjs';
import { until, untilLogged } from '../support/until.mjs';
import { agreed, agreement, assertOpen, takenStates, viewOf } from '../support/view.mjs';

const RULES = 'docs/NODES.md';
const BOUND_MS = 90_000;
const BACK_MS = 10_000; // a primary that is started refuses writes for 2 s
const APART_MS = 5;
const CLOCK = 'videosync:clock';

// A node that has no working store; `act` sees it serve.
async function withNode(url, act) {
  const node = await startNode(url);
  try {
    await act(node);
  } finally {
    assert.equal((await node.stop()).code, 0, node.stderr());
  }
}

async function withServers(options, act) {
  const redis = await startRedisCluster(options);
  try {
    await act(redis);
  } finally {
    await redis.stop();
  }
}

async function untilUnready(node, expected) {
  let last;
  await until(async () => expected.test((last = await readiness(node)).text), () => `/readyz says ${last.text}`);
  assert.equal(last.status, 503);
  return last.text.trim();
}

// Two nodes at that address do what nodes do, for a session of each primary.
async function assertWorks(redis, url) {
  const cluster = await startCluster({ redis: { url } });
  try {
    const [a, b] = cluster.nodes;
    for (const primary of await redis.primaries()) {
      const { key, hostToken } = await sessionWhere(a, async (made) => (await placesOf(redis, made)).own === primary);
      const [ann, ben] = [await join(a, key), await join(b, key)];
      ann.send('give', { to: ben.id });
      await ann.next('host', ({ id }) => id === ben.id);
      ben.send('seek', { position: 3 });
      assert.equal((await ann.next('state', ({ position }) => position === 3)).by, ben.id);
      const ended = await fetch(`${a.origin}/api/sessions/${key}`, { method: 'DELETE', headers: { Authorization: `Bearer ${hostToken}` } });
      assert.equal(ended.status, 204);
      for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
    }
    return await Promise.all(cluster.nodes.map((node) => readMetric(node, 'redis_command_errors_total')));
  } finally {
    await cluster.stop();
  }
}

// A port that takes connections and says nothing, as a server that hangs.
async function startMute() {
  const sockets = new Set();
  const server = net.createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the ways in', { concurrency: 3, timeout: BOUND_MS }, () => {
  test('one seed of all is enough, also where it is the last and the others are away or mute', (t) => withServers({}, async (redis) => {
    const mute = await startMute();
    try {
      await assertWorks(redis, redis.urlOf([redis.servers[1].port]));
      const startMs = performance.now();
      await assertWorks(redis, redis.urlOf([1, mute.port, 2, redis.servers[2].port]));
      t.diagnostic(`with three seeds that do not answer all of it takes ${Math.round(performance.now() - startMs)} ms`);
    } finally {
      await mute.stop();
    }
  }));

  test('a seed that was cut off, and names a primary that nobody is any more: the next one is asked', () => withServers({}, async (redis) => {
    const ranges = (ports) => ports.map((port, i) => [Math.round(i * 16_384 / 3), Math.round((i + 1) * 16_384 / 3) - 1, '127.0.0.1', port]);
    const [, second, third] = redis.servers.map(({ port }) => port);
    const stale = await startFakeServer(() => slotsAnswer(ranges([1, second, third])));
    try {
      await assertWorks(redis, redis.urlOf([stale.port, second]));
    } finally {
      await stale.stop();
    }
  }));

  test('a replica is as good a seed', () => withServers({ replicas: 1 }, async (redis) => {
    const primaries = await redis.primaries();
    const replica = redis.servers.find((server) => !primaries.includes(server));
    await assertWorks(redis, redis.urlOf([replica.port]));
  }));

  test('a password, which no log tells; a wrong one and none are said in plain words', (t) => withServers({ password: 'open' }, async (redis) => {
    await assertWorks(redis, redis.url);
    const ports = redis.servers.map(({ port }) => port);
    for (const [user, expected] of [[':wrong', /^redis: .*WRONGPASS/], ['', /^redis: .*NOAUTH/]]) {
      await withNode(redis.urlOf(ports, user), async (node) => {
        t.diagnostic(`/readyz: ${await untilUnready(node, expected)}`);
        await untilLogged(node, expected.source.includes('WRONGPASS') ? /WRONGPASS/ : /NOAUTH/);
        assert.doesNotMatch(node.stderr(), /wrong@/, 'no password in the log');
      });
    }
  }));

  // The rights that the documents name, and not one more; each server has a list of its own.
  test('a user that may do only what is needed', () => withServers({ replicas: 1 }, async (redis) => {
    const text = await readFile(path.join(projectRoot, RULES), 'utf8');
    const [, rule] = /^user (videosync on .+ \+cluster\|slots .+)$/m.exec(text);
    assert.doesNotMatch(rule, /\+@|allcommands/);
    for (const server of redis.servers) await server.command('ACL', 'SETUSER', ...rule.split(' '));
    const url = redis.urlOf(redis.servers.map(({ port }) => port), 'videosync:secret');
    assert.deepEqual(await assertWorks(redis, url), [0, 0], 'no command had an error');
    // What a node needs for a slot that is moved (ASKING, subscriptions anew), and after a failover.
    const cluster = await startCluster({ redis: { url } });
    try {
      const show = await showOn(redis, (await redis.primaries())[0], cluster.nodes);
      const [to] = (await redis.primaries()).slice(1);
      let position = 100;
      const check = async () => {
        position += 1;
        show.ben.send('seek', { position });
        await agreement(show.all, (view) => view.position === position);
      };
      await redis.moveSlot(show.name, to, check);
      const [replica] = await redis.replicasOf(to);
      await redis.failOver(replica);
      await check();
    } finally {
      await cluster.stop();
    }
    const refused = await Promise.all(redis.servers.map((server) => server.command('ACL', 'LOG')));
    assert.deepEqual(refused.flat(), [], 'nothing was refused');
  }));

  test('--redis-required: it starts where a cluster is, and says what is wrong where none is', () => withServers({}, async (redis) => {
    const start = (url) => startServer({ args: ['--redis', url, '--redis-required', '--media', 'tests/support'] });
    const node = await start(redis.url);
    assert.equal((await readiness(node)).status, 200, 'ready before it says that it listens');
    assert.equal((await node.stop()).code, 0);
    const error = await start('redis+cluster://:secret@127.0.0.1:1,127.0.0.1:2').then(
      (other) => other.stop().then(() => assert.fail('it serves')), (refused) => refused);
    assert.match(error.message, /ended at once \(1\)[\s\S]*videosync: --redis: redis\+cluster:\/\/:\*\*\*@127.*refused/i);
  }));
});

describe('the wrong scheme', { concurrency: 2, timeout: BOUND_MS }, () => {
  test('redis+cluster:// at a Redis that is none: what to write instead', async (t) => {
    const redis = await startRedis();
    try {
      await withNode(redis.url.replace('redis://', 'redis+cluster://'), async (node) => {
        t.diagnostic(`/readyz: ${await untilUnready(node, /^redis: (?=.*cluster support disabled).*redis:\/\//)}`);
        await untilLogged(node, /(?=.*cluster support disabled).*redis:\/\//);
        assert.equal((await fetch(`${node.origin}/`)).status, 200, 'it serves what needs no store');
      });
    } finally {
      await redis.stop();
    }
  });

  // Whatever lies on the server that the URL names: there is something that it refuses.
  test('redis:// at one server of a cluster: what to write instead', (t) => withServers({}, async (redis) => {
    for (const { url } of redis.servers) {
      await withNode(url, async (node) => {
        await until(async () => {
          await fetch(`${node.origin}/api/sessions`, { method: 'POST', body: '{}' });
          return /redis\+cluster:\/\//.test((await readiness(node)).text);
        }, async () => `clear words: ${(await readiness(node)).text}`);
        t.diagnostic(`/readyz: ${await untilUnready(node, /^redis: .*redis\+cluster:\/\//)}`);
        await untilLogged(node, /redis\+cluster:\/\//);
      });
    }
  }));
});

describe('a node starts while one primary is away', { concurrency: 2, timeout: BOUND_MS }, () => {
  for (const [what, hasTime] of [['that has not the time: it serves the sessions of the others', false], ['that has the time: it waits for that', true]]) {
    test(`one ${what}`, (t) => withRedisCluster({}, async (cluster) => {
      const { redis, nodes } = cluster;
      const shows = await showsOnEach(redis, nodes);
      const keeper = await redis.primaryOf(CLOCK);
      const lost = hasTime ? keeper : (await redis.primaries()).find((each) => each !== keeper);
      const places = await Promise.all(shows.map(({ name }) => redis.primaryOf(name)));
      const hit = shows[places.indexOf(lost)];
      const lead = await leadOf(hit.ann);
      await lost.kill();
      await until(() => hit.all.every((member) => viewOf(member).notice === 'degraded'), 'the notice');
      const startMs = performance.now();
      const third = await startNode(redis.url);
      cluster.nodes.push(third);
      if (hasTime) {
        t.diagnostic(`/readyz: ${await untilUnready(third, /^redis: the nodes' time is not known, for the server that has it is away: \S/)}`);
      } else {
        await whenReady(third);
        t.diagnostic(`ready ${Math.round(performance.now() - startMs)} ms after its start; /readyz: ${(await readiness(third)).text.trim()}`);
        assert.equal((await refusal(third, { session: hit.key })).status, 503);
        for (const show of shows.filter((each) => each !== hit)) {
          const cem = await join(third, show.key, { name: 'Cem' });
          cem.send('seek', { position: 60 });
          await agreement([...show.all, cem], ({ position, count }) => position === 60 && count === 5);
          assert.ok(Math.abs((await leadOf(cem)) - lead) <= APART_MS, 'one time');
        }
      }
      await lost.start();
      await until(() => hit.all.every((member) => viewOf(member).notice === 'restored'), 'the notice', BACK_MS);
      await until(async () => (await readiness(third)).text === 'ready\n', 'the third has it, too', BACK_MS);
      const cem = await comeBack(third, hit.key, { name: 'Cem' }, BACK_MS);
      hit.ben.send('seek', { position: 70 });
      await agreement([...hit.all, cem], ({ position, count }) => position === 70 && count === 5);
      assert.ok(Math.abs((await leadOf(cem)) - lead) <= APART_MS, 'one time');
    }));
  }
});

describe('the whole cluster', { concurrency: 2, timeout: BOUND_MS }, () => {
  for (const keepsData of [true, false]) {
    test(`away, and back ${keepsData ? 'with its data' : 'empty'}`, (t) => withRedisCluster({ redis: { keepsData } }, async ({ redis, nodes }) => {
      const shows = await showsOnEach(redis, nodes);
      const people = shows.flatMap(({ all }) => all);
      await Promise.all(redis.servers.map((server) => server.kill()));
      await until(() => people.every((member) => viewOf(member).notice === 'degraded'), 'the notice');
      for (const node of nodes) t.diagnostic(`/readyz: ${await untilUnready(node, /^redis: \S/)}`);
      for (const { ann, amy, ben } of shows) {
        for (let i = 0; i < 20; i += 1) {
          ann.send('seek', { position: 10 + i });
          await amy.next('state', ({ position }) => position === 10 + i);
        }
        ben.send('chat', { text: 'lost?' });
        assert.equal((await ben.next('error')).code, 'unavailable');
      }
      await sleep(1_500);
      await Promise.all(redis.servers.map((server) => server.start()));
      const startMs = performance.now();
      for (const { all, name, ann, amy } of shows) {
        const { seq } = agreed(ann);
        assert.equal(seq, 21);
        await agreement(all, (view) => view.seq === seq && view.count === 4);
        await until(() => all.every((member) => viewOf(member).notice === 'restored'), 'the notice');
        assert.deepEqual(takenStates(amy).map((state) => state.seq), Array.from({ length: seq }, (_, i) => i + 1));
        await until(async () => Number(await redis.command(name, 'EXISTS', name)) === 1, 'its record');
      }
      const tookMs = Math.round(performance.now() - startMs);
      await Promise.all(nodes.map((node) => whenReady(node)));
      for (const { code, key } of shows) {
        await until(async () => {
          const response = await fetch(`${nodes[1].origin}/api/sessions/${code}/validate`);
          return response.status === 200 && (await response.json()).key === key;
        }, 'its code');
      }
      const fresh = await createSession(nodes[1]);
      assert.equal(Number(await redis.command(namesOf(fresh)[0], 'EXISTS', namesOf(fresh)[0])), 1);
      assertOpen(people);
      t.diagnostic(`all sessions agree ${tookMs} ms after the return`);
      assert.ok(tookMs <= BACK_MS);
    }));
  }

  // The nodes know the time, so they need nobody to tell them.
  test('away, and back but for whoever has the record of the time: the sessions of the others go on', () => withRedisCluster({}, async ({ redis, nodes }) => {
    const shows = await showsOnEach(redis, nodes);
    const people = shows.flatMap(({ all }) => all);
    const lost = await redis.primaryOf(CLOCK);
    const others = redis.servers.filter((server) => server !== lost);
    await Promise.all(redis.servers.map((server) => server.hang()));
    await until(() => people.every((member) => viewOf(member).notice === 'degraded'), 'the notice');
    for (const node of nodes) await untilUnready(node, /^redis: \S/);
    await lost.kill();
    for (const server of others) server.goOn();
    for (const primary of others) {
      const { all } = shows[redis.servers.indexOf(primary)];
      await until(() => all.every((member) => viewOf(member).notice === 'restored'), 'the notice', BACK_MS);
    }
  }));

  // Clocks of primaries need not be one: nodes tell that of one of them, and go on with it when that is lost.
  test('its primaries have different clocks, and whoever has the time is lost: nobody is moved', (t) => withRedisCluster({
    redis: { replicas: 1, clocksAheadMs: [0, 20_000, 40_000, 60_000, 80_000, 100_000] } }, async ({ redis, nodes }) => {
    const shows = await showsOnEach(redis, nodes);
    const [{ ann, ben }] = shows;
    const lead = await leadOf(ann);
    assert.ok(Math.abs((await leadOf(ben)) - lead) <= APART_MS);
    for (const lost of await redis.primaries()) {
      await lost.kill();
      await until(async () => (await redis.primaries()).length === 3, 'a replica to be promoted', 30_000);
      // Commands cross over again, so whatever a node does about the loss has begun; and its clock is read each second.
      for (const show of shows) {
        await until(() => {
          show.ben.send('seek', { position: 900 });
          return sleep(50).then(() => viewOf(show.ann).state.position === 900);
        }, 'a command of the other node');
        show.ann.send('seek', { position: 5 });
        await agreement(show.all, ({ position }) => position === 5);
      }
      await sleep(2_500);
      for (const member of [ann, ben]) {
        const off = (await leadOf(member)) - lead;
        t.diagnostic(`server time is ${off.toFixed(2)} ms off`);
        assert.ok(Math.abs(off) <= APART_MS, `${off} ms`);
      }
    }
  }));
});
