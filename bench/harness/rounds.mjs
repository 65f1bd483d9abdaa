// Runs a case in interleaved rounds: every subject once, then every subject again. Whatever makes
// the machine slow for a while hits all of them, and ratios are formed within a round.
//
// A case: {name, title, columns: [{figure, label, scale?, isCharted?}], goals: [see goals.mjs],
//   plan(options) -> [{variant, subject, measure: async () => figures}]}
// A result: {case, title, columns, variants, subjects, kinds, absent: {name: why},
//   measured: {variant: {subject: [figures of a round, ...]}}, goals: [judged]}
import { judge } from './goals.mjs';
import { subjects, useBuild } from './servers.mjs';

export const otherBuild = 'other build';

// The same with another build's server, right after each step of ours.
const besideOther = (against) => (step) => (step.subject !== 'ours' ? [step] : [step, {
  ...step,
  subject: otherBuild,
  measure: async () => {
    useBuild(against);
    try {
      return await step.measure();
    } finally {
      useBuild(null);
    }
  },
}]);

// For each variant and figure, what to hold two builds against each other by: no goals, nothing to miss.
const comparisons = ({ variants, columns }) => variants.flatMap((variant) => columns.map(({ figure, label }) => ({
  name: `${variant}: ${label}, ours to the other build`,
  figure,
  of: { subject: 'ours', variant },
  to: { subjects: [otherBuild] },
})));

const unique = (values) => [...new Set(values)];

// All steps that the case has, whichever subjects are wanted.
export function planOf(definition, options) {
  const plan = definition.plan(options);
  return options.against ? plan.flatMap(besideOther(options.against)) : plan;
}

export async function runCase(definition, options, say) {
  const wanted = planOf(definition, options).filter(({ subject }) => !options.subjects || options.subjects.includes(subject));
  const names = unique(wanted.map(({ subject }) => subject));
  const absent = {};
  for (const name of names) {
    const why = subjects[name].absent();
    if (why) absent[name] = why;
  }
  const result = {
    case: definition.name,
    title: definition.title,
    columns: definition.columns,
    variants: unique(wanted.map(({ variant }) => variant)),
    subjects: names,
    kinds: Object.fromEntries(names.map((name) => [name, subjects[name].kind])),
    absent,
    measured: {},
  };
  const steps = wanted.filter(({ subject }) => !absent[subject]);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const [index, step] of steps.entries()) {
      if (options.signal?.aborted) break;
      say(`${definition.name}: round ${round + 1} of ${options.rounds}, ${index + 1} of ${steps.length}: ${step.variant}, ${step.subject}`);
      await runStep(step, result, options.signal);
    }
  }
  const rounds = (variant, subject, figure) =>
    (result.measured[variant]?.[subject] ?? []).map((figures) => figures[figure]).filter(Number.isFinite);
  const goals = options.against ? comparisons(result) : definition.goals ?? [];
  result.goals = goals.map((goal) => judge(goal, rounds));
  return result;
}

// What fails once is not tried again in this run, and is reported. A signal that ends the run, and
// with it the servers, is no failure: what has been measured until then is the result.
async function runStep({ variant, subject, measure }, result, signal) {
  const label = `${subject}, ${variant}`;
  if (result.absent[label]) return;
  try {
    const figures = await measure();
    ((result.measured[variant] ??= {})[subject] ??= []).push(figures);
  } catch (error) {
    if (signal?.aborted) return;
    result.absent[label] = error.message;
    delete result.measured[variant]?.[subject];
  }
}
