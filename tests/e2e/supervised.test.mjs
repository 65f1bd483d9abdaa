// Under a service manager: what it is told (sd_notify(3)), and when it stops being told that all is well.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { makeFolder } from '../support/files.mjs';
import { openRoom } from '../support/member.mjs';
import { startServer } from '../support/server.mjs';
import { loopThreads, startSupervisor, stopThread } from '../support/supervisor.mjs';
import { until, untilLogged } from '../support/until.mjs';

let media;
let folder;
before(async () => {
  media = await makeFolder({ 'film.mp4': 'film' });
  folder = await mkdtemp(path.join(tmpdir(), 'videosync-supervised-'));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await media?.remove();
});

async function supervise(t, name, { args = [], env = {} } = {}) {
  const supervisor = await startSupervisor(name);
  t.after(() => supervisor.stop());
  const server = await startServer({ args: ['--media', media.directory, ...args], env: { ...supervisor.env, ...env } });
  t.after(() => server.stop());
  return { server, supervisor };
}

test('it says that it serves, that it reloads, and that it stops, in this order', async (t) => {
  const { server, supervisor } = await supervise(t, path.join(folder, 'socket'), { args: ['--drain', '4s'] });
  await supervisor.untilTold(/^READY=1\|STATUS=serving 0 members of 0 sessions$/);
  process.kill(server.pid, 'SIGHUP');
  await until(() => supervisor.told().length >= 3, 'it has reloaded');
  const [, reloading, ready] = supervisor.told();
  assert.match(reloading, /^RELOADING=1\|MONOTONIC_USEC=\d+$/);
  assert.match(ready, /^READY=1\|STATUS=serving /);
  const { code } = await server.stop();
  assert.equal(code, 0);
  // Twice the 3 s that an end may take more than the drain, so that it is over before it is judged.
  await supervisor.untilTold(/^STOPPING=1\|STATUS=draining\|EXTEND_TIMEOUT_USEC=10000000$/);
});

test('a name that no file has; a status that people can read; no watchdog that nobody asked for', async (t) => {
  const { server, supervisor } = await supervise(t, `@videosync-test-${process.pid}`);
  await openRoom(server, 3, {});
  await supervisor.untilTold(/^STATUS=serving 3 members of 1 sessions$/);
  assert.deepEqual(supervisor.told().filter((line) => line.includes('WATCHDOG')), []);
});

test('a socket that is not there is said once, and it serves', async () => {
  const server = await startServer({ args: ['--media', media.directory], env: { NOTIFY_SOCKET: path.join(folder, 'nobody') } });
  await untilLogged(server, /the service manager cannot be told.*nobody.*No such file/);
  assert.equal((await fetch(`${server.adminOrigin}/healthz`)).status, 200);
  assert.equal((await server.stop()).code, 0);
});

test('a watchdog of another process is not fed', async (t) => {
  const env = { WATCHDOG_USEC: '300000', WATCHDOG_PID: String(process.pid) };
  const { server, supervisor } = await supervise(t, path.join(folder, 'other'), { env });
  process.kill(server.pid, 'SIGHUP');
  await until(() => supervisor.told().length >= 3, 'it has reloaded');
  await server.stop();
  assert.deepEqual(supervisor.told().filter((line) => line.includes('WATCHDOG')), []);
});

test('while one loop stands still /healthz names it and the watchdog is not fed; both recover', async (t) => {
  const { server, supervisor } = await supervise(t, path.join(folder, 'watchdog'), { args: ['--workers', '2'], env: { WATCHDOG_USEC: '300000' } });
  const health = async () => {
    const response = await fetch(`${server.adminOrigin}/healthz`);
    return [response.status, await response.text()];
  };
  const fed = () => supervisor.told().filter((line) => line === 'WATCHDOG=1').length;
  await until(() => fed() >= 3, 'the watchdog is fed');
  assert.deepEqual(await health(), [200, 'ok\n']);

  const [loop, ...others] = loopThreads(server.pid);
  assert.deepEqual(others, []);
  const stopped = await stopThread(loop);
  await untilLogged(server, /a loop stands still.*worker=1/);
  const fedBefore = fed();
  const [status, text] = await health();
  assert.equal(status, 503);
  assert.match(text, /^the loop of worker 1 has stood still for [5-9] s\n$/);
  assert.equal(fed(), fedBefore);

  await stopped.stop();
  await until(() => fed() > fedBefore, 'the watchdog is fed again');
  assert.deepEqual(await health(), [200, 'ok\n']);
});
