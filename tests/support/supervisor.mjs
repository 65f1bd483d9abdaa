// A service manager, as the server meets one (sd_notify(3)), and a way to stop one of its loops.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startChild } from './child.mjs';
import { serverBinary } from './server.mjs';
import { until } from './until.mjs';

async function startBeside(name, args) {
  const program = path.join(path.dirname(serverBinary()), name);
  if (!existsSync(program)) throw new Error(`${program} is missing: build the target ${name}`);
  return startChild(program, args);
}

// name: of the socket, a path or @ and a name. Resolves to {env, told(), untilTold(pattern), stop()}: env is for the
// server; told() are its datagrams so far, each one line with '|' between its lines.
export async function startSupervisor(name) {
  const child = await startBeside('notify_socket', [name]);
  await until(() => child.output().startsWith('ready\n') || child.hasEnded(), 'the socket is there');
  const told = () => child.output().split('\n').slice(1, -1);
  return {
    env: { NOTIFY_SOCKET: name },
    told,
    untilTold: (pattern) => until(() => told().find((line) => pattern.test(line)), () => `${pattern} in ${told().join('\n')}`),
    stop: () => child.stop(),
  };
}

// Threads that turn a loop: they have a ring of their own, and the first is main's.
export function loopThreads(pid) {
  const folder = `/proc/${pid}/task`;
  const isLoop = (thread) => readFileSync(`${folder}/${thread}/comm`, 'utf8').startsWith('worker ');
  return readdirSync(folder).filter((thread) => Number(thread) !== pid && isLoop(thread)).map(Number);
}

// It goes on when the child ends: stop().
export async function stopThread(thread) {
  const child = await startBeside('stop_thread', [String(thread)]);
  await until(() => child.output().includes('stopped') || child.hasEnded(), 'the thread stands');
  if (child.hasEnded()) throw new Error(child.output());
  return child;
}
