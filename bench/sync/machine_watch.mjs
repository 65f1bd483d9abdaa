// Watches the machine that everything runs on, from inside the bench's process: its own stalls, and what the kernel
// says about the processors.
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { TICK_MS, stallsOf } from './stalls.mjs';
import { localMs } from './truth.mjs';

const LOOK_EVERY_MS = 500;

export class MachineWatch {
  #ticks = [localMs()];
  #looks = [look()];
  #timers;

  constructor() {
    const tick = setInterval(() => this.#ticks.push(localMs()), TICK_MS);
    const looking = setInterval(() => this.#looks.push(look()), LOOK_EVERY_MS);
    this.#timers = [tick, looking];
  }

  // [[fromMs, untilMs], ...] in which this process did not get to run.
  get stalls() {
    return stallsOf(this.#ticks);
  }

  // So far: {load: [least, most], busy, stolen, waiting}: the shares of the processors' time that was used, and
  // that the machine's host kept; and of the time in which something waited for a processor (null where the
  // kernel does not tell).
  summary() {
    this.#looks.push(look());
    const [first, last] = [this.#looks[0], this.#looks.at(-1)];
    const total = last.total - first.total;
    const loads = this.#looks.map(({ load }) => load);
    const waitedUs = last.waitedUs === null ? null : last.waitedUs - first.waitedUs;
    return {
      load: [Math.min(...loads), Math.max(...loads)],
      busy: 1 - (last.idle - first.idle) / total,
      stolen: (last.stolen - first.stolen) / total,
      waiting: waitedUs === null ? null : waitedUs / 1000 / (last.atMs - first.atMs),
    };
  }

  close() {
    this.#timers.forEach(clearInterval);
  }
}

function look() {
  const times = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle, waitingForDisks, , , stolen] = times;
  return {
    atMs: localMs(),
    load: loadavg()[0],
    total: times.reduce((sum, ticks) => sum + ticks, 0),
    idle: idle + waitingForDisks,
    stolen,
    waitedUs: pressure(),
  };
}

function pressure() {
  try {
    return Number(/^some .*total=(\d+)/m.exec(readFileSync('/proc/pressure/cpu', 'utf8'))[1]);
  } catch {
    return null; // a kernel without PSI
  }
}
