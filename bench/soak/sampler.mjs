// What the kernel says of the server, once a second; and of its cache and its Redis, which cost more to ask, less often.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { filesBelow } from '../../tests/support/files.mjs';
import { openFiles, residentKib } from '../../tests/support/process.mjs';

const EVERY_MS = 1_000;
const SELDOM = 5;
const KIB_IN_MIB = 1_024;

// The processes whose parent it is: [{pid, isHelper}]. Helpers are the same program and stay, and so would a child that
// has ended and that nobody has waited for; what looks into films and makes their forms comes and goes.
export function childrenOf(pid) {
  const program = readlinkSync(`/proc/${pid}/exe`);
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const line = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent] = line.slice(line.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) !== pid) return [];
      return [{ pid: Number(name), isHelper: state === 'Z' || readlinkSync(`/proc/${name}/exe`) === program }];
    } catch {
      return []; // it has ended
    }
  });
}

const helpersKib = (helpers) => helpers.reduce((sum, one) => {
  try {
    return sum + residentKib(one.pid);
  } catch {
    return sum;
  }
}, 0);

export async function bytesBelow(folder) {
  const sizes = await Promise.all((await filesBelow(folder)).map((place) => stat(place).then(({ size }) => size, () => 0)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

export const socketsOf = (pid) => openFiles(pid).filter((name) => name.startsWith('socket:')).length;

// Those that io_uring has made for what would wait are the kernel's affair: they come and go.
function threadsOf(pid) {
  const names = readdirSync(`/proc/${pid}/task`).map((one) => {
    try {
      return readFileSync(`/proc/${pid}/task/${one}/comm`, 'utf8');
    } catch {
      return 'iou-gone';
    }
  });
  return names.filter((name) => !name.startsWith('iou-')).length;
}

// Seconds of processor that it has had, and its children that have ended.
export function processorS(pid) {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system, childUser, childSystem] = line.slice(line.lastIndexOf(')') + 2).split(' ').slice(11, 15).map(Number);
  return { own: (user + system) / 100, children: (childUser + childSystem) / 100 };
}

// begunMs: of the run. connectionsOf(): how many it serves; redisKeys(): a promise of how many there are, or of null.
// Samples are [{atMs, rssMib, ...}].
export function startSampler({ pid, cache, connectionsOf, redisKeys, begunMs, onGone }) {
  const samples = [];
  let turn = 0;
  let isBusy = false;
  const look = async () => {
    const children = childrenOf(pid);
    const helpers = children.filter(({ isHelper }) => isHelper);
    const connections = await connectionsOf();
    const sample = {
      atMs: performance.now() - begunMs,
      rssMib: residentKib(pid) / KIB_IN_MIB,
      helpersMib: helpersKib(helpers) / KIB_IN_MIB,
      descriptors: openFiles(pid).length,
      otherDescriptors: openFiles(pid).length - connections,
      threads: threadsOf(pid),
      helpers: helpers.length,
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
