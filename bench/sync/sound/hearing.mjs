// From a recording to readings like those of frames: when something was heard, and where in the film that is.
// Pure.
import { BEEP_EVERY_S, FIRST_BEEP_S, KINDS, beepTime } from './beeps.mjs';

const WINDOW_MS = 5_000;
const TRUSTED = 0.2; // of the arrivals in a window, by their lateness

// The clock of a recording. arrivals: [{sample, atMs}]: at `atMs` that sample came in first, after a pause: the
// device has begun to play it then, and mostly just has. Some come late, and now and then a block comes in two
// halves and the second seems early: so neither the earliest nor the middle is believed, but one in between.
// Returns {atMs(sample), boundMs}: `boundMs` is how far different times disagree.
export function recordingClock(arrivals, rateHz) {
  const windows = new Map(); // of time: what sample 0 would have come at, by each arrival
  const windowOf = (sample) => Math.floor((sample * 1000) / rateHz / WINDOW_MS);
  for (const { sample, atMs } of arrivals) {
    const window = windowOf(sample);
    if (!windows.has(window)) windows.set(window, []);
    windows.get(window).push(atMs - (sample * 1000) / rateHz);
  }
  const origins = new Map([...windows].map(([window, all]) => [window, all.sort((a, b) => a - b)[Math.floor(all.length * TRUSTED)]]));
  const values = [...origins.values()];
  if (values.length === 0) throw new Error('nothing was recorded');
  return {
    atMs: (sample) => (sample * 1000) / rateHz + (origins.get(windowOf(sample)) ?? values.at(-1)),
    boundMs: Math.max(...values) - Math.min(...values),
  };
}

// The number of the beep of this kind that is nearest to a media time in seconds: right where the two are less
// than 4 s apart.
export function beepNear(kind, mediaTime) {
  const near = (mediaTime - FIRST_BEEP_S) / BEEP_EVERY_S;
  return kind + KINDS * Math.round((near - kind) / KINDS);
}

// beeps: [{at, kind}] as found in the recording; truth: the showing's. Returns [{atMs, mediaTime, number}]: what
// was heard while the showing ran.
export function heardOf(beeps, clock, truth) {
  return beeps.flatMap(({ at, kind }) => {
    const atMs = clock.atMs(at);
    const position = truth.positionAt(atMs);
    if (position === null) return [];
    const number = beepNear(kind, position);
    return number < 0 ? [] : [{ atMs, mediaTime: beepTime(number), number }];
  });
}

// How much later each beep came from the one than from the other, in milliseconds: of those that both
// played within 4 s. The recording's clock alone says so.
export function apartMs(one, other) {
  return one.flatMap(({ atMs, number }) => {
    const same = other.find((candidate) => candidate.number === number && Math.abs(candidate.atMs - atMs) < 4_000);
    return same ? [{ atMs: Math.max(atMs, same.atMs), apartMs: atMs - same.atMs }] : [];
  });
}
