// What the internal listener tells of Redis and of the other nodes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster } from '../support/cluster.mjs';
import { createSession, eventually, join } from '../support/member.mjs';
import { readMetric } from '../support/metrics.mjs';
import { startServer } from '../support/server.mjs';

let cluster;
let a;
let b;

before(async () => {
  cluster = await startCluster();
  [a, b] = cluster.nodes;
});
after(() => cluster?.stop());

const becomes = (node, name, value) => eventually(() => readMetric(node, name), (now) => now === value, name);
const grows = (node, name, before) => eventually(() => readMetric(node, name), (now) => now > before, name);

test('a node that shares nothing says nothing of Redis', async () => {
  const alone = await startServer({ args: ['--media', 'tests/support'] });
  try {
    const text = await (await fetch(`${alone.adminOrigin}/metrics`)).text();
    assert.doesNotMatch(text, /^videosync_(redis_|nodes|node_lag_|server_time_error_seconds)/m);
  } finally {
    await alone.stop();
  }
});

// Ann plays, and by what Ben is told the film runs.
async function started(ann, ben) {
  ann.send('play');
  const { atMs } = await ben.next('state', ({ playing }) => playing);
  const serverMs = async () => (await ben.settled()).findLast(({ type }) => type === 'pong').t2;
  await eventually(serverMs, (now) => now >= atMs, 'the start');
}

// What each histogram that a node exports has observed, by name.
async function histograms(node) {
  const text = await (await fetch(`${node.adminOrigin}/metrics`)).text();
  const names = [...text.matchAll(/^# TYPE videosync_(\w+) histogram$/gm)].map(([, name]) => name);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readMetric(node, `${name}_count`)])));
}

test('no histogram stays empty: requests, each broadcast to a worker, what viewers report', async () => {
  const alone = await startServer({ args: ['--media', 'tests/support', '--workers', '1'] });
  try {
    const { key } = await createSession(alone);
    const ann = await join(alone, key);
    const ben = await join(alone, key);
    await ann.next('members', ({ count }) => count === 2);
    await started(ann, ben);
    const report = { driftMs: -12, rttMs: 20, buffering: false };
    for (const firstFrameMs of [700, 900]) ben.send('report', { ...report, firstFrameMs });
    await ben.settled();
    const before = await histograms(alone);
    assert.deepEqual(Object.keys(before).sort(), ['fanout_seconds', 'first_frame_seconds', 'http_request_seconds', 'viewer_skew_seconds']);
    assert.equal(before.viewer_skew_seconds, 2);
    assert.equal(before.first_frame_seconds, 1, 'the first that a connection tells');
    for (const [name, count] of Object.entries(before)) assert.ok(count > 0, name);
    for (let i = 0; i < 10; i += 1) {
      ann.send('seek', { position: i });
      await ben.next('state', ({ position }) => position === i);
    }
    assert.equal((await fetch(`${alone.origin}/api/videos`)).status, 200);
    const now = await histograms(alone);
    assert.ok(now.fanout_seconds >= before.fanout_seconds + 10, `${now.fanout_seconds} fan-outs`);
    assert.ok(now.http_request_seconds > before.http_request_seconds);
    for (const name of Object.keys(now)) {
      const mean = (await readMetric(alone, `${name}_sum`)) / now[name];
      assert.ok(mean > 0 && mean < 1, `${name}: ${mean} s in the mean`);
    }
  } finally {
    await alone.stop();
  }
});

test('every family has its help and type once, and no sample comes twice', async () => {
  const text = await (await fetch(`${a.adminOrigin}/metrics`)).text();
  const heads = text.split('\n').filter((line) => line.startsWith('# TYPE '));
  assert.equal(new Set(heads).size, heads.length);
  const samples = text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(' ')[0]);
  assert.equal(new Set(samples).size, samples.length);
  assert.match(text, /^# HELP videosync_redis_up .+\n# TYPE videosync_redis_up gauge\nvideosync_redis_up 1$/m);
});

test('Redis is up, all nodes are known, and time is shared to a few milliseconds', async () => {
  for (const node of cluster.nodes) {
    assert.equal(await readMetric(node, 'redis_up'), 1);
    assert.equal(await readMetric(node, 'redis_degraded'), 0);
    await becomes(node, 'nodes', 2);
    await eventually(() => readMetric(node, 'server_time_error_seconds'), (error) => error > 0 && error < 0.005, 'the error');
  }
});

test('a command is counted: its round trip, and its way to the members on the other node', async () => {
  const { key } = await createSession(a);
  const ann = await join(a, key);
  const ben = await join(b, key);
  await ann.next('members', ({ count }) => count === 2);
  const before = {};
  for (const name of ['redis_round_trip_seconds_count', 'redis_commands_total']) before[name] = await readMetric(a, name);
  for (const name of ['node_lag_seconds_count', 'redis_messages_total']) before[name] = await readMetric(b, name);
  const lagAtHome = await readMetric(a, 'node_lag_seconds_count');
  for (let i = 0; i < 10; i += 1) {
    ann.send('seek', { position: i });
    await ben.next('state', ({ position }) => position === i);
  }
  for (const name of ['redis_round_trip_seconds_count', 'redis_commands_total']) await grows(a, name, before[name] + 9);
  for (const name of ['node_lag_seconds_count', 'redis_messages_total']) await grows(b, name, before[name] + 9);
  assert.equal(await readMetric(a, 'node_lag_seconds_count'), lagAtHome);
  const lagMs = (await readMetric(b, 'node_lag_seconds_sum')) * 1000 / (await readMetric(b, 'node_lag_seconds_count'));
  assert.ok(lagMs > 0 && lagMs < 1000, `${lagMs} ms in the mean`);
  assert.equal(await readMetric(b, 'node_lag_seconds_bucket{le="+Inf"}'), await readMetric(b, 'node_lag_seconds_count'));
  await started(ann, ben);
  ben.send('report', { driftMs: 40, rttMs: 20, buffering: false, firstFrameMs: 700 });
  await becomes(a, 'viewer_skew_seconds_bucket{le="0.05"}', 1);
  assert.equal(await readMetric(a, 'first_frame_seconds_count'), 0, 'that is counted where the viewer is');
  const there = await histograms(b);
  const atHome = ['fanout_seconds', 'viewer_skew_seconds'];
  for (const [name, count] of Object.entries(there)) assert.ok(count > 0 || atHome.includes(name), name);
});

test('Redis goes and comes back: down, degraded, errors; then up and one reconnect', async () => {
  assert.equal(await readMetric(a, 'redis_reconnects_total'), 0);
  const errors = await readMetric(a, 'redis_command_errors_total');
  const { key } = await createSession(a);
  const ann = await join(a, key);
  await cluster.redis.kill();
  await becomes(a, 'redis_up', 0);
  await becomes(a, 'redis_degraded', 1);
  ann.send('play');
  await ann.next('state');
  assert.equal((await fetch(`${a.origin}/api/sessions`, { method: 'POST' })).status, 503);
  await grows(a, 'redis_command_errors_total', errors);
  await cluster.redis.start();
  await becomes(a, 'redis_up', 1);
  await becomes(a, 'redis_degraded', 0);
  assert.equal(await readMetric(a, 'redis_reconnects_total'), 1);
});

test('a node that was killed is no longer counted', async () => {
  await becomes(a, 'nodes', 2);
  await b.stop('SIGKILL');
  await becomes(a, 'nodes', 1);
});
