// Results as text for a terminal and as an SVG chart. Pure.
import { summary } from './statistics.mjs';

const digits = (value) => {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 1 ? value.toFixed(2) : value.toFixed(3);
};

// The median, and the range where it is more than a twentieth wide.
function range({ median, least, most }, unit = '') {
  if (!Number.isFinite(median)) return '-';
  const isWide = most - least > Math.abs(median) / 20;
  return `${digits(median)}${unit}${isWide ? ` (${digits(least)}-${digits(most)})` : ''}`;
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) =>
    (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd());
}

// result: see rounds.mjs.
export function resultText(result) {
  const lines = [`\n== ${result.title}`];
  for (const variant of result.variants) {
    const rows = [[variant, ...result.columns.map(({ label }) => label)]];
    for (const subject of result.subjects) {
      const rounds = result.measured[variant]?.[subject];
      if (!rounds?.length) continue;
      rows.push([`  ${subject}`, ...result.columns.map(({ figure, scale = 1 }) =>
        range(summary(rounds.map((figures) => (figures[figure] ?? NaN) / scale))))]);
    }
    if (rows.length > 1) lines.push(...table(rows));
  }
  for (const [what, why] of Object.entries(result.absent)) lines.push(`  absent: ${what}: ${why}`);
  return lines.join('\n');
}

function goalLine({ name, max, min, isRatio, measured, against, state, absent = [] }) {
  const unit = isRatio ? ' x' : '';
  const wanted = min !== undefined ? `at least ${min}${unit}` : max !== undefined ? `at most ${max}${unit}` : '';
  const found = measured ? `${range(measured, unit)}${against ? ` (${against})` : ''}` : '-';
  const without = absent.length ? `; without ${absent.join(', ')}` : '';
  return [`  ${state}`, name, wanted, `${found}${without}`];
}

export function goalsText(goals) {
  if (goals.length === 0) return '';
  const rows = [['', 'goal', 'wanted', 'measured'], ...goals.map(goalLine)];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const colours = { ours: '#1f6feb', floor: '#8b949e', peer: '#d29922' };
const barHeight = 16;
const labelWidth = 150;
const chartWidth = 760;

// Bars of one figure: for each variant one a subject, with a line for the range of the rounds.
function panel(result, { figure, label, scale = 1 }, top) {
  const bars = [];
  for (const variant of result.variants) {
    for (const subject of result.subjects) {
      const values = (result.measured[variant]?.[subject] ?? []).map((f) => f[figure] / scale).filter(Number.isFinite);
      if (values.length) bars.push({ variant, subject, ...summary(values) });
    }
  }
  const most = Math.max(...bars.map((bar) => bar.most), Number.MIN_VALUE);
  const x = (value) => labelWidth + (value / most) * (chartWidth - labelWidth - 90);
  let y = top + 24;
  let variant = null;
  const parts = [`<text x="0" y="${top + 12}" class="title">${escape(label)}</text>`];
  for (const bar of bars) {
    if (bar.variant !== variant) {
      variant = bar.variant;
      y += 8;
      parts.push(`<text x="0" y="${y + 10}" class="variant">${escape(variant)}</text>`);
      y += 16;
    }
    const middle = y + barHeight / 2 - 1;
    parts.push(
      `<text x="${labelWidth - 6}" y="${middle + 4}" text-anchor="end">${escape(bar.subject)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${(x(bar.median) - labelWidth).toFixed(1)}" height="${barHeight - 3}" fill="${colours[result.kinds[bar.subject]]}"/>`,
      `<line x1="${x(bar.least).toFixed(1)}" x2="${x(bar.most).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#24292f"/>`,
      `<text x="${(x(bar.most) + 6).toFixed(1)}" y="${middle + 4}">${digits(bar.median)}</text>`,
    );
    y += barHeight;
  }
  return { text: parts.join('\n'), bottom: y + 20 };
}

export function resultChart(result) {
  let top = 30;
  const panels = [];
  for (const column of result.columns.filter((c) => c.isCharted)) {
    const drawn = panel(result, column, top);
    panels.push(drawn.text);
    top = drawn.bottom;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 ${chartWidth + 24} ${top}" font-family="sans-serif" font-size="12">
<style>text{fill:#24292f}.title{font-weight:bold}.variant{fill:#57606a;font-style:italic}</style>
<rect x="-12" width="${chartWidth + 24}" height="${top}" fill="#fff"/>
<text x="0" y="18" font-size="15">${escape(result.title)}</text>
${panels.join('\n')}
</svg>
`;
}
