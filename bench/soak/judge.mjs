// What a soak comes to: which of the server's figures are flat, and what else went wrong. Pure.
import { fitSlope, mediansOf } from './slope.mjs';

const POINTS = 24;

// name, how it is shown, and what its line may have grown by over the judged time, at the upper end of the slope's interval.
// So a longer run finds smaller leaks: 4 MiB in 50 minutes at the usual churn is some 60 bytes a join.
export const FIGURES = [
  { name: 'rssMib', title: 'memory (RSS), MiB', growthMax: 4 },
  { name: 'helpersMib', title: 'its helpers\' memory, MiB', growthMax: 2 },
  { name: 'otherDescriptors', title: 'descriptors but connections', growthMax: 10 },
  { name: 'threads', title: 'threads', growthMax: 0.5 },
  { name: 'helpers', title: 'children that stay', growthMax: 0.5 },
  { name: 'cacheMib', title: 'cache, MiB', growthMax: 2 },
  { name: 'redisKeys', title: 'keys in Redis', growthMax: 20 },
];

// How long what happens first is left out: pools and tables take their sizes then.
export const warmUpMs = (totalMs) => Math.min(10 * 60_000, totalMs / 3);

// samples: [{atMs, NAME: number or undefined}] of the whole run, of totalMs.
// [{title, level, growth, low, high, growthMax, isFlat}]: `growth` and its interval over the judged time.
export function judgeFigures(samples, totalMs, figures = FIGURES) {
  const fromMs = warmUpMs(totalMs);
  const judgedMs = totalMs - fromMs;
  return figures.map(({ name, title, growthMax }) => {
    const own = samples.filter((sample) => sample[name] !== undefined).map((sample) => ({ x: sample.atMs, y: sample[name] }));
    const { slope, low, high, level } = fitSlope(mediansOf(own, fromMs, totalMs, POINTS));
    return { name, title, level, growth: slope * judgedMs, low: low * judgedMs, high: high * judgedMs, growthMax, isFlat: high * judgedMs <= growthMax };
  });
}

// counts: what happened, by name; each of `required` must have, or the run has shown nothing of it.
// {passed, faults: texts}
export function judge({ figures, faults, counts, required }) {
  const all = [
    ...figures.filter(({ isFlat }) => !isFlat).map(({ title, high, growthMax }) => `not shown to be flat: ${title} may have grown by ${high.toFixed(1)}, at most ${growthMax} was allowed`),
    ...required.filter((name) => !(counts[name] > 0)).map((name) => `nothing was seen of: ${name}`),
    ...faults,
  ];
  return { passed: all.length === 0, faults: all };
}
