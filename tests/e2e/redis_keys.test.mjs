// What is kept in Redis and under which names, how long it stays there, and the ways in: a user of
// few rights, a unix socket, a database of one's own.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startCluster, startNode, whenReady } from '../support/cluster.mjs';
import { makeFolder } from '../support/files.mjs';
import { createSession, join } from '../support/member.mjs';
import { namesOf, OWN_KEYS } from '../support/show.mjs';
import { startRedis } from '../support/redis.mjs';
import { until } from '../support/until.mjs';
import { agreement } from '../support/view.mjs';

const TTL_S = 90; // --session-ttl; the store adds a quarter and a minute while somebody may be there
const KEPT_MS = (TTL_S * 1.25 + 60) * 1_000;
const CLOCK = 'videosync:clock'; // of all nodes
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

async function withRedis(options, act) {
  const redis = await startRedis(options);
  try {
    await act(redis);
  } finally {
    await redis.stop();
  }
}

// Two nodes at that address do what nodes do.
async function assertWorks(redis, url) {
  const cluster = await startCluster({ redis: { url } });
  try {
    const [a, b] = cluster.nodes;
    const made = await createSession(a);
    const members = [await join(a, made.key), await join(b, made.key)];
    members[0].send('play', { position: 3 });
    await agreement(members, ({ seq }) => seq === 1);
    return made;
  } finally {
    await cluster.stop();
  }
}

describe('what is stored', { concurrency: 3 }, () => {
  test('one key a session and one for its code, tagged for a cluster, with an expiry; an ended one leaves a tombstone; one for time, one for a secret', (t) => withRedis({}, async (redis) => {
    const heard = await redis.hear();
    const node = await startNode(redis.url, ['--session-ttl', `${TTL_S}s`]);
    try {
      await whenReady(node);
      const { key, code } = await createSession(node);
      const [name, codeName] = namesOf({ key, code });
      const left = async () => Number(await redis.command('PTTL', name));
      const isFull = (ms) => ms > KEPT_MS - 5_000 && ms <= KEPT_MS;
      assert.ok(isFull(await left()), `${await left()} ms`);
      const ann = await join(node, key);
      assert.deepEqual((await redis.command('KEYS', '*')).sort(), [...OWN_KEYS, name, codeName].sort());
      assert.deepEqual(await redis.command('HKEYS', codeName), ['session']);
      assert.deepEqual((await redis.command('HKEYS', CLOCK)).sort(), ['born', 'offset', 'version']);
      assert.equal(Number(await redis.command('PTTL', CLOCK)), -1);
      assert.deepEqual((await redis.command('HKEYS', name)).sort(), ['bytes', 'fence', 'revision'], 'no queue yet');
      const bytes = Number(await redis.command('MEMORY', 'USAGE', name));
      await redis.command('PEXPIRE', name, 5_000);
      ann.send('play');
      await ann.next('state');
      await until(async () => isFull(await left()), async () => `a change prolongs: ${await left()} ms`);
      const channels = new Set(heard.map(({ channel }) => channel));
      for (const channel of channels) assert.match(channel, new RegExp(`^(videosync:\\{${UUID}\\}:(events|pulse)|${CLOCK})$`));
      ann.send('end');
      await ann.closed;
      await until(async () => (await redis.command('HKEYS', name)).join() === 'removed', 'the tombstone');
      const tombMs = await left();
      assert.equal(Number(await redis.command('EXISTS', codeName)), 0);
      assert.ok(tombMs > 590_000 && tombMs <= 600_000, `${tombMs} ms`);
      t.diagnostic(`a session takes ${bytes} bytes in Redis`);
    } finally {
      assert.equal((await node.stop()).code, 0);
    }
  }));

  test('a node that ends leaves its sessions to whoever asks next, for their time to live', () => withRedis({}, async (redis) => {
    const node = await startNode(redis.url, ['--session-ttl', `${TTL_S}s`]);
    await whenReady(node);
    const { key } = await createSession(node);
    const ann = await join(node, key, { name: 'Ann' });
    ann.send('seek', { position: 8 });
    await ann.next('state');
    assert.equal((await node.stop()).code, 0);
    assert.equal(await ann.closeCode(), 1001);
    const left = Number(await redis.command('PTTL', `videosync:{${key}}:session`));
    assert.ok(left > (TTL_S - 15) * 1_000, `${left} ms`);
    const next = await startNode(redis.url);
    try {
      await whenReady(next);
      const startMs = performance.now();
      const again = await join(next, key, { resume: ann.resume });
      assert.ok(performance.now() - startMs < 2_000, 'nobody was waited for');
      assert.deepEqual([again.id, again.welcome.you.role, again.welcome.state.position], [ann.id, 'host', 8]);
    } finally {
      assert.equal((await next.stop()).code, 0);
    }
  }));

  test('what expires is gone for everybody', () => withRedis({}, async (redis) => {
    const node = await startNode(redis.url);
    try {
      await whenReady(node);
      const { key } = await createSession(node);
      const isValid = async () => (await (await fetch(`${node.origin}/api/sessions/${key}/validate`)).json()).valid;
      assert.equal(await isValid(), true);
      await redis.command('PEXPIRE', `videosync:{${key}}:session`, 1);
      await until(async () => !(await isValid()), 'it to be gone');
      assert.equal((await fetch(`${node.origin}/api/sessions/${key}`)).status, 404);
    } finally {
      assert.equal((await node.stop()).code, 0);
    }
  }));
});

describe('the ways in', { concurrency: 3 }, () => {
  // The rights that docs/NODES.md names.
  test('a user that may do only what is needed', () => withRedis({}, async (redis) => {
    await redis.command('ACL', 'SETUSER', 'show', 'on', '>pa:ss@w/rd', 'resetkeys', 'resetchannels', '~videosync:*', '&videosync:*', '-@all',
      ...['ping', 'select', 'role', 'time', 'publish', 'subscribe', 'unsubscribe', 'script|load', 'evalsha', 'eval', 'hmget', 'hset',
        'hexists', 'exists', 'pexpire', 'del'].map((name) => `+${name}`));
    await assertWorks(redis, `redis://show:${encodeURIComponent('pa:ss@w/rd')}@127.0.0.1:${redis.port}`);
    assert.equal((await redis.command('ACL', 'LOG')).length, 0, 'nothing was refused');
  }));

  test('a unix socket, a password without a user, a database number', async () => {
    const folder = await makeFolder();
    try {
      await withRedis({ args: ['--unixsocket', folder.path('r.sock')], password: 'open' }, async (redis) => {
        const made = await assertWorks(redis, `redis://:open@127.0.0.1:${redis.port}/7`);
        assert.match(await redis.command('INFO', 'keyspace'), /^db7:keys=4/m);
        await redis.command('SELECT', 7);
        assert.deepEqual((await redis.command('KEYS', '*')).sort(), [...OWN_KEYS, ...namesOf(made)].sort());
      });
      await withRedis({ args: ['--unixsocket', folder.path('s.sock')] }, (redis) => assertWorks(redis, `redis+unix:${folder.path('s.sock')}`));
    } finally {
      await folder.remove();
    }
  });
});
