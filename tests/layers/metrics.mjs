// Whether every metric is counted by somebody: the enumerators of server/metrics/metrics.h, and where
// they are named. Pure: files come in as {path, text}, faults go out as text.
import { lineOf, withoutLiterals } from './sources.mjs';

const header = 'server/metrics/metrics.h';
const tables = 'server/metrics/metric_tables.h';

// [{kind, name, line}] in their order.
export function metricsOf(text) {
  const plain = withoutLiterals(text);
  return ['Counter', 'Gauge', 'Histogram'].flatMap((kind) => {
    const list = new RegExp(`enum class ${kind}\\b[^{]*\\{([^}]*)\\}`, 'd').exec(plain);
    if (!list) return [];
    return [...list[1].matchAll(/\b[a-z]\w*/g)]
      .map(({ 0: name, index }) => ({ kind, name, line: lineOf(plain, list.indices[1][0] + index) }))
      .filter(({ name }) => name !== 'count_');
  });
}

const cells = 'storage/forms/form_counts.h';

// Of what is made of films the numbers have a table of their own: a cell is counted where it is written, and shown
// where it stands in the table.
export function findUncountedCells(files) {
  const header = files.find(({ path }) => path === cells);
  const others = files.filter((file) => file !== header).map(({ text }) => withoutLiterals(text)).join('\n');
  const plain = withoutLiterals(header.text);
  return [...plain.matchAll(/\bCell (\w+)\{/g)].flatMap(({ 1: name, index }) => {
    const at = `${cells}:${lineOf(plain, index)}`;
    const isCounted = new RegExp(`\\bcounts_\\.${name}\\b`).test(others);
    const isShown = new RegExp(`&FormCounts::${name}\\b`).test(others);
    return [!isCounted && `${at}: nobody counts ${name}`, !isShown && `${at}: nobody shows ${name}`].filter(Boolean);
  });
}

// Counted is what some source names, and a whole run whose first is counted from by its place:
// `offset(Counter::http_1xx, ...)`. The assertions about the runs' ends count nothing.
export function findUncounted(files) {
  const metrics = files.filter(({ path }) => path === header).flatMap(({ text }) => metricsOf(text));
  const named = new Set();
  const runs = [];
  for (const { path, text } of files) {
    if (path === header || path === tables) continue;
    const plain = withoutLiterals(text).replace(/\bstatic_assert\s*\([^;]*;/g, (found) => found.replace(/[^\n]/g, ' '));
    for (const [, kind, name] of plain.matchAll(/\b(Counter|Gauge|Histogram)::(\w+)/g)) named.add(`${kind}::${name}`);
    for (const [, kind, name] of plain.matchAll(/\boffset\(\s*(Counter|Gauge|Histogram)::(\w+)/g)) {
      runs.push(`${kind}::${name.slice(0, name.indexOf('_') + 1)}`);
    }
  }
  return metrics
    .filter(({ kind, name }) => {
      const full = `${kind}::${name}`;
      return !named.has(full) && !runs.some((run) => full.startsWith(run));
    })
    .map(({ kind, name, line }) => `${header}:${line}: nobody counts ${kind}::${name}`);
}
