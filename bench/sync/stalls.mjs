// What was measured while the machine let it be measured. Pure: a stall is an interval [fromMs, untilMs] in which
// a page, or the bench itself, was not given a processor. What a stalled page shows says nothing about how it is
// steered, nor does what it shows afterwards, while it makes up for it: a player may have been set back by as
// long as the stall was, which takes a moment to notice, and a share of the speed to win back.

export const TICK_MS = 20;
export const STALL_MS = 50; // a tick so late is a stall
const NOTICED_MS = 1_500;
const SHARE = 0.05; // the most that a player runs faster or slower, docs/SYNC.md
const SEEK_MS = 1_000; // beyond which it seeks

// The stalls that ticks show which were due every TICK_MS. ticks: times, ascending.
export function stallsOf(ticks) {
  const stalls = [];
  for (let i = 1; i < ticks.length; i++) {
    if (ticks[i] - ticks[i - 1] >= TICK_MS + STALL_MS) stalls.push([ticks[i - 1], ticks[i]]);
  }
  return stalls;
}

// Those of `readings` ({atMs}) that no stall has touched.
export function clearOf(readings, stalls) {
  const shadows = shadowsOf(stalls);
  return readings.filter(({ atMs }) => !shadows.some(([fromMs, untilMs]) => atMs >= fromMs && atMs < untilMs));
}

// How much of an interval no stall has touched, in milliseconds.
export function clearMs(fromMs, untilMs, stalls) {
  const touched = ([start, end]) => Math.max(0, Math.min(end, untilMs) - Math.max(start, fromMs));
  return shadowsOf(stalls).reduce((clear, shadow) => clear - touched(shadow), untilMs - fromMs);
}

// What the stalls touch: ascending, and none overlaps another. Who stalls again while making up has so much more
// to make up, up to where a player seeks.
function shadowsOf(stalls) {
  const shadows = [];
  let stalledUntilMs = -Infinity; // where the page and the bench stood at once, that was one stall
  for (const [fromMs, untilMs] of [...stalls].sort((a, b) => a[0] - b[0])) {
    const last = shadows.at(-1);
    const makingUpMs = Math.max(0, untilMs - Math.max(fromMs, stalledUntilMs)) / SHARE;
    const begunMs = last && fromMs <= last[1] ? last[1] : fromMs;
    const endMs = Math.min(Math.max(begunMs, untilMs + NOTICED_MS) + makingUpMs, untilMs + NOTICED_MS + SEEK_MS / SHARE);
    if (begunMs === fromMs) shadows.push([fromMs, endMs]);
    else last[1] = Math.max(last[1], endMs);
    stalledUntilMs = Math.max(stalledUntilMs, untilMs);
  }
  return shadows;
}
