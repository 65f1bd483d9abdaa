// Draws the skew of every viewer over time as SVG, one strip a network. Pure.

const WIDTH = 960;
const STRIP = 130;
const LEFT = 60;
const RIGHT = 20;
const TOP = 30;
const RANGE_MS = 100; // drawn up to there; what lies beyond sticks to the border
const COLOURS = ['#2563eb', '#d97706', '#059669', '#db2777'];
const GRID_MS = [-100, -35, 0, 35, 100];
const POINT_GAP_MS = 100;

// results: [{name, words, judged: {series: [{name, skew}], events, biasMs}}]. Returns the SVG's text.
export function drawChart(results) {
  const height = TOP + results.length * STRIP + 30;
  const strips = results.map((result, index) => drawStrip(result, TOP + index * STRIP)).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"
  font-family="system-ui, sans-serif" font-size="11" fill="#334155">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="${LEFT}" y="18" font-size="13">Skew of each viewer against the showing, in ms (above zero: ahead)</text>
${strips}
<text x="${WIDTH - RIGHT}" y="${height - 8}" text-anchor="end">${legend(results)}</text>
</svg>
`;
}

function legend(results) {
  const names = [...new Set(results.flatMap(({ judged }) => judged.series.map(({ name }) => name)))];
  return names.map((name, index) => `<tspan fill="${COLOURS[index % COLOURS.length]}">  &#9632; viewer ${escape(name)}</tspan>`).join('');
}

function drawStrip({ name, words, judged }, top) {
  const points = judged.series.flatMap(({ skew }) => skew.map(({ atMs }) => atMs));
  const from = Math.min(...[points.reduce((least, at) => Math.min(least, at), Infinity), judged.events[0].atMs]);
  const until = points.reduce((most, at) => Math.max(most, at), -Infinity);
  const x = (atMs) => LEFT + ((atMs - from) / (until - from)) * (WIDTH - LEFT - RIGHT);
  const half = (STRIP - 34) / 2;
  const middle = top + 18 + half;
  const y = (errorMs) => middle - (Math.max(-RANGE_MS, Math.min(RANGE_MS, errorMs)) / RANGE_MS) * half;
  const grid = GRID_MS.map((at) => `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(at)}" y2="${y(at)}" stroke="${at === 0 ? '#64748b' : '#e2e8f0'}"/>
<text x="${LEFT - 6}" y="${y(at) + 4}" text-anchor="end">${at}</text>`);
  const lines = judged.series.map(({ skew }, index) => drawLine(skew, x, y, COLOURS[index % COLOURS.length]));
  return [
    `<text x="${LEFT}" y="${top + 12}"><tspan font-weight="600">${escape(name)}</tspan>: ${escape(words)}</text>`,
    ...grid, ...eventMarks(judged.events, x, top), ...lines,
  ].join('\n');
}

// Events at the same moment share a mark. A pause has no name there: play is too close behind it.
function eventMarks(events, x, top) {
  const marks = new Map(events.map(({ name, atMs }) => [`${name} ${Math.round(atMs)}`, { name, atMs }]));
  return [...marks.values()].map(({ name, atMs }) => `<line x1="${x(atMs).toFixed(1)}" x2="${x(atMs).toFixed(1)}" y1="${top + 18}" y2="${top + STRIP - 16}" stroke="#94a3b8" stroke-dasharray="2 3"/>
${name === 'pause' ? '' : `<text x="${(x(atMs) + 3).toFixed(1)}" y="${top + STRIP - 6}" font-size="9" fill="#64748b">${escape(name)}</text>`}`);
}

// One path a viewer, interrupted where nothing was shown.
function drawLine(skew, x, y, colour) {
  let path = '';
  let last = -Infinity;
  for (const { atMs, errorMs } of skew) {
    if (atMs - last < POINT_GAP_MS && path) continue;
    path += `${atMs - last > 6 * POINT_GAP_MS ? 'M' : 'L'}${x(atMs).toFixed(1)} ${y(errorMs).toFixed(1)}`;
    last = atMs;
  }
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.2"/>`;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
