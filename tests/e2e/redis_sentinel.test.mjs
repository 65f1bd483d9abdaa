// A Sentinel makes the replica master while people watch.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readiness, startCluster } from '../support/cluster.mjs';
import { createSession, join, sleep } from '../support/member.mjs';
import { startSentinel } from '../support/redis.mjs';
import { namesOf, OWN_KEYS } from '../support/show.mjs';
import { until } from '../support/until.mjs';
import { agreement, assertOpen, viewOf } from '../support/view.mjs';

const FOUND_MS = 5_000;

async function assertFailover(t, leave) {
  const sentinel = await startSentinel();
  let cluster;
  try {
    cluster = await startCluster({ redis: sentinel });
    const [a, b] = cluster.nodes;
    const { key, code } = await createSession(a);
    const ann = await join(a, key, { name: 'Ann' });
    const ben = await join(b, key, { name: 'Ben' });
    ann.send('play', { position: 5 });
    await agreement([ann, ben], ({ seq }) => seq === 1);
    const leftMs = performance.now();
    await leave(sentinel.master);
    // What happens meanwhile only the nodes know.
    await until(() => {
      ann.send('seek', { position: 50 });
      return sleep(100).then(async () => (await sentinel.masterPort()) === sentinel.replica.port);
    }, 'the election', 30_000);
    const electedMs = performance.now();
    await agreement([ann, ben], ({ position }) => position === 50);
    await until(async () => (await Promise.all(cluster.nodes.map((node) => readiness(node)))).every(({ status }) => status === 200), 'readiness');
    ann.send('pause');
    await agreement([ann, ben], ({ playing }) => !playing);
    const foundMs = performance.now() - electedMs;
    assertOpen([ann, ben]);
    assert.equal(viewOf(ben).host, ann.id);
    // A home looks at a store that is back before it writes; until then a change is only told.
    await until(async () => (await sentinel.replica.calls()).evalsha > 0, 'the session in the new master');
    const calls = await sentinel.replica.calls();
    assert.ok(calls['script|load'] >= 8, JSON.stringify(calls));
    assert.deepEqual((await sentinel.replica.command('KEYS', '*')).sort(), [...OWN_KEYS, ...namesOf({ key, code })].sort());
    const late = await join(b, key, { name: 'Eve' });
    assert.equal(late.welcome.state.seq, viewOf(ann).state.seq);
    t.diagnostic(`elected ${Math.round(electedMs - leftMs)} ms after the loss, a command crosses over the new master ` +
      `${Math.round(foundMs)} ms after that; scripts loaded there: ${calls['script|load']}`);
    assert.ok(foundMs <= FOUND_MS, `${foundMs} ms`);
  } finally {
    await cluster?.stop();
    await sentinel.stop();
  }
}

test('the master is killed', (t) => assertFailover(t, (master) => master.kill()));
test('the master hangs', (t) => assertFailover(t, (master) => master.hang()));
