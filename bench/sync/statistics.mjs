// What a measurement comes to. Pure: times in milliseconds, errors in milliseconds of media time,
// above zero where the viewer is ahead.

export const IN_STEP_MS = 35;
const STAYS_MS = 1_000; // in step is who stays so
const GRID_MS = 100;
const NEIGHBOUR_MS = 150; // a frame so near says where the player was

// {count, p50, p95, max} of absolute values; NaN for none.
export function spread(values) {
  const sorted = values.map(Math.abs).sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? NaN };
}

// [{atMs, errorMs}] of the frames shown while the showing ran. A frame is at its media time in the
// moment in which it appears.
export function skewOf(frames, truth, biasMs = 0) {
  const skew = [];
  for (const { atMs, mediaTime } of frames) {
    const position = truth.positionAt(atMs);
    if (position !== null) skew.push({ atMs, errorMs: (mediaTime - position) * 1000 - biasMs });
  }
  return skew;
}

// Those of `skew` that lie in one of the intervals [[fromMs, untilMs], ...].
export function within(skew, intervals) {
  return skew.filter(({ atMs }) => intervals.some(([fromMs, untilMs]) => atMs >= fromMs && atMs < untilMs));
}

// Milliseconds from `eventMs` until the viewer is in step and stays so; Infinity when that does not
// come before `untilMs`.
export function timeToStep(skew, eventMs, untilMs) {
  const after = skew.filter(({ atMs }) => atMs >= eventMs && atMs < untilMs);
  let sinceMs = null;
  for (const { atMs, errorMs } of after) {
    if (Math.abs(errorMs) > IN_STEP_MS) sinceMs = null;
    else sinceMs ??= atMs;
    if (sinceMs !== null && atMs - sinceMs >= STAYS_MS) return sinceMs - eventMs;
  }
  return Infinity;
}

// The distance of two viewers, every tenth of a second in which both showed something.
export function distances(one, other, intervals) {
  const result = [];
  for (const [fromMs, untilMs] of intervals) {
    for (let atMs = fromMs; atMs < untilMs; atMs += GRID_MS) {
      const a = nearest(one, atMs);
      const b = nearest(other, atMs);
      if (a && b) result.push(a.errorMs - b.errorMs);
    }
  }
  return result;
}

// The element at or right before `atMs`, by bisection.
function nearest(skew, atMs) {
  let low = 0;
  let high = skew.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (skew[middle].atMs <= atMs) low = middle + 1;
    else high = middle;
  }
  const found = skew[low - 1];
  return found && atMs - found.atMs <= NEIGHBOUR_MS ? found : null;
}
