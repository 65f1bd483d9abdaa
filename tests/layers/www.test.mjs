// The rooms of the pages hold: every import of www/ is an edge of the table, and none goes in a circle.
import assert from 'node:assert/strict';
import test from 'node:test';
import { readTree } from './tree.mjs';
import { findCircle, findElementReads, findIdle, findViolations, importGraph, importsOf, rooms } from './www_rules.mjs';

const modules = readTree(['www'], /\.m?js$/);

test('the pages keep to the table', () => {
  assert.ok(modules.length > 0, 'no modules found');
  const violations = findViolations(modules);
  assert.equal(violations.length, 0, `\n${violations.join('\n')}\n`);
});

test('the table allows nothing that no module does', () => {
  assert.deepEqual(findIdle(modules), [], 'take these off the table');
});

test('neither rooms nor modules import each other in circles', () => {
  const allowed = new Map(Object.entries(rooms).map(([room, { uses }]) => [room, uses]));
  assert.equal(findCircle(allowed)?.join(' -> '), undefined);
  assert.equal(findCircle(importGraph(modules))?.join(' -> '), undefined);
});

test('what a <video> may lie about is asked for in one place', () => {
  assert.deepEqual(findElementReads(modules), []);
  const readsOf = (text, path = 'player/status/a.js') => findElementReads([{ path: `www/${path}`, text: `// planted\n${text}` }]);
  const reads = [
    'if (video.duration > 3) stop();', "video['duration']", 'const { duration } = video;', 'const { paused, duration, ended } = video;',
    'const { duration: lengthS } = video;', 'function f({ buffered, duration }, at) {}', 'const { duration = 0 } = video;', 'video?.duration',
  ];
  for (const text of reads) assert.match(readsOf(text)[0] ?? `missed: ${text}`, /^www\/player\/status\/a\.js:2: reads the element's duration/);
  for (const text of ['// video.duration', 'show({ duration: lengthS, position });', 'const durationS = 3;']) assert.deepEqual(readsOf(text), []);
  assert.deepEqual(readsOf('video.duration', 'player/playback/film_length.js'), []);
  assert.deepEqual(readsOf('entry.duration', 'watch.js'), []);
});

// The judge itself: each planted fault must be found, at its line, and nothing else.
const planted = [
  ['sync importing the session', 'sync/a.js', "import { b } from '../session/b.js';", /^www\/sync\/a\.js:2: sync may not import session/],
  ['the session importing the player', 'session/a.js', "import '../player/stage/b.js';", /:2: session may not import player\/stage/],
  ['the session importing the page', 'session/a.js', "export * from '../dom.js';", /:2: session may not import dom\.js/],
  ['a room of the player importing its neighbour', 'player/status/a.js', "import b from '../company/b.js';", /:2: player\/status may not import player\/company/],
  ['a room importing what assembles it', 'player/stage/a.js', "import { b } from '../b.js';", /:2: player\/stage may not import player \(/],
  ['one page importing from the other', 'home/a.js', "const b = () => loadPart(() => import('../player/playback/b.js'));", /:2: home may not import player\/playback/],
  ['an import over several lines', 'sync/a.js', "import {\n  b,\n} from '../dom.js';", /:4: sync may not import dom\.js/],
  ['a second import in a line', 'sync/a.js', "import './b.js'; import '../dom.js';", /:2: sync may not import dom\.js/],
  ['a library in the wrong room', 'player/stage/a.js', "import '/vendor/hls.js/hls.min.mjs';", /:2: player\/stage may not use hls\.js/],
  ['a package outside of vendor', 'player/playback/a.js', "import Hls from 'hls.js';", /:2: a browser cannot load the package "hls\.js"/],
  ['another package in its place', 'vendor/uqr.js', "export { x } from 'media-chrome/x.js';", /:2: a browser cannot load the package "media-chrome\/x\.js"/],
  ['what no quotes name', 'player/playback/a.js', 'await loadPart(() => import(`${where}.js`));', /:2: import\(\) of what stands in no quotes/],
  ['a part that is fetched without a second try', 'home/a.js', "const b = await import('./b.js');", /:2: import\(\) by itself/],
  ['a file that is not there', 'home/a.js', "import { b } from './c.js';", /:2: "\.\/c\.js" is no module of www/],
  ['a file in no room', 'a.js', '', /^www\/a\.js:1: lies in no room/],
  ['a folder that is no room', 'player/stage/inner/a.js', '', /^www\/player\/stage\/inner\/a\.js:1: lies in no room/],
];
const neighbours = ['dom.js', 'sync/b.js', 'session/b.js', 'player/b.js', 'player/playback/b.js', 'player/stage/b.js', 'player/company/b.js', 'home/b.js']
  .map((path) => ({ path: `www/${path}`, text: 'export const b = 1;\n' }));

for (const [name, path, line, expected] of planted) {
  test(`finds ${name}`, () => {
    const violations = findViolations([...neighbours, { path: `www/${path}`, text: `// planted\n${line}\n` }]);
    assert.equal(violations.length, 1, violations.join('\n'));
    assert.match(violations[0], expected);
  });
}

test('lets pass what the table allows', () => {
  const text = [
    "// import { c } from '../../sync/b.js'; import(name)",
    "import x from '../../dom.js';", "import { y } from './b.js';", "import '/vendor/media-chrome.js';",
    "const later = loadPart(() => import('./b.js'), { triesMax: 3 });",
    "const words = { from: 'session' }; Array.from('../../sync/b.js'); loader.import(name);",
  ].join('\n');
  assert.deepEqual(findViolations([...neighbours, { path: 'www/player/stage/a.js', text }]), []);
  assert.deepEqual(findViolations([{ path: 'www/vendor/uqr.js', text: "export { encode } from 'uqr';\n" }]), []);
});

test('finds what the table allows in vain', () => {
  const idle = findIdle([{ path: 'www/session/a.js', text: "import '../sync/b.js';\n" }]);
  assert.ok(idle.includes('qr_code.js -> uqr') && idle.includes('player.js -> sync'));
  assert.ok(!idle.includes('session -> sync'));
});

test('finds circles: of a module with itself, of modules in one room, of rooms', () => {
  const circleOf = (texts) => findCircle(importGraph(Object.entries(texts).map(([path, text]) => ({ path: `www/${path}`, text }))));
  assert.deepEqual(circleOf({ 'sync/a.js': "import './a.js';" }), ['sync/a.js', 'sync/a.js']);
  assert.deepEqual(
    circleOf({ 'home.js': "import './sync/a.js';", 'sync/a.js': "import './b.js';", 'sync/b.js': "import('./c.js');", 'sync/c.js': "export * from './a.js';" }),
    ['sync/a.js', 'sync/b.js', 'sync/c.js', 'sync/a.js']);
  assert.equal(circleOf({ 'home.js': "import './sync/a.js'; import './sync/b.js';", 'sync/a.js': "import './b.js';", 'sync/b.js': '' }), null);
  assert.deepEqual(findCircle(new Map([['player', ['home']], ['home', ['dom.js', 'player']]])), ['player', 'home', 'player']);
});

test('reads every form of an import', () => {
  const names = (text) => importsOf(text).map(({ line, name }) => `${line} ${name}`);
  assert.deepEqual(names("import './a.js'\nimport{b}from\"./b.js\";\nimport c, * as d\n  from './c.js';\nexport { e } from './e.js';"),
    ['1 ./a.js', '2 ./b.js', '4 ./c.js', '5 ./e.js']);
  assert.deepEqual(names("export const f = { name: 'x', load: () => import('./f.js') };\nexport function g(from) {\n  return 'g';\n}"), ['1 ./f.js']);
});
