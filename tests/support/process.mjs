// What the kernel knows of another process, and how to make one stand still.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { until } from './until.mjs';

// Memory of the process that is in RAM, in KiB.
export function residentKib(pid) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

// What all its threads that are there have spent on a processor, in us.
export function processorUs(pid) {
  const spentNs = eachOf(`/proc/${pid}/task`, (thread) => Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]));
  return spentNs.reduce((sum, ns) => sum + ns, 0) / 1_000;
}

// Where its descriptors lead: paths, and names such as "socket:[12345]". No file system is asked.
export function openFiles(pid) {
  return eachOf(`/proc/${pid}/fd`, (descriptor) => readlinkSync(descriptor));
}

// Whether there was one to take the signal: what was listed a moment ago may have ended since.
export function signal(pid, name) {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    throw error;
  }
}

// Resolves when no thread of the process does anything any more, until SIGCONT.
//
// SIGSTOP alone only begins that: one thread takes the signal and stops the others, once it gets a
// processor, and until then they go on. 30 ms of that were seen with both processors loaded.
export async function pauseProcess(pid) {
  process.kill(pid, 'SIGSTOP');
  const standsStill = () => threadStates(pid).every((state) => state === 'T');
  await until(standsStill, () => `process ${pid} to stand still: its threads are ${threadStates(pid)}`, 10_000, 1);
}

// A letter for each: R runs, S sleeps, D waits for a device, T is stopped.
function threadStates(pid) {
  return eachOf(`/proc/${pid}/task`, (thread) => {
    const status = readFileSync(`${thread}/stat`, 'utf8');
    return status[status.lastIndexOf(')') + 2];
  });
}

// What `look` says of each entry, but for those that have gone since they were listed.
function eachOf(folder, look) {
  return readdirSync(folder).flatMap((name) => {
    try {
      return [look(`${folder}/${name}`)];
    } catch (error) {
      if (error.code === 'ENOENT' || error.code === 'ESRCH') return [];
      throw error;
    }
  });
}
