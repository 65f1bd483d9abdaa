// From what a showing's viewers showed to the figures of its row. Pure.
import { clockBiasMs } from './profiles.mjs';
import { apartMs } from './sound/hearing.mjs';
import { clearMs, clearOf } from './stalls.mjs';
import { distances, skewOf, spread, timeToStep, within } from './statistics.mjs';

const NOT_JUDGED_BY_TIME = new Set(['pause', 'cut', 'quality']); // for what is to be kept no time is allowed
const COMMANDED_MS = 3_000; // a seek so soon after an event belongs to it
const CALM_SHARE = 0.9; // of the readings are clear where the machine was not loaded

// Returns {skew, sound, heard, lessBias, pairs, heardPairs, clear, steps, corrections, strain, viewers, series}:
//   skew, sound    of the frames against the vector, and of currentTime
//   heard          of the recorded beeps, where there is a recording; else without a reading
//   lessBias       the frames against what the viewer's clock can know
//   pairs          between each two, by frames; heardPairs: by ear, which no clock but the recording's is needed for;
//                  eachPair: the first of two by two, [{names, forms, p50, p95, max}]
//   clear          {skew, sound, heard} of the readings that no stall has touched
//   steps          the times to be in step by event, [{name, viewer, ms, clearMs, sound: {ms, clearMs}}], by frames and
//                  by currentTime; clearMs: of these, or, where it never came, of all until the next event, what no
//                  stall has touched
//   qualities      what each change of quality did to step, [{viewer, skew, sound, waits}]
//   strain         {clearShare, isCalm, stalls: {pages, bench, worstMs}, ...of the machine}: whether limits may be judged
//   viewers        {name, engine, skew, sound, heard} of each
export function judge(showing, profile) {
  const biasMs = clockBiasMs(profile.shape);
  const series = showing.viewers.map((viewer) => ({
    viewer,
    skew: skewOf(viewer.frames, showing.truth),
    sound: skewOf(viewer.sound, showing.truth),
    heard: skewOf(viewer.heard, showing.truth),
    intervals: showing.settledIntervals(viewer),
    stalls: showing.stallsOf(viewer),
  }));
  const settled = (kind) => series.flatMap(({ [kind]: readings, intervals }) => within(readings, intervals));
  const clear = (kind) => series.flatMap(({ [kind]: readings, intervals, stalls }) => clearOf(within(readings, intervals), stalls));
  return {
    skew: spreadOf(settled('skew')),
    sound: spreadOf(settled('sound')),
    heard: spreadOf(settled('heard')),
    lessBias: spread(settled('skew').map(({ errorMs }) => errorMs - biasMs)),
    biasMs,
    pairs: spread(pairsOf(series, (one, other, both) => distances(one.skew, other.skew, both))),
    eachPair: pairsOf(series, (one, other, both) => [{
      names: [one.viewer.name, other.viewer.name], forms: [one.viewer.form, other.viewer.form], ...spread(distances(one.skew, other.skew, both)),
    }]),
    heardPairs: spread(pairsOf(series, heardApart)),
    clear: { skew: spreadOf(clear('skew')), sound: spreadOf(clear('sound')), heard: spreadOf(clear('heard')) },
    steps: stepsOf(showing, biasMs),
    qualities: qualitiesOf(showing, series),
    corrections: correctionsOf(showing, series),
    strain: strainOf(showing, clear('sound').length / Math.max(1, settled('sound').length)),
    viewers: series.map(({ viewer: { name, engine, form }, intervals, ...of }) => ({
      name, engine, form, ...Object.fromEntries(['skew', 'sound', 'heard'].map((kind) => [kind, spreadOf(within(of[kind], intervals))])),
    })),
    series: series.map(({ viewer, skew, sound, heard }) => ({
      name: viewer.name, skew, sound, heard, rates: viewer.rates, seeks: viewer.seeks, waits: viewer.waits, stalls: viewer.stalls,
    })),
    events: showing.events.map(({ name, viewer, atMs }) => ({ name, viewer, atMs })),
    clockBoundMs: showing.truth.clockBoundMs + Math.max(...showing.viewers.map(({ clockBoundMs }) => clockBoundMs)),
    recording: showing.recording,
  };
}

const spreadOf = (readings) => spread(readings.map(({ errorMs }) => errorMs));

// of(one, other, intervals): values of two viewers while both were settled.
function pairsOf(series, of) {
  return series.flatMap((one, index) => series.slice(index + 1).flatMap((other) => {
    const both = one.intervals.flatMap(([from, until]) => other.intervals
      .map(([otherFrom, otherUntil]) => [Math.max(from, otherFrom), Math.min(until, otherUntil)])
      .filter(([start, end]) => end > start));
    return of(one, other, both);
  }));
}

function heardApart({ viewer: one }, { viewer: other }, both) {
  return within(apartMs(one.heard, other.heard), both).map((reading) => reading.apartMs);
}

// A viewer whose clock is wrong by more than a viewer may be off is judged by its own clock.
function stepsOf(showing, biasMs) {
  return showing.events
    .filter(({ name }) => !NOT_JUDGED_BY_TIME.has(name))
    .map(({ name, viewer: viewerName, atMs, untilMs }) => {
      const viewer = showing.viewers.find((candidate) => candidate.name === viewerName);
      const stalls = showing.stallsOf(viewer);
      const took = (readings) => {
        const ms = timeToStep(skewOf(readings, showing.truth, biasMs), atMs, untilMs);
        return { ms, clearMs: clearMs(atMs, Math.min(atMs + ms, untilMs), stalls) };
      };
      return { name, viewer: viewerName, ...took(viewer.frames), sound: took(viewer.sound) };
    });
}

function qualitiesOf(showing, series) {
  return showing.events.filter(({ name }) => name === 'quality').map(({ viewer: name, atMs, untilMs }) => {
    const { viewer, skew, sound } = series.find((candidate) => candidate.viewer.name === name);
    const of = (readings) => spreadOf(within(readings, [[atMs, untilMs]]));
    return { viewer: name, skew: of(skew), sound: of(sound), waits: within(viewer.waits, [[atMs, untilMs]]).length };
  });
}

function correctionsOf(showing, series) {
  const minutes = series
    .flatMap(({ intervals }) => intervals)
    .reduce((sum, [fromMs, untilMs]) => sum + (untilMs - fromMs) / 60_000, 0);
  let rates = 0;
  let waits = 0;
  const seeks = series.flatMap(({ viewer }) => unbidden(showing, viewer));
  for (const { viewer, intervals } of series) {
    rates += within(viewer.rates, intervals).length;
    waits += within(viewer.waits, intervals).length;
  }
  const clearSeeks = series.flatMap(({ viewer, stalls }) => clearOf(unbidden(showing, viewer), stalls));
  return { minutes, rates, seeks: seeks.length, clearSeeks: clearSeeks.length, waits };
}

// The seeks of a viewer that no event has caused.
function unbidden(showing, viewer) {
  const own = showing.events.filter((event) => event.viewer === viewer.name && event.name !== 'quality');
  const isCommanded = ({ atMs }) => own.some((event) => atMs >= event.atMs && atMs < event.atMs + COMMANDED_MS);
  return viewer.seeks.filter((seek) => seek.atMs > own[0].atMs && !isCommanded(seek));
}

// From the first event on: before it, pages load.
function strainOf(showing, clearShare) {
  const fromMs = showing.events[0].atMs;
  const since = (stalls) => stalls.filter(([, untilMs]) => untilMs > fromMs);
  const pages = showing.viewers.flatMap((viewer) => since(viewer.stalls));
  const bench = since(showing.machine.stalls);
  const worstMs = Math.max(0, ...[...pages, ...bench].map(([from, until]) => until - from));
  const stalls = { pages: pages.length, bench: bench.length, worstMs };
  return { clearShare, isCalm: clearShare >= CALM_SHARE, stalls, ...showing.machine.summary() };
}
