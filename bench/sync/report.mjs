// The figures of a measurement as text.
const HEADINGS = ['network', 'p50', 'p95', 'max', 'pair p50', 'p95', 'max', 'rates/min', 'seeks', 'waits', ''];
const WIDTHS = [32, 8, 8, 8, 10, 8, 8, 11, 7, 7, 0];

const ms = (value) => (Number.isFinite(value) ? value.toFixed(1) : '-');
const percent = (share) => (share === null ? '?' : `${Math.round(share * 100)} %`);
const row = (cells) => cells.map((cell, index) => (index === 0 ? String(cell).padEnd(WIDTHS[0]) : String(cell ?? '').padStart(WIDTHS[index]))).join('').trimEnd();

// results: [{name, goal: {p50, p95}, judged}]
export function report(results) {
  const lines = ['skew in ms of media, viewer against vector and between each pair, from 5 s after each event', row(HEADINGS)];
  for (const result of results) lines.push(...networkRows(result));
  lines.push('', 'seconds until in step (within 35 ms, for a second at least), each viewer');
  for (const { name, judged } of results) lines.push(`${name.padEnd(12)} ${stepWords(judged.steps)}`);
  lines.push('', 'what the machine let be measured: where it was loaded, no limit is judged');
  for (const { name, judged } of results) lines.push(`${name.padEnd(12)} ${strainWords(judged.strain)}`);
  return lines.join('\n');
}

// 'met' or 'missed'; and where the machine itself was in the way: why neither.
export function verdict({ p50, p95 }, goal, { isCalm }) {
  if (!isCalm) return 'not judged: loaded';
  return `goal ${goal.p50} / ${goal.p95} ${p50 <= goal.p50 && p95 <= goal.p95 ? 'met' : 'missed'}`;
}

const PAIR_P95_MS = 35; // of two forms, on a network that is clean

function pairVerdict({ p95 }, { isCalm }) {
  if (!isCalm) return 'not judged: loaded';
  return `goal p95 ${PAIR_P95_MS} ${p95 <= PAIR_P95_MS ? 'met' : 'missed'}`;
}

function networkRows({ name, goal, judged }) {
  const { corrections, recording, strain } = judged;
  const perMinute = corrections.minutes > 0 ? corrections.rates / corrections.minutes : NaN;
  const isBiased = judged.biasMs !== 0;
  const counts = [ms(perMinute), corrections.seeks, corrections.waits];
  const lines = [row([name, ...three(judged.skew), ...three(judged.pairs), ...counts, isBiased ? '' : `  ${verdict(judged.skew, goal, strain)}`])];
  lines.push(row(['  its sound, as the page has it', ...three(judged.sound)]));
  if (recording) {
    lines.push(row(['  its sound, by ear', ...three(judged.heard), ...three(judged.heardPairs), '', '', '', isBiased ? '' : `  ${verdict(judged.heard, goal, strain)}`]));
    lines.push(`    ${judged.heard.count} beeps, ${recording.garbled} garbled; the recording's clock is known to ${ms(recording.boundMs)} ms`);
  }
  for (const quality of judged.qualities) {
    lines.push(row([`  ${quality.viewer}, changing quality`, ...three(quality.skew)]), row(['    its sound', ...three(quality.sound)]));
  }
  if (isBiased) lines.push(row([`  less its clock's ${judged.biasMs} ms`, ...three(judged.lessBias), '', '', '', '', '', '', `  ${verdict(judged.lessBias, goal, strain)}`]));
  for (const { names, forms, ...of } of judged.eachPair) {
    if (forms.every(Boolean)) lines.push(row([`  ${names.join(' and ')}, ${forms.join(' and ')}`, '', '', '', ...three(of), '', '', '', `  ${pairVerdict(of, strain)}`]));
  }
  for (const viewer of judged.viewers) {
    const words = [viewer.name, viewer.engine, viewer.form].filter(Boolean).join(', ');
    lines.push(row([`  ${words}`, ...three(viewer.skew)]), row(['    its sound', ...three(viewer.sound)]));
    if (recording) lines.push(row(['    by ear', ...three(viewer.heard)]));
  }
  return lines;
}

const three = (of) => [ms(of.p50), ms(of.p95), ms(of.max)];

// "play 0.4 0.5 · seek 1.2 1.0 · ..."
function stepWords(steps) {
  const byName = new Map();
  for (const { name, ms: time } of steps) {
    const words = Number.isFinite(time) ? (time / 1000).toFixed(1) : 'never';
    byName.set(name, [...(byName.get(name) ?? []), words]);
  }
  return [...byName].map(([name, times]) => `${name} ${times.join(' ')}`).join(' · ');
}

export function strainWords({ clearShare, isCalm, stalls, load, busy, stolen, waiting }) {
  const words = [
    isCalm ? 'calm' : 'LOADED',
    `${percent(clearShare)} of the readings without a stall`,
    `pages stood still ${stalls.pages} times, the bench ${stalls.bench}, ${ms(stalls.worstMs)} ms at worst`,
    `load ${load.map((value) => value.toFixed(1)).join(' to ')}`,
    `processors ${percent(busy)} busy, ${percent(stolen)} stolen, waited for ${percent(waiting)} of the time`,
  ];
  return words.join('; ');
}
