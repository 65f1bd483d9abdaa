// The servers that are measured: ours, the floors, the peers. Each is started on loopback on a port
// of its own, bound to one core where there is another for the load, and ended by its process id.
import { existsSync } from 'node:fs';
import { chmod, copyFile, link, mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild } from '../../tests/support/child.mjs';

const source = fileURLToPath(new URL('../..', import.meta.url));
export const build = path.resolve(source, process.env.VIDEOSYNC_BENCH_BUILD ?? 'build/release');
let measuredBuild = build;
// Whose server `ours` is from now on; null: that of `build`. Loads and floors stay those of `build`.
export const useBuild = (folder) => { measuredBuild = folder ?? build; };
export const peersBuild = path.join(source, 'build/bench-peers');
export const coreCount = availableParallelism?.() ?? cpus().length;
const startTimeoutMs = 10_000;

export const hasOwnCore = coreCount >= 2;
// On one core the two share it, and the report says so.
export const serverCore = (count = 1) => (count >= coreCount ? `0-${coreCount - 1}` : count === 1 ? '0' : `0-${count - 1}`);
export const loadCore = () => String(coreCount - 1);

const program = (name) => path.join(build, 'bench', name);
const missing = (file, how) => (existsSync(file) ? null : `${path.relative(source, file)} is not there (${how})`);
const built = (file) => missing(file, '`make bench-build`');

// kind; absent(): why it cannot be had, or null; command(context): [program, arguments, environment];
// context: {video, folder, workers, extra, under}. targets: what is asked of it, where it differs.
const floor = (name, describe, takesVideo = false) => ({
  kind: 'floor',
  describe,
  absent: () => built(program(name)),
  command: ({ video }) => [program(name), takesVideo ? [video] : []],
  targets: { broadcast: '/', video: '/video.mp4', validate: '/validate' },
});

const nginx = (describe, aio) => ({
  kind: 'peer',
  describe: `nginx, ${describe}`,
  absent: () => (nginxProgram() ? null : 'nginx is not installed'),
  command: ({ folder }) => nginxCommand(folder, aio),
  targets: { video: '/video.mp4', validate: '/validate' },
});

export const subjects = {
  ours: {
    kind: 'ours',
    describe: 'VideoSync',
    absent: () => missing(path.join(measuredBuild, 'videosync'), '`make`'),
    // Without a PATH there is no ffprobe: it would be measured with the server whose child it is.
    command: ({ folder, workers, extra, under }) => ['env', [
      'PATH=', ...under, path.join(measuredBuild, 'videosync'),
      '--listen', '127.0.0.1:0', '--admin', 'none', '--workers', String(workers), '--media', path.join(folder, 'media'),
      '--max-per-address', '0', '--message-rate', '0', '--session-rate', '0', '--drain', '1', '--log-level', 'warn', ...extra,
    ]],
    ready: async (server) => {
      const response = await fetch(`http://127.0.0.1:${server.port}/api/sessions`, { method: 'POST' });
      const { key } = await response.json();
      return { broadcast: `/ws?session=${key}`, video: '/api/video', validate: `/api/sessions/${key}/validate` };
    },
  },
  // Ours of another build: see run.mjs --against.
  'other build': { kind: 'peer', describe: 'VideoSync, another build', absent: () => null },
  'send loop': floor('send_loop', 'one send(2) a member'),
  'send ring': floor('send_ring', 'one SEND submission a member, 256 a system call'),
  'answer loop': floor('answer_loop', 'recv(2), send(2)'),
  'file loop': floor('file_loop', 'send(2), sendfile(2)', true),
  ws: {
    kind: 'peer',
    describe: "Node's ws",
    absent: () => missing(path.join(peersBuild, 'node/node_modules/ws'), '`make bench-build`'),
    command: () => ['node', [path.join(peersBuild, 'node/broadcast.mjs')], { NODE_ENV: 'production' }],
    targets: { broadcast: '/' },
  },
  gorilla: {
    kind: 'peer',
    describe: 'Go, gorilla/websocket, http.ServeContent',
    absent: () => built(path.join(peersBuild, 'go_peer')),
    command: ({ video }) => [path.join(peersBuild, 'go_peer'), [video]],
    targets: { broadcast: '/ws', video: '/video', validate: '/validate' },
  },
  beast: {
    kind: 'peer',
    describe: 'Boost.Beast',
    absent: () => built(program('beast_broadcast')),
    command: () => [program('beast_broadcast'), []],
    targets: { broadcast: '/' },
  },
  nginx: nginx('one worker', 'off'),
  // What its documentation recommends for files that are not in the page cache.
  'nginx aio': nginx('one worker, threads for files', 'threads'),
};

const nginxProgram = () => ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find(existsSync);

async function nginxCommand(folder, aio) {
  const port = await freePort();
  const template = await readFile(path.join(source, 'bench/peers/nginx/nginx.conf.in'), 'utf8');
  const file = path.join(folder, 'nginx.conf');
  await writeFile(file, template.replaceAll('FOLDER', folder).replaceAll('PORT', String(port)).replace('aio AIO', `aio ${aio}`));
  return [nginxProgram(), ['-c', file, '-e', path.join(folder, 'error.log')], {}, port];
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const canConnect = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1');
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false)).once('connect', () => socket.destroy());
});

// {port, pid, targets, output(), stop()}. `video`: a file that the server offers; it must stay as it is.
// `under`: a program, with its whole path, and arguments that ours is run by.
export async function startServer(name, { video = null, workers = 1, extra = [], under = [] } = {}) {
  const subject = subjects[name];
  const folder = await mkdtemp(path.join(tmpdir(), 'videosync-bench-'));
  await chmod(folder, 0o755);  // nginx's worker is another user's
  await mkdir(path.join(folder, 'media'));
  if (video) await offer(video, path.join(folder, 'media/video.mp4'));
  const [file, args, env = {}, knownPort] = await subject.command({ video: video ?? '/dev/null', folder, workers, extra, under });
  const pin = hasOwnCore ? ['taskset', ['-c', serverCore(workers), file, ...args]] : [file, args];
  const child = await startChild(...pin, { env: { ...process.env, ...env } });
  const server = {
    name,
    pid: child.pid,
    output: child.output,
    stop: async () => {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    if (knownPort) await until(() => canConnect(knownPort), child, name);
    server.port = knownPort ?? (await announcedPort(child, name));
    server.targets = subject.ready ? await subject.ready(server) : subject.targets;
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

const offer = (from, to) => link(from, to).catch(() => copyFile(from, to));

async function until(condition, child, name) {
  for (const end = Date.now() + startTimeoutMs; Date.now() < end; await sleep(20)) {
    if (child.hasEnded()) break;
    if (await condition()) return;
  }
  throw new Error(`${name} did not begin to listen: ${child.output().trim()}`);
}

async function announcedPort(child, name) {
  let port = null;
  await until(() => {
    port = /listening on 127\.0\.0\.1:(\d+)/.exec(child.output())?.[1];
    return port !== undefined;
  }, child, name);
  return Number(port);
}

// Starts a load generator on the core that is its own: {figures(), end(), kill()}. `isFirst`: before
// every other load on that core (root only), so that their work does not count as waiting.
export async function startLoad(name, options, { isFirst = false } = {}) {
  const args = Object.entries(options).flatMap(([key, value]) => (value === true ? [`--${key}`] : [`--${key}`, String(value)]));
  const priority = isFirst && process.getuid() === 0 ? ['chrt', '-f', '10'] : [];
  const pin = hasOwnCore ? ['taskset', '-c', loadCore()] : [];
  const [file, ...rest] = [...priority, ...pin, program(name), ...args];
  const child = await startChild(file, rest);
  const figures = async () => {
    const { code } = await child.exited;
    if (code !== 0) throw new Error(child.output().trim());
    return JSON.parse(child.output().trim().split('\n').at(-1));
  };
  return {
    // What it printed, at its end.
    figures,
    output: child.output,
    hasEnded: child.hasEnded,
    // The same, but now.
    end: async () => {
      await child.stop();
      return figures();
    },
    kill: () => child.kill(),
  };
}

export const runLoad = async (name, options) => (await startLoad(name, options)).figures();
