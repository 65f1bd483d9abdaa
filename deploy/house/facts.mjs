// What the picture of the house shows: rooms with their files, and who uses whom, read from include
// lines and imports. Pure: files come in as {path, text}.
import { includesOf } from '../../tests/layers/rules.mjs';
import { importGraph, libraryOf, roomOf } from '../../tests/layers/www_rules.mjs';

const folderOf = (path) => path.slice(0, path.lastIndexOf('/'));
const byName = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

// uses: [{from, to, target}], one a line of source -> [{from, to, targets}], sorted; `targets`: the
// files that are named, each once.
function gather(uses) {
  const edges = new Map();
  for (const { from, to, target } of uses) {
    if (from === to) continue;
    const edge = edges.get(`${from} ${to}`) ?? { from, to, count: 0, targets: new Set() };
    edge.count += 1;
    edge.targets.add(target);
    edges.set(`${from} ${to}`, edge);
  }
  return [...edges.entries()]
    .sort(([a], [b]) => byName(a, b))
    .map(([, edge]) => ({ ...edge, targets: [...edge.targets].sort(byName) }));
}

function count(names) {
  const rooms = new Map();
  for (const name of [...names].sort(byName)) rooms.set(name, (rooms.get(name) ?? 0) + 1);
  return [...rooms].map(([name, files]) => ({ name, files }));
}

// {rooms: [{name, files}], edges: [{from, to, count, targets}]} of the C++ sources; `count`: include lines.
export function programOf(files) {
  return {
    rooms: count(files.map(({ path }) => folderOf(path))),
    edges: gather(files.flatMap(({ path, text }) => includesOf(text)
      .filter(({ quoted }) => quoted)
      .map(({ name }) => ({ from: folderOf(path), to: folderOf(name), target: name })))),
  };
}

// The same of the pages' modules. Libraries are no rooms; `libraries`: Map of a room's.
export function pagesOf(files) {
  const graph = importGraph(files.filter(({ path }) => !path.startsWith('www/vendor/')));
  const uses = [...graph].flatMap(([module, targets]) => targets.map((target) => ({ from: roomOf(module), to: roomOf(target), target })));
  const libraries = new Map();
  for (const { from, target } of uses) {
    if (libraryOf(target)) libraries.set(from, [...new Set([...(libraries.get(from) ?? []), libraryOf(target)])].sort(byName));
  }
  return {
    rooms: count([...graph.keys()].map(roomOf)),
    edges: gather(uses.filter(({ target }) => !libraryOf(target))),
    libraries,
  };
}

// The single files of the pages that others use, not only a page itself, and what these alone use: the
// words that all modules share.
export function sharedWordsOf({ rooms, edges }) {
  const users = (name) => edges.filter(({ to }) => to === name).map(({ from }) => from);
  const isPage = (name) => users(name).length === 0;
  const names = rooms.map(({ name }) => name);
  const shared = new Set(names.filter((name) => name.endsWith('.js') && users(name).some((user) => !isPage(user))));
  for (const { name } of rooms) {
    if (users(name).length > 0 && users(name).every((user) => shared.has(user))) shared.add(name);
  }
  return shared;
}
