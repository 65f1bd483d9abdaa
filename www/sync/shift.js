// One viewer against the room: how far their player runs ahead of the showing, or behind it.
//
// Pure. Bluetooth and televisions take their time until sound is heard, and no page can see how long. A
// player that runs ahead by as much is heard with the room. Milliseconds, above zero: ahead.

export const SHIFT_MAX_MS = 500;

// What was chosen or remembered, as a shift; none for what is no number.
export function boundShift(ms) {
  const whole = Math.round(Number(ms));
  return Number.isFinite(whole) ? Math.min(SHIFT_MAX_MS, Math.max(-SHIFT_MAX_MS, whole)) : 0;
}

// The target (controller.js) of a player that is shifted, made of the showing's. It stands shifted, too:
// so a pause and a start move nobody. Whoever runs behind begins later where the film begins; at the end
// each player runs out by itself.
export function shiftTarget(target, shiftMs) {
  const { position, running, over, startsInMs, rate, durationS } = target;
  if (shiftMs === 0 || over) return target;
  const shiftedS = position + (rate * shiftMs) / 1000;
  const isToRun = running || startsInMs > 0;
  if (shiftedS >= durationS) return running ? { ...target, position: durationS, running: false, over: true } : target;
  if (shiftedS >= 0) return { ...target, position: shiftedS };
  const beginsInMs = (-shiftedS / rate) * 1000;
  return { ...target, position: 0, running: false, startsInMs: isToRun ? startsInMs + beginsInMs : 0 };
}
