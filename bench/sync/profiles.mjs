// The networks that viewers are put behind, and how far from the showing a viewer may be there. Delays are one way,
// in milliseconds; rates in bytes.

const stall = { everyMs: 4_000, forMs: 500 };
const narrow = { delayMs: 10, bytesPerS: 250_000 };
const bad = { p50: 10, p95: 35 };

export const profiles = {
  clean: { words: 'nothing between', goal: { p50: 5, p95: 17 }, shape: {} },
  jitter: {
    words: '80 +- 40 ms each way',
    goal: bad,
    shape: { up: { delayMs: 80, jitterMs: 40 }, down: { delayMs: 80, jitterMs: 40 } },
  },
  asymmetric: { words: '20 ms there, 120 ms back', goal: bad, shape: { up: { delayMs: 20 }, down: { delayMs: 120 } } },
  bursts: {
    words: '20 ms each way, still for 500 ms every 4 s',
    goal: bad,
    shape: { up: { delayMs: 20, stall }, down: { delayMs: 20, stall } },
  },
  narrow: { words: '2 Mbit/s, 10 ms each way', goal: bad, shape: { up: narrow, down: narrow } },
};

// Nobody can tell the two halves of a round trip apart: half of their difference is what a viewer's
// clock must be wrong by. Above zero: it runs ahead.
export function clockBiasMs({ up = {}, down = {} }) {
  return ((up.delayMs ?? 0) - (down.delayMs ?? 0)) / 2;
}
