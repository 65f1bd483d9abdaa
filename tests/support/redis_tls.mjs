// A real redis-server with a port for TLS beside its plain one.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startChild } from './child.mjs';
import { makeFolder } from './files.mjs';
import { freePort, redisServer, startRedis } from './redis.mjs';
import { serverBinary } from './server.mjs';
import { until } from './until.mjs';

const run = promisify(execFile);

export async function programHasTls() {
  const { stdout } = await run(serverBinary(), ['--version']);
  return /^TLS to Redis: there$/m.test(stdout);
}

// One without it does not know the setting, and neither starts with a port that is no number.
export async function redisHasTls() {
  const { stdout, stderr } = await run(redisServer, ['--port', '0', '--tls-port', 'none']).catch((error) => error);
  return !/Bad directive/.test(stdout + stderr);
}

export const tlsSettings = ({ authority, own, wantsClients = false }) => [
  ['tls-cert-file', own.certificate], ['tls-key-file', own.key], ['tls-ca-cert-file', authority.certificate],
  ['tls-auth-clients', wantsClients ? 'yes' : 'no']];

// authority, own: of authority.mjs; keepsData: of startRedis. What that resolves to, with `tls`: {port, url}.
export async function startTlsRedis({ authority, own, wantsClients, password = '', keepsData, args = [] }) {
  const port = await freePort();
  const settings = [['tls-port', port], ...tlsSettings({ authority, own, wantsClients })];
  const redis = await startRedis({ password, keepsData, args: [...settings.flatMap(([name, value]) => [`--${name}`, value]), ...args] });
  redis.tls = { port, url: `rediss://${password ? `:${password}@` : ''}127.0.0.1:${port}` };
  return redis;
}

// A Sentinel that speaks TLS alone and names the master's port for TLS. Resolves to {url, stop()}.
export async function startTlsSentinel({ authority, own, master, name = 'show' }) {
  const port = await freePort();
  const folder = await makeFolder({
    'sentinel.conf': [
      'bind 127.0.0.1', 'port 0', `tls-port ${port}`, 'tls-replication yes',
      ...tlsSettings({ authority, own }).map((setting) => setting.join(' ')),
      `sentinel monitor ${name} 127.0.0.1 ${master.tls.port} 1`, ''].join('\n'),
  });
  const child = await startChild(redisServer, [folder.path('sentinel.conf'), '--sentinel']);
  await until(() => /\+monitor master/.test(child.output()), () => `the Sentinel:\n${child.output()}`);
  return {
    url: `rediss+sentinel://127.0.0.1:${port}/${name}`,
    stop: async () => {
      await child.kill();
      await folder.remove();
    },
  };
}
