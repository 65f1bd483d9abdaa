// The figures of a measurement as text.
const HEADINGS = ['network', 'p50', 'p95', 'max', 'pair p50', 'p95', 'max', 'rates/min', 'seeks', 'stalls'];
const WIDTHS = [28, 6, 6, 6, 10, 6, 6, 11, 7, 8];

const ms = (value) => (Number.isFinite(value) ? value.toFixed(1) : '-');
const row = (cells) => cells.map((cell, index) => (index === 0 ? String(cell).padEnd(WIDTHS[0]) : String(cell).padStart(WIDTHS[index]))).join('');

// results: [{name, judged}]
export function report(results) {
  const lines = ['skew in ms of media, viewer against vector and between each pair, from 5 s after each event', row(HEADINGS)];
  for (const { name, judged } of results) {
    lines.push(skewRow(name, judged.skew, judged));
    lines.push(skewRow('  its sound', judged.sound));
    for (const quality of judged.qualities) {
      lines.push(skewRow(`  ${quality.viewer}, changing quality`, quality.skew), skewRow('    its sound', quality.sound));
    }
    if (judged.biasMs !== 0) lines.push(skewRow(`  less its clock's ${judged.biasMs} ms`, judged.lessBias));
  }
  lines.push('', 'seconds until in step (within 35 ms, for a second at least), each viewer');
  for (const { name, judged } of results) lines.push(`${name.padEnd(12)} ${stepWords(judged.steps)}`);
  return lines.join('\n');
}

// judged: what is the whole network's, left out in further rows.
function skewRow(name, skew, judged) {
  const cells = [name, ms(skew.p50), ms(skew.p95), ms(skew.max)];
  if (!judged) return row(cells);
  const { pairs, corrections } = judged;
  const perMinute = corrections.minutes > 0 ? corrections.rates / corrections.minutes : NaN;
  return row([...cells, ms(pairs.p50), ms(pairs.p95), ms(pairs.max), ms(perMinute), corrections.seeks, corrections.stalls]);
}

// "play 0.4 0.5 · seek 1.2 1.0 · ..."
function stepWords(steps) {
  const byName = new Map();
  for (const { name, ms: time } of steps) {
    const words = Number.isFinite(time) ? (time / 1000).toFixed(1) : 'never';
    byName.set(name, [...(byName.get(name) ?? []), words]);
  }
  return [...byName].map(([name, times]) => `${name} ${times.join(' ')}`).join(' · ');
}
