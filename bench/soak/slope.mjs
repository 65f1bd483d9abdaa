// Whether something grows: a line by least squares, and how sure its slope is. Pure.
//
// The interval is Student's, of 95 % (two-sided). What follows upon each other is not independent: memory that is high now
// is high in a second, too, and a line through such points looks surer than it is. So points are medians of spans of time,
// and the residuals' correlation with the one before (lag 1, as an AR(1) process has it) makes the interval wider:
// of n points count n (1 - r) / (1 + r).

import { median } from '../harness/statistics.mjs';

const Z_95 = 1.959963984540054; // of the normal distribution, two-sided
const CORRELATION_MAX = 0.95;
const EFFECTIVE_MIN = 4; // a line takes two of them

// Student's quantile for 95 % by the expansion in 1/degrees (Abramowitz and Stegun, 26.7.5); from 2 degrees on it is
// within 3 % of the tables, from 4 within 0.2 %.
export function studentOf(degrees) {
  const z = Z_95;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160,
  ];
  return terms.reduce((sum, term, i) => sum + term / degrees ** (i + 1), z);
}

// points: [{x, y}], in the order of x. {slope, low, high, level, effective}: `level` is the line in the middle, `effective` as
// how many independent points they count. Too few to say anything: an interval without ends.
export function fitSlope(points) {
  const n = points.length;
  if (n < EFFECTIVE_MIN) return { slope: NaN, low: -Infinity, high: Infinity, level: meanOf(points.map(({ y }) => y)), effective: n };
  const meanX = meanOf(points.map(({ x }) => x));
  const level = meanOf(points.map(({ y }) => y));
  const spreadX = sumOf(points, ({ x }) => (x - meanX) ** 2);
  const slope = sumOf(points, ({ x, y }) => (x - meanX) * (y - level)) / spreadX;
  const residuals = points.map(({ x, y }) => y - level - slope * (x - meanX));
  const correlation = correlationOf(residuals);
  const effective = Math.max(EFFECTIVE_MIN, (n * (1 - correlation)) / (1 + correlation));
  const error = Math.sqrt(sumOf(residuals, (one) => one ** 2) / (effective - 2) / spreadX);
  const reach = studentOf(effective - 2) * error;
  return { slope, low: slope - reach, high: slope + reach, level, effective };
}

// `count` spans of equal length from `fromX` to `untilX`: the middle of each and the median of what lies in it. Spans
// without a sample have no point.
export function mediansOf(samples, fromX, untilX, count) {
  const spans = Array.from({ length: count }, () => []);
  for (const { x, y } of samples) {
    const place = Math.floor(((x - fromX) / (untilX - fromX)) * count);
    if (x >= fromX && place < count) spans[place].push(y);
  }
  const width = (untilX - fromX) / count;
  return spans.flatMap((values, i) => (values.length > 0 ? [{ x: fromX + (i + 0.5) * width, y: median(values) }] : []));
}

// With the one before. Of few points around a line that was laid through them it comes out too small, by (2 + 4 r) / n
// (Shaman and Stine 1988). A negative one would make the line surer
// than independent points do: it does not count.
function correlationOf(residuals) {
  const n = residuals.length;
  const all = sumOf(residuals, (one) => one ** 2);
  if (all === 0) return 0;
  let together = 0;
  for (let i = 1; i < n; ++i) together += residuals[i] * residuals[i - 1];
  const seen = together / all;
  return Math.min(CORRELATION_MAX, Math.max(0, seen + (2 + 4 * seen) / n));
}

const sumOf = (list, value) => list.reduce((sum, one) => sum + value(one), 0);
const meanOf = (values) => sumOf(values, (value) => value) / values.length;
