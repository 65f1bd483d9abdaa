// The Redis user that docs/NODES.md recommends may do all that nodes need, and no more than that.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startCluster } from '../support/cluster.mjs';
import { createSession, eventually, join } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startRedis } from '../support/redis.mjs';
import { projectRoot } from '../support/server.mjs';

test('two nodes do everything as the user of docs/NODES.md', async () => {
  const [, rule] = /^user (videosync on .+)$/m.exec(await readFile(path.join(projectRoot, 'docs/NODES.md'), 'utf8'));
  const redis = await startRedis();
  let cluster;
  try {
    await redis.command('ACL', 'SETUSER', ...rule.split(' '));
    const url = redis.url.replace('redis://', 'redis://videosync:secret@');
    cluster = await startCluster({ redis: { url } });
    const [a, b] = cluster.nodes;
    const { key, hostToken } = await createSession(a);
    const ann = await join(a, key);
    const ben = await join(b, key);
    ann.send('give', { to: ben.id });
    await ann.next('host', ({ id }) => id === ben.id);
    ben.send('seek', { position: 3 });
    assert.equal((await ann.next('state', ({ position }) => position === 3)).by, ben.id);
    const ended = await fetch(`${a.origin}/api/sessions/${key}`, { method: 'DELETE', headers: { Authorization: `Bearer ${hostToken}` } });
    assert.equal(ended.status, 204);
    for (const who of [ann, ben]) assert.equal(await who.closeCode(), 4001);
    await eventually(() => redis.command('HGET', `videosync:{${key}}:session`, 'removed'), (value) => value === '1', 'the tombstone');
    for (const node of cluster.nodes) assert.equal(await readMetric(node, 'redis_command_errors_total'), 0);
    assert.doesNotMatch(rule, /\+@|allcommands/);
  } finally {
    await cluster?.stop();
    await redis.stop();
  }
});
