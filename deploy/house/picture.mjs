// The picture of the house as SVG. Pure: what facts.mjs found goes in, text goes out, the same each time.
import { layOut } from './layout.mjs';
import { floorWords, words } from './words.mjs';

const width = 1720;
const margin = 24;
const boxHeight = 68;
const slabHeight = 50;
const rowStep = 112; // from a row of rooms to the next
const title = 36; // above a floor's first row
// By floor: what the floor is filled with, and its rooms' outlines.
const floorColours = {
  www: ['#f5f0fa', '#8b5fb5'], server: ['#eef4fb', '#3f78b5'], maker: ['#fbeef1', '#b0506a'], proto: ['#eef7ee', '#4c8f52'],
  storage: ['#fdf4e7', '#b9802e'], 'core/reactor': ['#f3f3f3', '#7a7a7a'], 'core/base': ['#f3f3f3', '#7a7a7a'], 'core/confine': ['#f3f3f3', '#7a7a7a'], 'core/kernel': ['#f3f3f3', '#7a7a7a'],
};
// Of arrows, so that they can be told apart where they are close: one a room that they come from.
const arrowColours = ['#2563a8', '#b4452f', '#2c7d55', '#8a4fa3', '#a5741a', '#2b8292', '#a23a6b', '#5d6670'];
const againstColour = '#d01f1f';

const escape = (text) => text.replace(/[&<>"]/g, (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[letter]);
const round = (number) => Number(number.toFixed(1));
// halo: the colour around the letters, where arrows pass behind them.
const text = (x, y, content, { size = 12, weight = 400, fill = '#1f2933', anchor = 'middle', halo = null } = {}) =>
  `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}"` +
  `${halo ? ` stroke="${halo}" stroke-width="5" paint-order="stroke" stroke-linejoin="round"` : ''}>${escape(content)}</text>`;
const box = (x, y, w, h, fill, stroke, radius = 6) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" rx="${radius}" fill="${fill}" stroke="${stroke}"/>`;
// Some glyphs are broader than others, but none of the names is long enough for that to matter.
const textWidth = (content, size) => content.length * size * 0.56;

const NOTE_LETTERS = 60;
const filesOf = (files) => `${files} ${files === 1 ? 'file' : 'files'}`;

// In lines of about the same length, broken behind a comma.
function wrap(notes) {
  const count = Math.ceil(notes.length / NOTE_LETTERS);
  const lines = [''];
  for (const part of notes.split(/(?<=, )/)) {
    if (lines.length < count && lines.at(-1).length + part.length / 2 > notes.length / count) lines.push('');
    lines[lines.length - 1] += part;
  }
  return lines.map((line) => line.trim());
}

// {name, says, notes}: notes stand in the box instead of arrows; lines of them.
function describe({ name, files, notes = '' }, prefix) {
  const label = name.slice(prefix.length);
  const says = words[name] ?? '';
  const head = `${label}  ${filesOf(files)}`;
  const lines = wrap(notes);
  const notesWidth = Math.max(...lines.map((line) => textWidth(line, 10)));
  return { label, says, notes: lines, width: Math.max(104, 22 + Math.max(textWidth(head, 13), textWidth(says, 11), notesWidth)) };
}

function drawRoom({ x, y, width: w, label, says, notes, files, floor }) {
  const [, stroke] = floorColours[floor];
  const name = `<text x="${round(x)}" y="${y + 18}" font-size="13" text-anchor="middle" fill="#1f2933"><tspan font-weight="700">${escape(label)}</tspan>` +
    `<tspan dx="7" font-size="11" fill="#66727f">${filesOf(files)}</tspan></text>`;
  return [
    box(x - w / 2, y, w, boxHeight, '#ffffff', stroke),
    name,
    text(x, y + 34, says, { size: 11, fill: '#3b4754' }),
    ...notes.map((line, place) => text(x, y + 48 + 12 * place, line, { size: 10, fill: '#66727f' })),
  ].join('\n');
}

// A room as broad as the house: on it rests all above, or it rests on all below.
function drawSlab({ y, label, files, says, notes, floor }) {
  const [fill, stroke] = floorColours[floor];
  return [
    box(margin, y, width - 2 * margin, slabHeight, fill, stroke),
    `<text x="${width / 2}" y="${y + 20}" font-size="13" text-anchor="middle" fill="#1f2933"><tspan font-weight="700">${escape(label)}</tspan>` +
      `${files ? `<tspan dx="7" font-size="11" fill="#66727f">${filesOf(files)}</tspan>` : ''}<tspan dx="10" font-size="11" fill="#3b4754">${escape(says)}</tspan></text>`,
    text(width / 2, y + 38, notes, { size: 11, fill: '#66727f' }),
  ].join('\n');
}

// From the upper room's lower edge through the lanes to the lower room's upper edge.
function pathOf({ startX, endX, lanes, upperRow, yOf }) {
  const bend = (fromX, fromY, toX, toY) => `C${round(fromX)} ${round(fromY + (toY - fromY) * 0.55)} ${round(toX)} ${round(toY - (toY - fromY) * 0.55)} ${round(toX)} ${round(toY)}`;
  let path = `M${round(startX)} ${round(yOf(upperRow) + boxHeight)}`;
  let [x, y] = [startX, yOf(upperRow) + boxHeight];
  lanes.forEach((lane, index) => {
    const top = yOf(upperRow + index + 1);
    path += `${bend(x, y, lane, top)}V${round(top + boxHeight)}`;
    [x, y] = [lane, top + boxHeight];
  });
  return path + bend(x, y, endX, yOf(upperRow + lanes.length + 1));
}

// Where arrows leave and reach their rooms: side by side, in the order of where they come from or go.
function portsOf(plan) {
  const at = new Map(plan.rooms.map((room) => [room.name, room]));
  const ports = new Map();
  const share = (edges, room, nextX, key) => {
    const sorted = [...edges].sort((a, b) => nextX(a) - nextX(b));
    const step = Math.min(16, (room.width - 24) / Math.max(1, sorted.length));
    sorted.forEach((edge, index) => ports.set(`${key} ${edge.from} ${edge.to}`, room.x + (index - (sorted.length - 1) / 2) * step));
  };
  for (const room of plan.rooms) {
    share(plan.edges.filter(({ upper }) => upper === room.name), room, ({ lanes, lower }) => lanes[0] ?? at.get(lower).x, 'start');
    share(plan.edges.filter(({ lower }) => lower === room.name), room, ({ lanes, upper }) => lanes.at(-1) ?? at.get(upper).x, 'end');
  }
  return ports;
}

function drawArrows(plan, yOf) {
  const at = new Map(plan.rooms.map((room) => [room.name, room]));
  const ports = portsOf(plan);
  const sources = plan.rooms.map(({ name }) => name);
  return plan.edges.map((edge) => {
    const index = sources.indexOf(edge.from) % arrowColours.length;
    const colour = edge.against ? againstColour : arrowColours[index];
    const marker = `url(#head${edge.against ? '-against' : index})`;
    const dashes = edge.against ? ' stroke-dasharray="7 3"' : edge.isNarrow ? ' stroke-dasharray="2 2.5"' : '';
    const path = pathOf({
      startX: ports.get(`start ${edge.from} ${edge.to}`), endX: ports.get(`end ${edge.from} ${edge.to}`),
      lanes: edge.lanes, upperRow: at.get(edge.upper).row, yOf,
    });
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.3"${dashes} marker-${edge.against ? 'start' : 'end'}="${marker}">` +
      `<title>${escape(`${edge.from} uses ${edge.to} (${edge.count})`)}</title></path>`;
  }).join('\n');
}

const heads = [...arrowColours, againstColour].map((colour, index) =>
  `<marker id="head${index === arrowColours.length ? '-against' : index}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">` +
  `<path d="M0 0.8L8 4L0 7.2z" fill="${colour}"/></marker>`).join('\n');

// "all" or "all but x, y" of `rooms`.
function allBut(rooms, isMeant) {
  const others = rooms.filter((name) => !isMeant(name));
  return others.length === 0 ? 'every room' : `every room but ${others.join(', ')}`;
}

// Floors with their rooms and arrows from `top` on. Returns {drawn, bottom}.
function drawFloors(rooms, edges, bands, top) {
  const plan = layOut(rooms, edges, bands);
  if (plan.right - plan.left > width - 2 * margin) throw new Error('the rooms need more room: raise `width` in deploy/house/picture.mjs');
  const shift = (width - plan.left - plan.right) / 2;
  for (const room of plan.rooms) room.x += shift;
  for (const edge of plan.edges) edge.lanes = edge.lanes.map((lane) => lane + shift);
  const bandOfRow = (row) => bands.findIndex((band) => plan.rooms.some((room) => room.row === row && band.includes(room.floor)));
  const yOf = (row) => top + title + row * rowStep + bandOfRow(row) * title;
  const floors = bands.flatMap((band) => band.map((floor, index) => {
    const own = plan.rooms.filter((room) => room.floor === floor);
    const isAlone = band.length === 1;
    const edge = (side) => side * Math.max(...own.map(({ x, width: w }) => side * x + w / 2)) + side * 14;
    const left = isAlone || index === 0 ? margin : edge(-1);
    const right = isAlone || index === band.length - 1 ? width - margin : edge(1);
    const inBand = plan.rooms.filter((room) => band.includes(room.floor)).map(({ row }) => row);
    const y = yOf(Math.min(...inBand)) - title;
    const bottom = yOf(Math.max(...inBand)) + boxHeight + 12;
    const [fill] = floorColours[floor];
    return {
      area: box(left, y, right - left, bottom - y, fill, 'none', 8),
      name: text(left + 12, y + 17, floorWords[floor] ?? floor, { weight: 700, anchor: 'start', fill: floorColours[floor][1], halo: fill }),
    };
  }));
  const drawn = [...floors.map(({ area }) => area), drawArrows(plan, yOf), ...floors.map(({ name }) => name), ...plan.rooms.map((room) => drawRoom({ ...room, y: yOf(room.row) }))];
  return { drawn, bottom: yOf(plan.rows - 1) + boxHeight + 12, plan };
}

const listed = (names) => names.join(', ');

function drawPages({ rooms, edges, libraries }, shared, top) {
  const others = rooms.filter(({ name }) => !shared.has(name));
  const described = others.map((room) => {
    const used = edges.filter(({ from, to }) => from === room.name && shared.has(to)).map(({ to }) => to.replace(/\.js$/, ''));
    const notes = [...used, ...(libraries.get(room.name) ?? [])];
    return { ...room, floor: 'www', ...describe({ ...room, name: `www/${room.name}`, notes: notes.length > 0 ? `+ ${listed(notes)}` : '' }, 'www/') };
  });
  const arrows = edges.filter(({ from, to }) => !shared.has(from) && !shared.has(to));
  const { drawn, bottom, plan } = drawFloors(described, arrows, [['www']], top);
  const slab = drawSlab({
    y: bottom + 8, floor: 'www', label: listed(rooms.filter(({ name }) => shared.has(name)).map(({ name }) => name.replace(/\.js$/, ''))),
    files: rooms.filter(({ name }) => shared.has(name)).reduce((sum, { files }) => sum + files, 0), says: '',
    notes: 'what all pages share; which room uses which stands in its box, behind the +, with its libraries',
  });
  return { drawn: [...drawn, slab], bottom: bottom + 8 + slabHeight, plan };
}

function drawProgram({ rooms, edges }, { floorOf, permitted }, top) {
  const [roof, ground] = ['server', 'core/base'];
  const uses = (from, to) => edges.some((edge) => edge.from === from && edge.to === to);
  const between = rooms.filter(({ name }) => name !== roof && name !== ground);
  const names = between.map(({ name }) => name);
  const described = between.map((room) => {
    const floor = floorOf(room.name);
    const up = edges.find(({ from, to }) => from === room.name && to === roof)?.targets ?? [];
    const notes = up.length > 0 ? `↑ ${listed(up.map((target) => target.slice(roof.length + 1)))}` : '';
    return { ...room, floor, ...describe({ ...room, notes }, room.name === floor || floor.startsWith('core/') ? '' : `${floor}/`) };
  });
  const slab = (name, y, notes) => drawSlab({ y, floor: name, label: name, files: rooms.find((room) => room.name === name).files, says: words[name], notes });
  const arrows = edges.filter(({ from, to }) => names.includes(from) && names.includes(to))
    .map((edge) => ({ ...edge, isNarrow: edge.targets.every((target) => permitted[edge.from]?.includes(target)) }));
  const { drawn, bottom, plan } = drawFloors(described, arrows, [['server'], ['maker'], ['proto', 'storage'], ['core/reactor', 'core/confine', 'core/kernel']], top + slabHeight + 8);
  return {
    drawn: [
      slab(roof, top, `uses ${allBut([...names, ground], (name) => uses(roof, name))}; rooms with ↑ include that header of it`),
      ...drawn,
      slab(ground, bottom + 8, `used by ${allBut([roof, ...names], (name) => uses(name, ground))}`),
    ],
    bottom: bottom + 8 + slabHeight,
    plan,
  };
}

// pages, program: see facts.mjs; shared: names of rooms of the pages; floorOf(room): its floor;
// permitted: by room, what the rules let it include, rooms and single headers.
export function draw({ pages, shared, program, floorOf, permitted }) {
  const top = 92;
  const www = drawPages(pages, shared, top);
  const server = drawProgram(program, { floorOf, permitted }, www.bottom + 44);
  const height = Math.ceil(server.bottom + margin);
  const middle = width / 2;
  const hasCircle = [www, server].some(({ plan }) => plan.edges.some(({ against }) => against));
  const legend = [
    "A box is a folder with its files. An arrow says that its room includes or imports files of the other; all of a room's have one colour.",
    `Dotted: only single headers, which the rules name one by one.${hasCircle ? ' Red, dashed: upwards, which closes a circle.' : ''} The rules: tests/layers/.`,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'DejaVu Sans', sans-serif">
<title>The house of VideoSync: floors, rooms, and which room uses which</title>
<!-- Drawn by make house. -->
<defs>
${heads}
</defs>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${text(margin, 34, 'The house of VideoSync', { size: 20, weight: 700, anchor: 'start' })}
${legend.map((line, index) => text(margin, 56 + index * 18, line, { anchor: 'start', fill: '#3b4754' })).join('\n')}
${www.drawn.join('\n')}
<path d="M${middle} ${round(www.bottom + 5)}V${round(www.bottom + 39)}" stroke="#1f2933" stroke-width="2" marker-start="url(#head7)" marker-end="url(#head7)"/>
${text(middle + 14, www.bottom + 26, 'HTTP and WebSocket: docs/PROTOCOL.md', { anchor: 'start' })}
${server.drawn.join('\n')}
</svg>
`;
}
