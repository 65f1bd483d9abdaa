// Starts and stops a real VideoSync server for a test.
//
// A binary of `make asan` or `make tsan` that reported anything makes stop() fail, and so the test.
// The server listens on ports of the kernel's choice, on loopback only, and makes no posters unless
// env.VIDEOSYNC_CACHE names a folder for them. It is ended by its own process id, or by that of the
// process that has taken over from it (SIGUSR2), which is not a child of this one; whoever calls
// startServer must call stop(), also when the test fails.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { signal as signalIfThere } from './process.mjs';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 10_000;
const OUTPUT_KEPT = 256 * 1024;
const LINES_SHOWN = 40;
const outputs = []; // of all that were started

// Of a test that fails: what its servers had to say, which nobody can ask them any more.
process.once('exit', (code) => {
  if (code === 0) return;
  for (const [i, { stderr }] of outputs.entries()) {
    const words = stderr.split('\n').filter((line) => / (warn|error) /.test(line)).slice(-LINES_SHOWN);
    if (words.length > 0) console.log(`server ${i + 1} of ${outputs.length} had said:\n${words.join('\n')}`);
  }
});

export function serverBinary() {
  return path.resolve(projectRoot, process.env.VIDEOSYNC_BINARY ?? 'build/dev/videosync');
}

// args: added after the ephemeral --listen and --admin. env: added to this process's environment.
// listen, admin: fixed addresses instead, for a restart in the same place.
// binary: another program, such as a link to it beside which something else lies.
// inherited: descriptors that the server has from the start, beside its three.
// stderr: a descriptor that takes what the server says there; stderr() is empty then.
// Resolves when the server says that it listens; rejects with its output when it ends before that.
export async function startServer({ binary = serverBinary(), args = [], env = {}, cwd = projectRoot, listen = '127.0.0.1:0', admin = '127.0.0.1:0', stderr = 'pipe', inherited = [] } = {}) {
  const child = spawn(binary, ['--listen', listen, '--admin', admin, ...args], {
    cwd,
    env: { ...process.env, VIDEOSYNC_CACHE: 'none', ...env },
    stdio: ['ignore', 'pipe', stderr, ...inherited],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name]?.setEncoding('utf8');
    child[name]?.on('data', (text) => {
      output[name] = (output[name] + text).slice(-OUTPUT_KEPT);
    });
  }
  outputs.push(output);
  // `close` follows `exit` when all of the output has been read.
  const exited = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  const addresses = await untilListening(child, output, exited);
  // Who serves now: a process that takes over has the output of the one before.
  const successors = () => [...output.stderr.matchAll(/the new program serves.*\bpid=(\d+)/g)].map(([, pid]) => Number(pid));
  return {
    ...addresses,
    pid: child.pid,
    successors,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    exited,
    stop: async (signal = 'SIGTERM') => {
      const end = await stopChild(child, exited, signal, successors().at(-1));
      const report = /\b(?:Address|Leak|Thread|UndefinedBehavior)Sanitizer|: runtime error: /.exec(output.stderr);
      if (report) throw new Error(`the server reported:\n${output.stderr.slice(Math.max(0, report.index - 200))}`);
      return end;
    },
  };
}

async function untilListening(child, output, exited) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('the server did not start in time')), START_TIMEOUT_MS);
  });
  const failed = new Promise((_, reject) => child.once('error', reject));
  const ended = exited.then(({ code, signal }) => {
    throw new Error(`the server ended at once (${signal ?? code})`);
  });
  const listening = (async () => {
    for (;;) {
      const addresses = findAddresses(output.stdout) ?? findAddresses(output.stderr);
      if (addresses) return addresses;
      const outputs = [child.stdout, child.stderr].filter(Boolean);
      await Promise.race(outputs.map((stream) => once(stream, 'data')));
    }
  })();
  try {
    return await Promise.race([listening, timeout, failed, ended]);
  } catch (error) {
    child.kill('SIGKILL');
    error.message += `\n${output.stdout}${output.stderr}`;
    throw error;
  } finally {
    clearTimeout(timer);
    failed.catch(() => {});
    ended.catch(() => {});
    listening.catch(() => {});
  }
}

// Each `listening on ADDRESS` names a listener; where "admin" or "internal" stands before the
// address, or where it is the second one, it is the internal listener's. null until both are known.
function findAddresses(text) {
  let publicAddress = null;
  let adminAddress = null;
  const wholeLines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  for (const line of wholeLines) {
    if (!/listening on/.test(line)) continue;
    for (const [, before, address] of line.matchAll(/([^,]*?)((?:127\.0\.0\.1|\[::1?\]|0\.0\.0\.0):\d+)/g)) {
      if (/admin|internal/.test(before)) adminAddress ??= address;
      else if (publicAddress === null) publicAddress = address;
      else adminAddress ??= address;
    }
  }
  if (!publicAddress || !adminAddress) return null;
  return {
    origin: `http://${publicAddress}`,
    wsOrigin: `ws://${publicAddress}`,
    adminOrigin: `http://${adminAddress}`,
  };
}

async function stopChild(child, exited, signal, successor) {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  if (hasEnded && !successor) return exited;
  const end = (how) => (successor ? signalIfThere(successor, how) : child.kill(how));
  end(signal);
  const timer = setTimeout(() => end('SIGKILL'), STOP_TIMEOUT_MS);
  try {
    return await exited;
  } finally {
    clearTimeout(timer);
  }
}
