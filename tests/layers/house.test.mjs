// The picture of the house, docs/house.svg: it shows the tree as it is, and its arrows can be followed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { drawHouse, picture } from '../../deploy/house/draw.mjs';
import { pagesOf, programOf, sharedWordsOf } from '../../deploy/house/facts.mjs';
import { layOut, openCircles } from '../../deploy/house/layout.mjs';
import { words } from '../../deploy/house/words.mjs';
import { sourceRoots } from './rules.mjs';
import { readTree } from './tree.mjs';

const pages = pagesOf(readTree(['www'], /\.m?js$/));
const program = programOf(readTree(sourceRoots, /\.(h|cpp)$/));

test('the picture is what would be drawn now', () => {
  assert.ok(readFileSync(picture, 'utf8') === drawHouse(), 'docs/house.svg is out of date: run `make house` and commit it');
});

test('each room has its words, and no other', () => {
  const shared = sharedWordsOf(pages);
  const shown = [...program.rooms.map(({ name }) => name), ...pages.rooms.map(({ name }) => name).filter((name) => !shared.has(name)).map((name) => `www/${name}`)];
  assert.deepEqual(Object.keys(words).sort(), shown.sort(), 'deploy/house/words.mjs says what is in each room');
});

test('reads rooms and their uses from include lines', () => {
  const found = programOf([
    { path: 'server/http/a.h', text: '#include <vector>\n#include "core/base/b.h"\n#include "server/http/c.h"\n' },
    { path: 'server/http/a.cpp', text: '#include "server/http/a.h"\n// #include "storage/d.h"\n#include "core/base/b.h"\n#include "core/base/e.h"\n' },
    { path: 'core/base/b.h', text: '' },
  ]);
  assert.deepEqual(found, {
    rooms: [{ name: 'core/base', files: 1 }, { name: 'server/http', files: 2 }],
    edges: [{ from: 'server/http', to: 'core/base', count: 3, targets: ['core/base/b.h', 'core/base/e.h'] }],
  });
});

test('reads the same of the pages, their libraries apart, and what all of them share', () => {
  const found = pagesOf([
    { path: 'www/player/stage/a.js', text: "import '../../dom.js';\nimport '/vendor/media-chrome.js';\nimport '../../strings.js';\n" },
    { path: 'www/player.js', text: "import './player/stage/a.js';\n" },
    { path: 'www/strings.js', text: "import './strings/en.js';\n" },
    { path: 'www/dom.js', text: '' },
    { path: 'www/strings/en.js', text: '' },
    { path: 'www/vendor/media-chrome.js', text: "import 'media-chrome';\n" },
  ]);
  assert.deepEqual(found.edges.map(({ from, to }) => `${from} > ${to}`),
    ['player.js > player/stage', 'player/stage > dom.js', 'player/stage > strings.js', 'strings.js > strings']);
  assert.deepEqual([...found.libraries], [['player/stage', ['media-chrome']]]);
  assert.deepEqual([...sharedWordsOf(found)].sort(), ['dom.js', 'strings', 'strings.js']);
});

test('of a circle the rarest edge goes against the order', () => {
  const edge = (from, to, count) => ({ from, to, count });
  const open = openCircles([edge('a', 'b', 3), edge('b', 'c', 1), edge('c', 'a', 2), edge('c', 'd', 1)]);
  assert.deepEqual(open.filter(({ against }) => against).map(({ from, to }) => [from, to]), [['b', 'c']]);
});

// A house out of a seed: rooms on four floors, of which two stand beside each other, and uses downwards.
function houseOf(seed) {
  let state = seed;
  const next = (below) => (state = (state * 48271) % 2147483647) % below;
  const floors = ['top', 'left', 'right', 'ground'];
  const rooms = floors.flatMap((floor) => Array.from({ length: 1 + next(6) }, (_, index) => ({ name: `${floor}${index}`, floor, width: 60 + next(120) })));
  const edges = rooms.flatMap((from, index) => rooms.slice(index + 1)
    .filter((to) => `${from.floor} ${to.floor}` !== 'left right' && next(3) === 0)
    .map((to) => ({ from: from.name, to: to.name, count: 1 + next(9) })));
  return { rooms, edges, bands: [['top'], ['left', 'right'], ['ground']] };
}

test('rooms stand apart and above what they use, and no arrow passes behind one', () => {
  for (let seed = 1; seed <= 12; ++seed) {
    const { rooms, edges, bands } = houseOf(seed);
    const plan = layOut(rooms, edges, bands);
    const at = new Map(plan.rooms.map((room) => [room.name, room]));
    assert.equal(at.size, rooms.length, `seed ${seed}`);
    for (const room of plan.rooms) {
      for (const other of plan.rooms.filter(({ row, x }) => row === room.row && x > room.x)) {
        assert.ok(other.x - room.x >= (room.width + other.width) / 2 + 9, `seed ${seed}: ${room.name} touches ${other.name}`);
      }
    }
    const edge = (floor, side) => Math.max(...plan.rooms.filter((room) => room.floor === floor).map(({ x, width }) => side * x + width / 2));
    assert.ok(edge('left', 1) < -edge('right', -1), `seed ${seed}: floors beside each other overlap`);
    for (const { from, to, lanes } of plan.edges) {
      assert.equal(at.get(to).row - at.get(from).row, lanes.length + 1, `seed ${seed}: ${from} to ${to}`);
      lanes.forEach((lane, index) => {
        const behind = plan.rooms.find(({ row, x, width }) => row === at.get(from).row + index + 1 && Math.abs(lane - x) < width / 2 + 5);
        assert.equal(behind, undefined, `seed ${seed}: ${from} to ${to} behind ${behind?.name}`);
      });
    }
  }
});
