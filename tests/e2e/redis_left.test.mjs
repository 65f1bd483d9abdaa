// A session that everybody has left, on two nodes: it waits where that was, and whichever node is asked says so.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { comeBack, startCluster, startNode, whenReady } from '../support/cluster.mjs';
import { createSession, eventually, join } from '../support/member.mjs';

const ARGS = ['--resume-time', '1s', '--host-grace', '1s'];
let cluster;

before(async () => {
  cluster = await startCluster({ args: ARGS });
});

after(() => cluster?.stop());

const info = async (node, key) => (await fetch(`${node.origin}/api/sessions/${key}`)).json();
const isLeft = ({ leftMs }) => leftMs !== undefined;

test('both nodes say when and where, and the one that is left says it when the other is lost', async () => {
  const [a, b] = cluster.nodes;
  const { key } = await createSession(a);
  const [ann, ben] = [await join(a, key), await join(b, key)];
  ann.send('play', { position: 100 });
  await ben.next('state', ({ playing }) => playing);
  await ann.close();
  await ben.close();
  const [atA, atB] = await Promise.all([a, b].map((node) => eventually(() => info(node, key), isLeft, 'it is left')));
  assert.deepEqual(atA.state, atB.state);
  assert.deepEqual([atA.leftMs, atA.state.playing, atA.state.by], [atB.leftMs, false, null]);
  assert.ok(atA.state.position >= 100 && atA.state.position < 105, `${atA.state.position}`);
  process.kill(a.pid, 'SIGKILL');
  await a.exited;
  const later = await eventually(() => info(b, key), isLeft, 'the other node says so');
  assert.deepEqual([later.leftMs, later.state.position], [atA.leftMs, atA.state.position]);
  const cem = await comeBack(b, key, {});
  assert.deepEqual([cem.welcome.state.playing, cem.welcome.state.position], [false, atA.state.position]);
});

test('so does a node that comes later, of what was left when the last one ended', async () => {
  const [, b] = cluster.nodes;
  const { key } = await createSession(b);
  const ann = await join(b, key);
  ann.send('play', { position: 50 });
  await ann.next('state', ({ playing }) => playing);
  await b.stop(); // which closes her
  const c = await startNode(cluster.redis.url, ARGS);
  cluster.nodes.push(c);
  await whenReady(c);
  const told = await eventually(() => info(c, key), isLeft, 'it is left');
  assert.ok(!told.state.playing && told.state.position >= 50 && told.state.position < 60, JSON.stringify(told.state));
  const ben = await join(c, key);
  assert.deepEqual([ben.welcome.state.playing, ben.welcome.state.position], [false, told.state.position]);
});
