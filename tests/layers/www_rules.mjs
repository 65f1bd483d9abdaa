// Which module of the pages may import which: the rooms of www/ as data, and the judgement of one
// module's imports. Pure, as rules.mjs is for C++: files come in as {path, text}, violations go out
// as text that names file, line and rule.
import path from 'node:path';

// A room is a folder (not the folders in it) or a file of www/ itself; each may import its own
// modules too. `libraries`: the packages of www/vendor/ that it may load.
export const rooms = {
  'dom.js': { uses: [] },
  'ask.js': { uses: ['dom.js'] },
  'format.js': { uses: [] },
  'title.js': { uses: [] },
  'web_film.js': { uses: [] },
  'memory.js': { uses: [] },
  'whereabouts.js': { uses: ['format.js', 'strings.js'] },
  'load_part.js': { uses: ['session'] },
  strings: { uses: ['load_part.js'] },
  'strings.js': { uses: ['load_part.js', 'memory.js', 'strings'] },
  'faults.js': { uses: ['strings.js'] },
  'language_name.js': { uses: ['strings.js'] },
  'member_name.js': { uses: [] },
  'name_field.js': { uses: ['dom.js', 'member_name.js', 'memory.js', 'strings.js'] },
  'names.js': { uses: ['strings.js'] },
  'password.js': { uses: ['dom.js', 'faults.js', 'strings', 'strings.js', 'session'] },
  'qr_code.js': { uses: [], libraries: ['uqr'] },
  'season.js': { uses: ['strings.js'] },
  sync: { uses: [] },
  session: { uses: ['web_film.js', 'sync'] },
  'player/playback': { uses: ['dom.js', 'language_name.js', 'load_part.js', 'memory.js', 'strings.js', 'web_film.js', 'sync'], libraries: ['hls.js'] },
  'player/stage': {
    uses: ['dom.js', 'faults.js', 'format.js', 'load_part.js', 'memory.js', 'name_field.js', 'strings', 'strings.js', 'whereabouts.js', 'player/playback'],
    libraries: ['media-chrome'],
  },
  'player/company': { uses: ['dom.js', 'faults.js', 'format.js', 'load_part.js', 'memory.js', 'name_field.js', 'names.js', 'password.js', 'qr_code.js', 'season.js', 'strings', 'strings.js', 'title.js', 'web_film.js'], libraries: ['tus-js-client'] },
  'player/status': { uses: ['dom.js', 'names.js', 'strings.js'] },
  player: { uses: ['dom.js', 'strings.js', 'player/playback', 'player/company', 'player/status'] },
  'watch.js': {
    uses: ['ask.js', 'dom.js', 'memory.js', 'title.js', 'session', 'player', 'player/playback', 'player/stage', 'player/status'],
  },
  'player.js': {
    uses: ['dom.js', 'faults.js', 'load_part.js', 'memory.js', 'strings.js', 'title.js', 'sync', 'session', 'player/playback', 'player/stage', 'watch.js'],
    libraries: ['media-chrome'],
  },
  home: { uses: ['dom.js', 'faults.js', 'format.js', 'memory.js', 'names.js', 'password.js', 'season.js', 'strings.js', 'web_film.js', 'whereabouts.js', 'session'] },
  'home.js': { uses: ['dom.js', 'faults.js', 'memory.js', 'name_field.js', 'password.js', 'strings', 'strings.js', 'session', 'home'] },
  vendor: { uses: [] }, // each module stands for the package of its name, and alone may import it
};

// What of the <video> only one module of the player asks for, because some browser lies about it. A name that is
// taken out of an object is such a read too, so none of these stands alone in braces.
const ELEMENT_READS = [
  { word: 'duration', module: 'player/playback/film_length.js', instead: 'FilmLength tells how long the film is' },
];

// From the beginning of a line or a statement to the quoted name, over as many lines as it takes.
const STATEMENT = /(?:^|;)[^\S\n]*(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*['"](?<name>[^'"]+)['"]/gm;
const CALL = /(?<![\w.$])(?<!\/\/.*)import\s*\(\s*(?:['"](?<name>[^'"]+)['"]\s*\))?/g;

// What a call stands in that is tried again, and told of, where it fails.
const LOADER = /\bloadPart\(\(\) => $/;

// [{line, name, isBare}] of a module's text; name is null where a call imports what no quotes name; isBare of
// a call that stands in no loadPart().
export function importsOf(text) {
  const isBare = ({ index }) => !LOADER.test(text.slice(0, index));
  const statements = [...text.matchAll(STATEMENT)].map((match) => ({ match, isBare: false }));
  const calls = [...text.matchAll(CALL)].map((match) => ({ match, isBare: isBare(match) }));
  return [...statements, ...calls]
    .map(({ match, ...rest }) => ({ end: match.index + match[0].length, name: match.groups.name ?? null, ...rest }))
    .sort((a, b) => a.end - b.end)
    .map(({ end, ...rest }) => ({ line: text.slice(0, end).split('\n').length, ...rest }));
}

// By the path below www/.
export function roomOf(module) {
  return [module, path.posix.dirname(module)].find((room) => Object.hasOwn(rooms, room));
}

// 'uqr' of 'vendor/uqr.js', 'hls.js' of 'vendor/hls.js/hls.min.mjs'.
export function libraryOf(module) {
  return /^vendor\/(?:(?<bundled>[^/]+)\.js$|(?<asItIs>[^/]+)\/)/.exec(module)?.slice(1).find(Boolean);
}

// The path below www/ that `name` means in `module`; null for a package.
function resolve(module, name) {
  if (name.startsWith('/')) return name.slice(1);
  return name.startsWith('.') ? path.posix.join(path.posix.dirname(module), name) : null;
}

function judge(module, { name, isBare }, known) {
  if (isBare) return 'import() by itself, which may fail: write loadPart(() => import(...))';
  if (name === null) return 'import() of what stands in no quotes: write its address there';
  const room = roomOf(module);
  const target = resolve(module, name);
  if (target === null) {
    const isItsModule = libraryOf(module) === name.split('/')[0];
    return isItsModule ? null : `a browser cannot load the package "${name}": name a module of /vendor/`;
  }
  const { uses, libraries = [] } = rooms[room];
  const library = libraryOf(target);
  if (library) {
    if (libraries.includes(library)) return null;
    return `${room} may not use ${library} (it may: ${libraries.join(', ') || 'none'})`;
  }
  if (!known.has(target)) return `"${name}" is no module of www`;
  const targetRoom = roomOf(target);
  if (targetRoom === room || uses.includes(targetRoom)) return null;
  return `${room} may not import ${targetRoom ?? target} (it may: ${[room, ...uses].join(', ')})`;
}

// [{path, module, imports, targets}]; `module` is the path below www/, as are `targets`, what it imports.
function read(files) {
  return files.map((file) => {
    const module = path.posix.relative('www', file.path);
    const imports = importsOf(file.text);
    const targets = imports.map(({ name }) => name && resolve(module, name)).filter(Boolean);
    return { path: file.path, module, imports, targets };
  });
}

// Every violation among the modules `files` (paths from the root), in their order.
export function findViolations(files) {
  const modules = read(files);
  const known = new Set(modules.map(({ module }) => module));
  return modules.flatMap(({ path: file, module, imports }) => {
    if (!roomOf(module)) return [`${file}:1: lies in no room of www (${Object.keys(rooms).join(', ')})`];
    return imports.flatMap((one) => {
      const fault = judge(module, one, known);
      return fault ? [`${file}:${one.line}: ${fault}`] : [];
    });
  });
}

// Every read of what a <video> says of itself by another module than the one that knows better.
export function findElementReads(files) {
  return files.flatMap(({ path: file, text }) => {
    const code = text.replace(/\/\/.*/g, '');
    return ELEMENT_READS.filter(({ module }) => file.startsWith('www/player/') && file !== `www/${module}`)
      .flatMap(({ word, instead }) => [...code.matchAll(readsOf(word))].map(({ index }) =>
        `${file}:${code.slice(0, index).split('\n').length}: reads the element's ${word}: ${instead}`));
  });
}

function readsOf(word) {
  const taken = `[{,]\\s*${word}\\s*(?:[,}=]|:[^{}]*}\\s*=[^=>])`;
  return new RegExp(`\\.${word}\\b|${taken}|\\[['"]${word}['"]\\]`, 'g');
}

// What the table allows and no module does: the table says how it is, not how it might be.
export function findIdle(files) {
  const done = new Set(read(files).flatMap(({ module, targets }) =>
    targets.map((target) => `${roomOf(module)} -> ${libraryOf(target) ?? roomOf(target)}`)));
  return Object.entries(rooms)
    .flatMap(([room, { uses, libraries = [] }]) => [...uses, ...libraries].map((target) => `${room} -> ${target}`))
    .filter((edge) => !done.has(edge));
}

// Map: module -> modules that it imports.
export function importGraph(files) {
  return new Map(read(files).map(({ module, targets }) => [module, targets]));
}

// The first circle of a graph (Map: node -> nodes): its nodes, the first one at the end again; null
// where there is none.
export function findCircle(graph) {
  const innocent = new Set();
  const follow = (node, way) => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (innocent.has(node)) return null;
    for (const next of graph.get(node) ?? []) {
      const circle = follow(next, [...way, node]);
      if (circle) return circle;
    }
    innocent.add(node);
    return null;
  };
  for (const node of graph.keys()) {
    const circle = follow(node, []);
    if (circle) return circle;
  }
  return null;
}
