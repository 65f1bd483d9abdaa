// What the metrics page shows is counted: a number that is always 0 tells an operator a lie.
import assert from 'node:assert/strict';
import test from 'node:test';
import { findUncounted, findUncountedCells, metricsOf } from './metrics.mjs';
import { sourceRoots } from './rules.mjs';
import { readTree } from './tree.mjs';

const sources = readTree(sourceRoots, /\.(h|cpp)$/);

test('every metric is counted', () => {
  const header = sources.find(({ path }) => path === 'server/metrics/metrics.h');
  assert.ok(metricsOf(header.text).length > 20, 'no metrics found');
  const faults = findUncounted(sources);
  assert.equal(faults.length, 0, `\n${faults.join('\n')}\n`);
  assert.deepEqual(findUncountedCells(sources), []);
});

const text = `enum class Counter : std::uint8_t {
  accepted,  // not refused
  refused,
  http_1xx,
  http_2xx,
  count_,
};
enum class Gauge : std::uint8_t { members, count_ };
enum class Histogram : std::uint8_t { fanout_seconds, lag_seconds, count_ };
`;
const metrics = { path: 'server/metrics/metrics.h', text };

test('the enumerators are read', () => {
  assert.deepEqual(metricsOf(text).map(({ name }) => name),
    ['accepted', 'refused', 'http_1xx', 'http_2xx', 'members', 'fanout_seconds', 'lag_seconds']);
});

test('finds what nobody counts', () => {
  const source = `count(Counter::accepted);
// count(Counter::refused);
count(offset(Counter::http_1xx, status / 100 - 1));
static_assert(offset(Gauge::members, 1) == Gauge::members);
observe(Histogram::fanout_seconds, 1);
`;
  assert.deepEqual(findUncounted([metrics, { path: 'server/a.cpp', text: source }]), [
    'server/metrics/metrics.h:3: nobody counts Counter::refused',
    'server/metrics/metrics.h:8: nobody counts Gauge::members',
    'server/metrics/metrics.h:9: nobody counts Histogram::lag_seconds',
  ]);
});

test('a name in the tables counts nothing', () => {
  const table = { path: 'server/metrics/metric_tables.h', text: 'order(Counter::accepted);\n' };
  assert.equal(findUncounted([metrics, table]).length, 7);
});

test('a cell of the forms that nobody counts, or shows', () => {
  const header = { path: 'storage/forms/form_counts.h', text: 'struct FormCounts {\n  Cell runs{0};\n  Cell waiting{0};  // now\n};\n' };
  const maker = { path: 'storage/forms/form_maker.cpp', text: '++counts_.runs;\n// counts_.waiting = 1;\n' };
  const table = { path: 'server/metrics/form_metrics.cpp', text: '&FormCounts::waiting\n' };
  assert.deepEqual(findUncountedCells([header, maker, table]), [
    'storage/forms/form_counts.h:2: nobody shows runs',
    'storage/forms/form_counts.h:3: nobody counts waiting',
  ]);
});
