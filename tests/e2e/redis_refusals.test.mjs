// Redis is there and refuses: at the start and later. Always a clear word, never a crash.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readiness, startCluster, startNode, whenReady } from '../support/cluster.mjs';
import { createSession, join, sleep } from '../support/member.mjs';
import { freePort, startRedis } from '../support/redis.mjs';
import { startChild } from '../support/child.mjs';
import { projectRoot, serverBinary, startServer } from '../support/server.mjs';
import { until } from '../support/until.mjs';
import { agreement, assertOpen, viewOf } from '../support/view.mjs';

const RETRY_MAX_MS = 750; // between two tries to reach a Redis that is away
const LOOK_FOR_OTHERS_MS = 1_250; // whose time a node that is the first would share

const quick = { concurrency: 4 };

// A node that has no working store; `act` sees it serve.
async function withNode(url, act) {
  const node = await startNode(url);
  try {
    await act(node);
  } finally {
    const { code } = await node.stop();
    assert.equal(code, 0, node.stderr());
  }
}

async function untilUnready(node, expected) {
  let last;
  await until(async () => expected.test((last = await readiness(node)).text), () => `/readyz says ${last.text}`);
  assert.equal(last.status, 503);
  return last.text.trim();
}

// It serves what needs no store, and says of the rest that it is away.
async function assertServesWithout(node) {
  assert.equal((await fetch(`${node.origin}/`)).status, 200);
  assert.equal((await fetch(`${node.origin}/api/videos`)).status, 200);
  assert.equal((await fetch(`${node.adminOrigin}/healthz`)).status, 200);
  const refused = await fetch(`${node.origin}/api/sessions`, { method: 'POST' });
  assert.deepEqual([refused.status, (await refused.json()).error.code], [503, 'unavailable']);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
}

describe('at the start', quick, () => {
  test('nobody there: serves, says why, backs off, and goes on when it comes', async (t) => {
    const redis = await startRedis();
    try {
      await redis.kill();
      await withNode(redis.url, async (node) => {
        t.diagnostic(`/readyz: ${await untilUnready(node, /^redis: .*refused/i)}`);
        await assertServesWithout(node);
        await sleep(1_500);
        await redis.start();
        const startMs = performance.now();
        await whenReady(node);
        const tookMs = performance.now() - startMs;
        t.diagnostic(`ready ${Math.round(tookMs)} ms after Redis`);
        assert.ok(tookMs < RETRY_MAX_MS + LOOK_FOR_OTHERS_MS + 500);
        const { key } = await createSession(node);
        await (await join(node, key)).close();
      });
    } finally {
      await redis.stop();
    }
  });

  test('a wrong password, and none where one is wanted', async (t) => {
    const redis = await startRedis({ password: 'right' });
    try {
      for (const [url, expected] of [
        [`redis://:wrong@127.0.0.1:${redis.port}`, /^redis: WRONGPASS/], [`redis://127.0.0.1:${redis.port}`, /^redis: NOAUTH/],
        [`redis://:right@127.0.0.1:${redis.port}/99`, /^redis: .*DB index/]]) {
        await withNode(url, async (node) => {
          t.diagnostic(`/readyz: ${await untilUnready(node, expected)}`);
          await assertServesWithout(node);
          assert.doesNotMatch(node.stderr(), /wrong@|right@/, 'no password in the log');
        });
      }
    } finally {
      await redis.stop();
    }
  });

  test('a replica: READONLY, until it is master', async (t) => {
    const master = await startRedis();
    const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${master.port}`] });
    try {
      await withNode(replica.url, async (node) => {
        t.diagnostic(`/readyz: ${await untilUnready(node, /^redis: READONLY/)}`);
        await assertServesWithout(node);
        await replica.command('REPLICAOF', 'NO', 'ONE');
        await whenReady(node);
      });
    } finally {
      await Promise.all([replica.stop(), master.stop()]);
    }
  });

  test('a name that nobody knows, a Sentinel that does not know the master', async () => {
    await withNode('redis://no-such-host.invalid:6379', (node) => untilUnready(node, /^redis: .*(resolve|known|name)/i));
    const port = await freePort();
    await withNode(`redis+sentinel://127.0.0.1:${port}/show`, (node) => untilUnready(node, /^redis: Sentinel 127.0.0.1:\d+: .*refused/i));
    const redis = await startRedis();
    await withNode(`redis+sentinel://127.0.0.1:${redis.port}/show`, (node) => untilUnready(node, /^redis: Sentinel .*ERR/));
    await redis.stop();
  });
});

describe('--redis-required', quick, () => {
  const start = (url) => startServer({ args: ['--redis', url, '--redis-required', '--media', 'tests/support'] });

  test('nobody there: ends with 1 after its time, and says why', async (t) => {
    // Below all that tests pick: nobody else's Redis comes to be there meanwhile.
    const port = 1;
    const startMs = performance.now();
    const error = await start(`redis://127.0.0.1:${port}`).then(
      (node) => node.stop().then(() => assert.fail('it serves')), (refused) => refused);
    const tookMs = performance.now() - startMs;
    assert.match(error.message, /ended at once \(1\)/);
    const line = error.message.split('\n').find((text) => text.startsWith('videosync: '));
    assert.match(line, /^videosync: --redis: redis:\/\/127\.0\.0\.1:\d+ cannot be used: .*refused.*--redis-required/i);
    t.diagnostic(`${Math.round(tookMs)} ms; ${line}`);
    assert.ok(tookMs > 4_000 && tookMs < 9_000, `${tookMs} ms`);
  });

  test('a wrong password: the same, without the password', async () => {
    const redis = await startRedis({ password: 'right' });
    try {
      const error = await start(`redis://:wrong@127.0.0.1:${redis.port}`).then(
        (node) => node.stop().then(() => assert.fail('it serves')), (refused) => refused);
      assert.match(error.message, /ended at once \(1\)[\s\S]*videosync: --redis: redis:\/\/:\*\*\*@127.*WRONGPASS/);
    } finally {
      await redis.stop();
    }
  });

  test('there: it starts, and later losses are no end', async () => {
    const redis = await startRedis();
    const node = await start(redis.url);
    try {
      assert.equal((await readiness(node)).status, 200, 'ready before it says that it listens');
      await redis.kill();
      await untilUnready(node, /^redis: /);
      await redis.start();
      await whenReady(node);
    } finally {
      assert.equal((await node.stop()).code, 0);
      await redis.stop();
    }
  });

  test('it can be stopped while it waits', async () => {
    const port = await freePort();
    const child = await startChild(serverBinary(), ['--listen', '127.0.0.1:0', '--admin', 'none', '--redis', `redis://127.0.0.1:${port}`,
      '--redis-required', '--media', 'tests/support'], { cwd: projectRoot });
    await until(() => /waiting for Redis/.test(child.output()), () => child.output());
    child.signal('SIGTERM');
    assert.deepEqual(await child.exited, { code: 0, signal: null });
    assert.doesNotMatch(child.output(), /listening on/);
  });
});

describe('later', quick, () => {
  // ann and ben on two nodes; Redis begins to refuse, and members must notice only the notice.
  async function withShow(options, act) {
    const cluster = await startCluster(options);
    try {
      const [a, b] = cluster.nodes;
      const { key } = await createSession(a);
      const ann = await join(a, key, { name: 'Ann' });
      const ben = await join(b, key, { name: 'Ben' });
      ann.send('play', { position: 5 });
      await agreement([ann, ben], ({ seq, count }) => seq === 1 && count === 2);
      await act({ ...cluster, key, ann, ben, a, b });
    } finally {
      await cluster.stop();
    }
  }

  test('OOM: degraded, and yet everybody hears the host', (t) => withShow({}, async ({ redis, ann, ben, a, b, key }) => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    ann.send('seek', { position: 10 });
    await agreement([ann, ben], ({ position }) => position === 10);
    for (const member of [ann, ben]) await until(() => viewOf(member).notice === 'degraded' || member === ben, 'the notice');
    t.diagnostic(`/readyz: ${await untilUnready(a, /^redis: OOM/)}`);
    const refused = await fetch(`${b.origin}/api/sessions`, { method: 'POST' });
    assert.equal(refused.status, 503);
    const eve = await join(b, key, { name: 'Eve' });
    ann.send('seek', { position: 20 });
    await agreement([ann, ben, eve], ({ position, count }) => position === 20 && count === 3);
    await sleep(1_500); // it is tried again each second, and nobody is to notice
    assert.ok(ben.of('settings').length === 0, 'what nobody changed is not told');
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await whenReady(a);
    await until(() => viewOf(ann).notice === 'restored', 'the notice');
    const { state } = await (await fetch(`${b.origin}/api/sessions/${key}`)).json();
    assert.equal(state.position, 20);
    assertOpen([ann, ben, eve]);
  }));

  test('READONLY: its master has become a replica', (t) => withShow({}, async ({ redis, ann, ben, a, b }) => {
    const other = await startRedis();
    try {
      await redis.command('REPLICAOF', '127.0.0.1', other.port);
      ann.send('seek', { position: 10 });
      for (const node of [a, b]) t.diagnostic(`/readyz: ${await untilUnready(node, /^redis: READONLY/)}`);
      await ann.next('state', ({ position }) => position === 10);
      await redis.command('REPLICAOF', 'NO', 'ONE');
      await agreement([ann, ben], ({ position }) => position === 10);
      await Promise.all([whenReady(a), whenReady(b)]);
      assertOpen([ann, ben]);
    } finally {
      await other.stop();
    }
  }));

  test('NOAUTH: a password has been set, and the connections cut', (t) => withShow({}, async ({ redis, ann, ben, a, b }) => {
    await redis.command('CONFIG', 'SET', 'requirepass', 'new');
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    ann.send('seek', { position: 10 });
    for (const node of [a, b]) t.diagnostic(`/readyz: ${await untilUnready(node, /^redis: NOAUTH/)}`);
    await ann.next('state', ({ position }) => position === 10);
    await redis.command('CONFIG', 'SET', 'requirepass', '');
    await agreement([ann, ben], ({ position }) => position === 10);
    await Promise.all([whenReady(a), whenReady(b)]);
    assertOpen([ann, ben]);
  }));

  test('NOPERM: the user may not write any more', (t) => withShow({}, async ({ redis, ann, ben, a }) => {
    await redis.command('ACL', 'SETUSER', 'default', '-hset', '-evalsha', '-eval');
    ann.send('seek', { position: 10 });
    await agreement([ann, ben], ({ position }) => position === 10);
    t.diagnostic(`/readyz: ${await untilUnready(a, /^redis: NOPERM/)}`);
    await redis.command('ACL', 'SETUSER', 'default', '+@all');
    await whenReady(a);
    assertOpen([ann, ben]);
  }));
});
