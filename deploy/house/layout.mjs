// Where the rooms of a house stand and which way the arrows take: layers with few crossings (after
// Sugiyama). Pure and deterministic.
//
// Rooms stand in rows, each above all that it uses, in the band of its floor. An arrow that passes
// rows goes by a place of its own in each, so it never runs behind a room.
import { findCircle } from '../../tests/layers/www_rules.mjs';

const gap = 22; // between rooms of a row
const laneGap = 9; // beside an arrow that passes
const sweeps = 40; // for the order
const settlings = 400; // for the coordinates

// Marks as `against` the edges, rarest first, without which nothing goes in a circle.
export function openCircles(edges) {
  const open = edges.map((edge) => ({ ...edge, against: false }));
  for (;;) {
    const graph = new Map();
    for (const { from, to, against } of open) if (!against) graph.set(from, [...(graph.get(from) ?? []), to]);
    const circle = findCircle(graph);
    if (!circle) return open;
    const [rarest] = open
      .filter(({ from, to, against }) => !against && circle.some((room, index) => room === from && circle[index + 1] === to))
      .sort((a, b) => a.count - b.count);
    rarest.against = true;
  }
}

// Map: room -> row, 0 the highest. bands: [[floor, ...], ...] from the top.
function rowsOf(rooms, edges, bands) {
  const bandOf = new Map(rooms.map(({ name, floor }) => [name, bands.findIndex((band) => band.includes(floor))]));
  const heights = new Map();
  const heightOf = (name) => {
    if (!heights.has(name)) {
      const below = edges.filter(({ upper, lower }) => upper === name && bandOf.get(lower) === bandOf.get(name));
      heights.set(name, Math.max(0, ...below.map(({ lower }) => heightOf(lower) + 1)));
    }
    return heights.get(name);
  };
  rooms.forEach(({ name }) => heightOf(name));
  const rows = new Map();
  let first = 0;
  bands.forEach((_, band) => {
    const names = rooms.map(({ name }) => name).filter((name) => bandOf.get(name) === band);
    const last = first + Math.max(0, ...names.map(heightOf));
    for (const name of names) rows.set(name, last - heightOf(name));
    first = last + 1;
  });
  return rows;
}

// Rows of places: {id, width, side, room?}, and links {upper, lower, weight} between neighbouring rows.
function placesOf(rooms, edges, bands) {
  const rowOf = rowsOf(rooms, edges, bands);
  const rows = Array.from({ length: Math.max(...rowOf.values()) + 1 }, () => []);
  const links = [];
  for (const room of rooms) {
    const side = bands.find((band) => band.includes(room.floor)).indexOf(room.floor) * 2;
    rows[rowOf.get(room.name)].push({ id: room.name, width: room.width, side, room });
  }
  // Between two floors of a band stands a wall, straight from its top to its bottom.
  for (const band of bands.filter(({ length }) => length > 1)) {
    const inBand = rooms.filter(({ floor }) => band.includes(floor)).map(({ name }) => rowOf.get(name));
    for (let row = Math.min(...inBand); row <= Math.max(...inBand); ++row) {
      rows[row].push({ id: `wall ${row}`, width: 30, side: 1 });
      if (row > Math.min(...inBand)) links.push({ upper: `wall ${row - 1}`, lower: `wall ${row}`, weight: 1000 });
    }
  }
  for (const edge of edges) {
    edge.way = [edge.upper];
    for (let row = rowOf.get(edge.upper) + 1; row < rowOf.get(edge.lower); ++row) {
      const id = `${edge.upper} ${edge.lower} ${row}`;
      rows[row].push({ id, width: 0, side: null });
      edge.way.push(id);
    }
    edge.way.push(edge.lower);
    for (let step = 1; step < edge.way.length; ++step) {
      const isInner = step > 1 && step < edge.way.length - 1;
      links.push({ upper: edge.way[step - 1], lower: edge.way[step], weight: isInner ? 12 : edge.way.length > 2 ? 3 : 1 });
    }
  }
  return { rows, links };
}

// [links from the first row to the second, ...]: places keep to their rows.
function linksByRow(rows, links) {
  const rowOf = new Map(rows.flatMap((row, y) => row.map(({ id }) => [id, y])));
  return rows.map((_, y) => links.filter(({ upper }) => rowOf.get(upper) === y));
}

function crossingsBetween(upperRow, lowerRow, links) {
  const at = new Map();
  for (const row of [upperRow, lowerRow]) row.forEach(({ id }, x) => at.set(id, x));
  const ends = links.map(({ upper, lower }) => [at.get(upper), at.get(lower)]);
  let crossings = 0;
  for (let i = 0; i < ends.length; ++i) {
    for (let k = i + 1; k < ends.length; ++k) if ((ends[i][0] - ends[k][0]) * (ends[i][1] - ends[k][1]) < 0) crossings += 1;
  }
  return crossings;
}

function crossingsOf(rows, byRow) {
  return byRow.reduce((sum, links, y) => sum + (links.length > 0 ? crossingsBetween(rows[y], rows[y + 1], links) : 0), 0);
}

// Rooms of a band's floors keep to their sides of the wall: they change places among themselves.
function keepSides(row) {
  const bound = row.filter(({ side }) => side !== null);
  const sorted = bound.map((place, index) => ({ place, index })).sort((a, b) => a.place.side - b.place.side || a.index - b.index);
  return row.map((place) => (place.side === null ? place : sorted.shift().place));
}

function sweep(rows, links, isDown) {
  const next = [...rows];
  const order = isDown ? rows.keys() : [...rows.keys()].reverse();
  for (const y of order) {
    const neighbours = next[isDown ? y - 1 : y + 1];
    if (!neighbours) continue;
    const at = new Map(neighbours.map(({ id }, x) => [id, x / Math.max(1, neighbours.length - 1)]));
    const middle = new Map(next[y].map(({ id }, x) => {
      const xs = links
        .filter((link) => (isDown ? link.lower : link.upper) === id)
        .map((link) => at.get(isDown ? link.upper : link.lower));
      return [id, xs.length > 0 ? xs.reduce((a, b) => a + b) / xs.length : x / Math.max(1, next[y].length - 1)];
    }));
    next[y] = keepSides([...next[y]].sort((a, b) => middle.get(a.id) - middle.get(b.id)));
  }
  return next;
}

// Places of a row change as long as that spares crossings, which are with the rows beside it.
function swap(rows, byRow) {
  const best = [...rows];
  const around = (row, y) =>
    (y > 0 ? crossingsBetween(best[y - 1], row, byRow[y - 1]) : 0) + (y + 1 < best.length ? crossingsBetween(row, best[y + 1], byRow[y]) : 0);
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    for (let y = 0; y < best.length; ++y) {
      let least = around(best[y], y);
      for (let from = 0; from < best[y].length; ++from) {
        for (let to = 0; to < best[y].length; ++to) {
          const moved = [...best[y]];
          moved.splice(to, 0, ...moved.splice(from, 1));
          const row = keepSides(moved);
          const crossings = around(row, y);
          if (crossings < least) [best[y], least, isBetter] = [row, crossings, true];
        }
      }
    }
  }
  return best;
}

function orderOf(rows, links) {
  const byRow = linksByRow(rows, links);
  let current = rows.map(keepSides);
  let best = current;
  for (let turn = 0; turn < sweeps; ++turn) {
    current = sweep(current, links, turn % 2 === 0);
    if (crossingsOf(current, byRow) < crossingsOf(best, byRow)) best = current;
  }
  return swap(best, byRow);
}

// The places of a row as near to where they want to be as their order and widths allow (pool adjacent
// violators): wanted: [{x, weight}], centres; apart: least distances to the next. Returns centres.
function settle(wanted, apart) {
  const offsets = [0];
  apart.forEach((distance, index) => offsets.push(offsets[index] + distance));
  const pools = [];
  wanted.forEach(({ x, weight }, index) => {
    pools.push({ x: x - offsets[index], weight, size: 1 });
    while (pools.length > 1 && pools.at(-2).x > pools.at(-1).x) {
      const [left, right] = pools.splice(-2);
      const sum = left.weight + right.weight;
      pools.push({ x: (left.x * left.weight + right.x * right.weight) / sum, weight: sum, size: left.size + right.size });
    }
  });
  return pools.flatMap(({ x, size }) => Array(size).fill(x)).map((x, index) => x + offsets[index]);
}

function coordinatesOf(rows, links) {
  const x = new Map();
  const apart = (row) => row.slice(1).map((place, index) => {
    const before = row[index];
    return (before.width + place.width) / 2 + (before.room && place.room ? gap : before.room || place.room ? laneGap * 1.6 : laneGap);
  });
  for (const row of rows) settle(row.map(() => ({ x: 0, weight: 1 })), apart(row)).forEach((at, index) => x.set(row[index].id, at));
  for (let turn = 0; turn < settlings; ++turn) {
    const order = turn % 2 === 0 ? rows : [...rows].reverse();
    for (const row of order) {
      const wanted = row.map(({ id }) => {
        const near = links.filter(({ upper, lower }) => upper === id || lower === id)
          .map(({ upper, lower, weight }) => ({ x: x.get(upper === id ? lower : upper), weight }));
        const weight = near.reduce((sum, one) => sum + one.weight, 0);
        if (weight === 0) return { x: x.get(id), weight: 0.1 };
        return { x: near.reduce((sum, one) => sum + one.x * one.weight, 0) / weight, weight };
      });
      settle(wanted, apart(row)).forEach((at, index) => x.set(row[index].id, at));
    }
  }
  return x;
}

// rooms: [{name, floor, width}]; edges: [{from, to, count}]; bands: [[floor, ...], ...] from the top, of
// floors beside each other the left one first. Returns them placed, {rooms, edges, rows, left,
// right}: a room gets its row, 0 the highest, and x, its centre; an edge its `upper` and `lower` room,
// `lanes`, the x where it passes the rows between them, and `against` where it points upwards.
export function layOut(rooms, edges, bands) {
  const ways = openCircles(edges).map((edge) => ({
    ...edge, upper: edge.against ? edge.to : edge.from, lower: edge.against ? edge.from : edge.to,
  }));
  const { rows, links } = placesOf(rooms, ways, bands);
  const ordered = orderOf(rows, links);
  const x = coordinatesOf(ordered, links);
  const placed = ordered.flatMap((row, index) => row.filter(({ room }) => room).map(({ room }) => ({ ...room, row: index, x: x.get(room.name) })));
  const all = ordered.flat().map(({ id, width }) => [x.get(id) - width / 2, x.get(id) + width / 2]);
  return {
    rooms: placed,
    edges: ways.map(({ way, ...edge }) => ({ ...edge, lanes: way.slice(1, -1).map((id) => x.get(id)) })),
    left: Math.min(...all.map(([left]) => left)),
    right: Math.max(...all.map(([, right]) => right)),
    rows: ordered.length,
  };
}
