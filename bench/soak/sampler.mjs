// What the kernel says of the server, once a second; and of its cache and its Redis, which cost more to ask, less often.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { filesBelow } from '../../tests/support/files.mjs';
import { openFiles, residentKib } from '../../tests/support/process.mjs';

const EVERY_MS = 1_000;
const SELDOM = 5;
const KIB_IN_MIB = 1_024;

// The processes whose parent it is.
function childrenOf(pid) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((one) => {
    try {
      const line = readFileSync(`/proc/${one}/stat`, 'utf8');
      return Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[1]) === pid;
    } catch {
      return false; // it has ended
    }
  });
}

// Of those that are the same program, and stay: its helpers. What it starts to look into films comes and goes.
function helpersKib(pid, children) {
  const program = readlinkSync(`/proc/${pid}/exe`);
  return children.reduce((sum, one) => {
    try {
      return sum + (readlinkSync(`/proc/${one}/exe`) === program ? residentKib(one) : 0);
    } catch {
      return sum; // it has ended
    }
  }, 0);
}

export async function bytesBelow(folder) {
  const sizes = await Promise.all((await filesBelow(folder)).map((place) => stat(place).then(({ size }) => size, () => 0)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

export const socketsOf = (pid) => openFiles(pid).filter((name) => name.startsWith('socket:')).length;
const threadsOf = (pid) => Number(/^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// Seconds of processor that it has had, and its children that have ended.
export function processorS(pid) {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system, childUser, childSystem] = line.slice(line.lastIndexOf(')') + 2).split(' ').slice(11, 15).map(Number);
  return { own: (user + system) / 100, children: (childUser + childSystem) / 100 };
}

// begunMs: of the run. redisKeys(): a promise of how many there are, or of null. Samples are [{atMs, rssMib, ...}].
export function startSampler({ pid, cache, redisKeys, begunMs, onGone }) {
  const samples = [];
  let turn = 0;
  let isBusy = false;
  const look = async () => {
    const children = childrenOf(pid);
    const sample = {
      atMs: performance.now() - begunMs,
      rssMib: residentKib(pid) / KIB_IN_MIB,
      helpersMib: helpersKib(pid, children) / KIB_IN_MIB,
      descriptors: openFiles(pid).length,
      threads: threadsOf(pid),
      children: children.length,
    };
    if (turn++ % SELDOM === 0) {
      sample.cacheMib = (await bytesBelow(cache)) / KIB_IN_MIB ** 2;
      sample.redisKeys = (await redisKeys()) ?? undefined;
    }
    samples.push(sample);
  };
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    look().catch((error) => {
      clearInterval(timer);
      onGone(error);
    }).finally(() => (isBusy = false));
  }, EVERY_MS);
  return { samples, stop: () => clearInterval(timer) };
}
