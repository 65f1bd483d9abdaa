// Limits, judged so that no load of the machine breaks them. Pure: each returns the fault in words, or null.
import { strainWords } from './report.mjs';

// all, clear: {count, p50, p95} of all readings, and of those that no stall has touched; limit: {readings, p50, p95}:
// at least so many readings, and no more than so many milliseconds. Readings that keep the limit have proved it; where
// they do not, stalls may be to blame, and the clear ones decide.
export function skewFault(what, { all, clear }, limit, strain) {
  const keeps = ({ count, p50, p95 }) => count >= limit.readings && p50 <= limit.p50 && p95 <= limit.p95;
  if (keeps(all) || keeps(clear)) return null;
  const words = ({ count, p50, p95 }) => `${p50.toFixed(1)} / ${p95.toFixed(1)} ms in ${count} readings`;
  if (clear.count >= limit.readings) return `${what}: ${words(clear)} without a stall, beyond ${limit.p50} / ${limit.p95}`;
  return `${what}: ${words(all)}, but only ${clear.count} without a stall, and ${limit.readings} are needed to judge: ${tooBusy(strain)}`;
}

// step: {name, viewer, ms, clearMs} as judge() has it. A stall takes the time that it takes, and no longer.
export function stepFault({ name, viewer, ms, clearMs }, limitMs, strain) {
  if (ms <= limitMs) return null;
  const took = Number.isFinite(ms) ? `in step after ${ms.toFixed(0)} ms` : 'never in step';
  if (clearMs > limitMs) return `${viewer} after ${name}: ${took}, ${clearMs.toFixed(0)} of them without a stall, more than ${limitMs}`;
  if (Number.isFinite(ms)) return null;
  return `${viewer} after ${name}: ${took}, but only ${clearMs.toFixed(0)} ms were without a stall, and ${limitMs} are needed to judge: ${tooBusy(strain)}`;
}

const tooBusy = (strain) => `the machine is too busy (${strainWords(strain)})`;
