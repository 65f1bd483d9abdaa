// `make run-redis` as its user meets it: one address, a node that may die, and nothing left behind.
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startChild } from '../support/child.mjs';
import { makeFolder } from '../support/files.mjs';
import { createSession, join } from '../support/member.mjs';
import { freePort } from '../support/redis.mjs';
import { projectRoot, serverBinary } from '../support/server.mjs';
import { until } from '../support/until.mjs';

const script = path.join(projectRoot, 'deploy/run-redis');
let temporary;

before(async () => {
  temporary = await makeFolder();
});
after(() => temporary?.remove());

const start = (args, env = {}) => startChild(script, args,
  { cwd: projectRoot, env: { ...process.env, TMPDIR: temporary.directory, ...env } });

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const isGone = (file) => access(file).then(() => false, () => true);

test('it serves at one address, brings a killed node back, and on Ctrl-C leaves nothing', async () => {
  const port = await freePort();
  const all = await start([serverBinary(), '--media', 'tests/support', '--workers', '1'], { PORT: String(port) });
  try {
    await until(() => all.hasEnded() || all.output().includes('comes back after'), () => all.output(), 20_000);
    const told = all.output();
    assert.match(told, new RegExp(`^Open http://127\\.0\\.0\\.1:${port}/ in a browser`, 'm'));
    const front = { origin: `http://127.0.0.1:${port}`, wsOrigin: `ws://127.0.0.1:${port}` };
    const pids = Object.fromEntries([...told.matchAll(/(\w+) {2}process (\d+)/g)].map(([, name, pid]) => [name, Number(pid)]));
    assert.deepEqual(Object.keys(pids).sort(), ['nginx', 'node1', 'node2', 'redis']);
    const folder = /redis-cli -s (\S+)\/redis\.sock/.exec(told)[1];

    const { key } = await createSession(front);
    assert.equal((await join(front, key)).welcome.members.count, 1);
    process.kill(pids.node1, 'SIGKILL');
    const member = await join(front, key);
    assert.equal(member.welcome.session.key, key);
    await until(() => /-- node1 has ended \(status 137\)/.test(all.output()), () => all.output());
    const again = await until(() => /-- node1 is process (\d+) now/.exec(all.output()), () => all.output());
    await until(() => all.output().split('[node1] listening on').length === 3, () => all.output());

    all.signal('SIGINT');
    assert.deepEqual(await all.exited, { code: 0, signal: null }, all.output());
    for (const pid of [...Object.values(pids), Number(again[1])]) assert.equal(isAlive(pid), false, `${pid} is still there`);
    assert.ok(await isGone(folder));
  } finally {
    await all.stop();
  }
});

test('what cannot work is told, and what had been started ends', async () => {
  const wrong = await start([serverBinary(), '--workers', 'many'], { PORT: String(await freePort()) });
  assert.equal((await wrong.exited).code, 1);
  assert.match(wrong.output(), /--workers.*many/);
  assert.match(wrong.output(), /error: node1 ended at once/);

  const missing = await start(['/no/such/videosync']);
  assert.equal((await missing.exited).code, 1);
  assert.match(missing.output(), /error: \/no\/such\/videosync is not there/);

  const nonsense = await start([serverBinary()], { PORT: 'eighty' });
  assert.equal((await nonsense.exited).code, 1);
  assert.match(nonsense.output(), /PORT='eighty' is no port/);
});

test('a port in use is passed over', async () => {
  const port = await freePort();
  const taken = net.createServer().listen(port, '127.0.0.1');
  const all = await start([serverBinary(), '--media', 'tests/support', '--workers', '1'], { PORT: String(port), NODES: '1' });
  try {
    const found = await until(() => all.hasEnded() || /Open http:\/\/127\.0\.0\.1:(\d+)\//.exec(all.output()), () => all.output(), 20_000);
    assert.ok(Number(found[1]) > port, all.output());
    assert.equal((await fetch(`http://127.0.0.1:${found[1]}/`)).status, 200);
  } finally {
    await all.stop();
    taken.close();
  }
});
