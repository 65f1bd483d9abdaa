// From what a showing's viewers showed to the figures of its row. Pure.
import { clockBiasMs } from './profiles.mjs';
import { distances, skewOf, spread, timeToStep, within } from './statistics.mjs';

const NOT_JUDGED_BY_TIME = new Set(['pause', 'cut', 'quality']); // for what is to be kept no time is allowed
const COMMANDED_MS = 3_000; // a seek so soon after an event belongs to it

// Returns {skew, sound, lessBias, pairs, steps, corrections, series}: `skew` of the frames against the vector,
// `sound` of currentTime, `lessBias` against what the viewer's clock can know, `pairs` between each two, `steps` the times to be in step
// by event, [{name, viewer, ms}], `qualities` what each change of quality did to step, [{viewer, skew, sound, stalls}].
export function judge(showing, profile) {
  const biasMs = clockBiasMs(profile.shape);
  const series = showing.viewers.map((viewer) => ({
    viewer,
    skew: skewOf(viewer.frames, showing.truth),
    sound: skewOf(viewer.sound, showing.truth),
    intervals: showing.settledIntervals(viewer),
  }));
  const settled = series.flatMap(({ skew, intervals }) => within(skew, intervals).map(({ errorMs }) => errorMs));
  const heard = series.flatMap(({ sound, intervals }) => within(sound, intervals).map(({ errorMs }) => errorMs));
  return {
    skew: spread(settled),
    sound: spread(heard),
    lessBias: spread(settled.map((errorMs) => errorMs - biasMs)),
    biasMs,
    pairs: spread(pairsOf(series)),
    steps: stepsOf(showing, biasMs),
    qualities: qualitiesOf(showing, series),
    corrections: correctionsOf(showing, series),
    series: series.map(({ viewer, skew, sound }) => ({ name: viewer.name, skew, sound, rates: viewer.rates, seeks: viewer.seeks, stalls: viewer.stalls })),
    events: showing.events.map(({ name, viewer, atMs }) => ({ name, viewer, atMs })),
    clockBoundMs: showing.truth.clockBoundMs + Math.max(...showing.viewers.map(({ clockBoundMs }) => clockBoundMs)),
  };
}

function pairsOf(series) {
  return series.flatMap((one, index) => series.slice(index + 1).flatMap((other) => {
    const both = one.intervals.flatMap(([from, until]) => other.intervals
      .map(([otherFrom, otherUntil]) => [Math.max(from, otherFrom), Math.min(until, otherUntil)])
      .filter(([start, end]) => end > start));
    return distances(one.skew, other.skew, both);
  }));
}

// A viewer whose clock is wrong by more than a viewer may be off is judged by its own clock.
function stepsOf(showing, biasMs) {
  return showing.events
    .filter(({ name }) => !NOT_JUDGED_BY_TIME.has(name))
    .map(({ name, viewer, atMs, untilMs }) => {
      const { frames } = showing.viewers.find((candidate) => candidate.name === viewer);
      const skew = skewOf(frames, showing.truth, biasMs);
      return { name, viewer, ms: timeToStep(skew, atMs, untilMs) };
    });
}

function qualitiesOf(showing, series) {
  return showing.events.filter(({ name }) => name === 'quality').map(({ viewer: name, atMs, untilMs }) => {
    const { viewer, skew, sound } = series.find((candidate) => candidate.viewer.name === name);
    const of = (errors) => spread(within(errors, [[atMs, untilMs]]).map(({ errorMs }) => errorMs));
    return { viewer: name, skew: of(skew), sound: of(sound), stalls: within(viewer.stalls, [[atMs, untilMs]]).length };
  });
}

function correctionsOf(showing, series) {
  const minutes = series
    .flatMap(({ intervals }) => intervals)
    .reduce((sum, [fromMs, untilMs]) => sum + (untilMs - fromMs) / 60_000, 0);
  let rates = 0;
  let seeks = 0;
  let stalls = 0;
  for (const { viewer, intervals } of series) {
    rates += within(viewer.rates, intervals).length;
    stalls += within(viewer.stalls, intervals).length;
    const own = showing.events.filter((event) => event.viewer === viewer.name && event.name !== 'quality');
    const isCommanded = ({ atMs }) => own.some((event) => atMs >= event.atMs && atMs < event.atMs + COMMANDED_MS);
    seeks += viewer.seeks.filter((seek) => seek.atMs > own[0].atMs && !isCommanded(seek)).length;
  }
  return { minutes, rates, seeks, stalls };
}
