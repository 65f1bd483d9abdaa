// Whatever an engine starts carries a mark in its environment, as does what that starts in turn, so that
// all of it can be found and ended, each by its own id.
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { signal } from '../process.mjs';
import { until } from '../until.mjs';

const NAME = 'VIDEOSYNC_ENGINE_MARK';
const END_MS = 5_000;

export function newMark() {
  return { [NAME]: randomUUID() };
}

// The ids of the processes that carry the mark, but for those that have ended and wait to be reaped.
export function pidsOf(mark) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && carries(name, mark)).map(Number);
}

// Resolves when none is left: they are given a moment to end by themselves first.
export async function endAll(mark, graceMs = 2_000) {
  await until(() => pidsOf(mark).length === 0, 'the engine ends', graceMs).catch(() => {});
  for (const pid of pidsOf(mark)) signal(pid, 'SIGKILL');
  await until(() => pidsOf(mark).length === 0, () => `still there: ${pidsOf(mark)}`, END_MS);
}

function carries(pid, mark) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${NAME}=${mark[NAME]}`);
  } catch {
    return false; // it has just ended, or is somebody else's
  }
}
