// Processes that tests start beside the server: none outlives the test.
//
// Each is ended by its own id: by stop() or kill(), when this process ends, and by the kernel when
// this process is killed (setpriv of util-linux).
import { spawn } from 'node:child_process';

const STOP_TIMEOUT_MS = 5_000;
const OUTPUT_KEPT = 64 * 1024;
const running = new Set();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

// options: of spawn; onOutput(text) is told what it says on stdout and stderr, as it comes.
// Resolves to {pid, output(), exited, hasEnded(), signal(name), stop(), kill()} when the program runs.
export async function startChild(program, args, { onOutput = () => {}, ...options } = {}) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-OUTPUT_KEPT);
      onOutput(text);
    });
  }
  running.add(child);
  const exited = new Promise((resolve) => child.once('close', (code, signal) => {
    running.delete(child);
    resolve({ code, signal });
  }));
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal) => {
    if (!hasEnded()) {
      child.kill('SIGCONT');
      child.kill(signal);
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    return exited.finally(() => clearTimeout(timer));
  };
  return {
    pid: child.pid,
    output: () => output,
    exited,
    hasEnded,
    signal: (name) => child.kill(name),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}
