// What the kernel knows of another process.
import { readFileSync } from 'node:fs';

// Memory of the process that is in RAM, in KiB.
export function residentKib(pid) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}
