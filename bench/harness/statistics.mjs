// What is said of several runs of the same thing. Pure.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function summary(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

// Of two rows of figures that were measured in turn: each of `of` divided by that of the same round
// of `to`. A machine that is slow for a while is slow for both.
export function pairRatios(of, to) {
  const rounds = Math.min(of.length, to.length);
  return Array.from({ length: rounds }, (_, round) => of[round] / to[round]);
}
