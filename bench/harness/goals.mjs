// Goals: ratios, or plain figures, that a case's results have to reach. Pure.
//
// A goal: {name, figure, of: {subject, variant}, to?: {subjects, variant}, max or min}; without these it
// is only stated.
// `to`: the figure is divided, round by round, by that of each of these; the ratio that is nearest to
// missing the goal is the one that counts. Without `to` the figure itself is judged.
import { median, pairRatios, summary } from './statistics.mjs';

// rounds(variant, subject, figure) -> the values of all rounds; empty where it was not measured.
export function judge(goal, rounds) {
  const of = rounds(goal.of.variant, goal.of.subject, goal.figure);
  if (of.length === 0) return { ...named(goal), state: 'not measured' };
  if (!goal.to) return settle(goal, summary(of), null);
  const candidates = [];
  const absent = [];
  for (const subject of goal.to.subjects) {
    const to = rounds(goal.to.variant ?? goal.of.variant, subject, goal.figure);
    if (to.length === 0) absent.push(subject);
    else candidates.push({ subject, ratios: pairRatios(of, to) });
  }
  if (candidates.length === 0) return { ...named(goal), state: 'not measured', absent };
  const sign = goal.max === undefined ? 1 : -1;
  candidates.sort((a, b) => sign * (median(a.ratios) - median(b.ratios)));
  return { ...settle(goal, summary(candidates[0].ratios), candidates[0].subject), absent };
}

const named = (goal) => ({ name: goal.name, max: goal.max, min: goal.min, isRatio: Boolean(goal.to) });

function settle(goal, measured, against) {
  if (goal.max === undefined && goal.min === undefined) return { ...named(goal), against, measured, state: '' };
  const isMet = goal.max === undefined ? measured.median >= goal.min : measured.median <= goal.max;
  return { ...named(goal), against, measured, state: isMet ? 'met' : 'missed' };
}
