// Draws what a browser loaded, one bar a request over time, as SVG. Pure.

const WIDTH = 960;
const LEFT = 250;
const RIGHT = 70;
const ROW = 15;
const TOP = 52;
const TICKS = [50, 100, 200, 500, 1000, 2000];
const COLOURS = { waits: '#cbd5e1', comes: '#2563eb', film: '#d97706', cached: '#059669' };

// visits: [{words, joinableMs, joinedMs, movingMs, loads}] (visit.mjs), one strip each, over one time.
// Of each what began before Join could be pressed, or while the gate was read.
export function drawWaterfall(title, visits) {
  const strips = visits.map(shownPart);
  const mostMs = Math.max(...strips.map(({ untilMs }) => untilMs));
  const x = (ms) => LEFT + (ms / mostMs) * (WIDTH - LEFT - RIGHT);
  let top = TOP;
  const drawn = strips.map((strip) => {
    const text = drawStrip(strip, x, top);
    top += 34 + strip.loads.length * ROW + 22;
    return text;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}"
  font-family="system-ui, sans-serif" font-size="11" fill="#334155">
<rect width="${WIDTH}" height="${top}" fill="#ffffff"/>
<text x="12" y="20" font-size="13">${escape(title)}</text>
<text x="12" y="38">${legend()}</text>
${grid(mostMs, x, top)}
${drawn.join('\n')}
</svg>
`;
}

function shownPart({ words, joinableMs, loads, joinedMs }) {
  const shown = loads.filter(({ startMs }) => startMs < joinedMs).sort((a, b) => a.startMs - b.startMs);
  const untilMs = Math.max(joinableMs, ...shown.filter(({ isFilm }) => !isFilm).map(({ endMs }) => endMs)) * 1.03;
  return { words, joinableMs, loads: shown, untilMs };
}

function legend() {
  const words = { waits: 'asked, nothing has come', comes: 'comes', film: 'the film', cached: 'from the cache' };
  return Object.entries(words).map(([kind, text]) => `<tspan fill="${COLOURS[kind]}">&#9632;</tspan> ${text}  `).join(' ');
}

function grid(mostMs, x, bottom) {
  const step = TICKS.find((tick) => mostMs / tick <= 10) ?? TICKS.at(-1);
  const marks = [];
  for (let ms = 0; ms <= mostMs; ms += step) {
    marks.push(`<line x1="${x(ms).toFixed(1)}" x2="${x(ms).toFixed(1)}" y1="${TOP}" y2="${bottom - 18}" stroke="#e2e8f0"/>
<text x="${x(ms).toFixed(1)}" y="${bottom - 6}" text-anchor="middle">${ms} ms</text>`);
  }
  return marks.join('\n');
}

function drawStrip({ words, joinableMs, loads, untilMs }, x, top) {
  const rows = loads.map((load, index) => drawLoad(load, x, top + 26 + index * ROW, untilMs));
  const bottom = top + 30 + loads.length * ROW;
  return [
    `<text x="12" y="${top + 14}" font-weight="600">${escape(words)}</text>`,
    ...rows,
    `<line x1="${x(joinableMs).toFixed(1)}" x2="${x(joinableMs).toFixed(1)}" y1="${top + 18}" y2="${bottom}" stroke="#dc2626" stroke-width="1.5"/>`,
    `<text x="${(x(joinableMs) + 4).toFixed(1)}" y="${top + 14}" fill="#dc2626">Join, ${Math.round(joinableMs)} ms</text>`,
  ].join('\n');
}

function drawLoad({ url, startMs, firstMs, endMs, bytes, isFilm, isCached }, x, y, untilMs) {
  const until = Math.min(Math.max(endMs, firstMs), untilMs);
  const from = Math.min(Math.max(startMs, isCached ? startMs : firstMs), untilMs);
  const bar = (a, b, colour) => `<rect x="${x(a).toFixed(1)}" y="${y}" width="${Math.max(1, x(b) - x(a)).toFixed(1)}" height="${ROW - 4}" fill="${colour}"/>`;
  const kind = isFilm ? 'film' : isCached ? 'cached' : 'comes';
  return [
    `<text x="${LEFT - 8}" y="${y + 9}" text-anchor="end">${escape(shorten(url))}</text>`,
    bar(startMs, from, COLOURS.waits), bar(from, until, COLOURS[kind]),
    `<text x="${(x(until) + 4).toFixed(1)}" y="${y + 9}" fill="#64748b">${isFilm || isCached ? '' : `${(bytes / 1000).toFixed(1)} KB`}</text>`,
  ].join('\n');
}

// Without the hash in its name, and without keys.
function shorten(url) {
  return url.replace(/\.[0-9a-f]{10}(?=\.\w+(#|$))/, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'KEY');
}

function escape(text) {
  return text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]);
}
