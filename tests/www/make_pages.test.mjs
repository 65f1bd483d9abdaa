// What the build makes of the pages: names with hashes, references that follow them, words, forms.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundleModules, bundleStyles } from '../../deploy/pages/bundle.mjs';
import { AssetGraph } from '../../deploy/pages/graph.mjs';
import { entryModules, fillHtml, mergeStyles, stylesOf } from '../../deploy/pages/html.mjs';
import { findReferences, replaceReferences } from '../../deploy/pages/references.mjs';

const graphOf = (files, roots = ['/index.html']) =>
  new AssetGraph(roots, (name) => (name in files ? Buffer.from(files[name]) : null));
const served = (graph, name) => graph.served(name).toString();

const FILES = {
  '/index.html': '<script type="module" src="/a.js"></script><link href="/style.css"><a href="/">home</a>',
  '/a.js': "import { b } from './parts/b.js';\nexport const later = () => import('./c.js');",
  '/parts/b.js': "import {\n  a,\n} from '../a.js';\nexport const b = `/icons.svg#${a}`;",
  '/c.js': 'export default 1;',
  '/style.css': "body { background: url('icons.svg') }",
  '/icons.svg': '<svg/>',
};

test('every kind of reference is found, and nothing else', () => {
  const names = findReferences('/x/y.js', [
    "import './one.js';", 'import{a}from"../two.mjs";', "export * from './three.js';", "import('./four.js')",
    "import /* all */ '/five.js'", 'const sprite = `/six.svg#play`;', "fetch('/api/videos')", "Array.from('./seven.js')",
    "import fs from 'node:fs'", "const name = './eight.js';", "'/nine.mp4'",
  ].join('\n'));
  assert.deepEqual([...names], ['/x/one.js', '/two.mjs', '/x/three.js', '/x/four.js', '/five.js', '/six.svg']);
  const css = 'a { background: url(/a.svg) } b { background: url("../img/b.png") }';
  assert.deepEqual([...findReferences('/css/main.css', css)], ['/a.svg', '/img/b.png']);
});

test('a name is replaced once, and where it stands', () => {
  const text = "import a from './a.js'; const path = '/a.js';";
  assert.equal(replaceReferences('/x.js', text, (name) => name.replace('.js', '.0a.js')),
    "import a from '/a.0a.js'; const path = '/a.0a.js';");
});

test('all that the start page leads to is served, by names that the server takes for hashes', () => {
  const graph = graphOf(FILES);
  assert.deepEqual(graph.names, Object.keys(FILES).sort());
  for (const name of graph.names) {
    if (name.endsWith('.html')) assert.equal(graph.servedName(name), name);
    else assert.match(graph.servedName(name), /\.(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{10}\.\w+$/);
  }
  const html = served(graph, '/index.html');
  assert.ok(html.includes(`src="${graph.servedName('/a.js')}"`) && html.includes('href="/"'));
  assert.ok(served(graph, '/parts/b.js').includes(`from '${graph.servedName('/a.js')}'`));
  assert.ok(served(graph, '/parts/b.js').includes(`\`${graph.servedName('/icons.svg')}#`));
  assert.ok(served(graph, '/style.css').includes(graph.servedName('/icons.svg')));
});

test('a change renames what leads to it, modules in a circle too, and nothing else', () => {
  const before = graphOf(FILES);
  const after = graphOf({ ...FILES, '/c.js': 'export default 2;' });
  const renamed = before.names.filter((name) => before.servedName(name) !== after.servedName(name));
  assert.deepEqual(renamed, ['/a.js', '/c.js', '/parts/b.js']);
});

test('a page that is named is no part of the hash', () => {
  const withLink = { ...FILES, '/c.js': "export default '/index.html';" };
  const before = graphOf(withLink);
  const after = graphOf({ ...withLink, '/style.css': 'body {}' });
  assert.equal(before.servedName('/c.js'), after.servedName('/c.js'));
});

test('a file that is not there stops the build, and is named with who wants it', () => {
  assert.throws(() => graphOf({ ...FILES, '/c.js': "import './gone.js'" }), /\/c\.js names \/gone\.js/);
});

test('of a page\'s style sheets one is left, in the place of the first', () => {
  const html = '<head>\n  <link rel="stylesheet" href="/a.css">\n  <link rel="stylesheet" href="/b.css">\n  <script type="module" src="/a.js"></script>\n';
  assert.deepEqual(stylesOf(html), ['/a.css', '/b.css']);
  assert.deepEqual(entryModules(html), ['/a.js']);
  assert.equal(mergeStyles(html, '/both.css'),
    '<head>\n  <link rel="stylesheet" href="/both.css">\n  <script type="module" src="/a.js"></script>\n');
});

// A folder of sources, and another one for what becomes of them.
function inFolder(files, use) {
  const folder = mkdtempSync(path.join(tmpdir(), 'videosync-make-pages-'));
  const put = (name, bytes) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    return file;
  };
  for (const [name, text] of Object.entries(files)) put(name, text);
  return Promise.resolve(use(folder, put)).finally(() => rmSync(folder, { recursive: true, force: true }));
}

const SOURCES = {
  'package.json': '{"type":"module"}',
  'page.js': "import './words.js'; import { next } from './state.js'; next(); import('./parts/later.js').then(({ take }) => take(next()));",
  'words.js': "(globalThis.steps = []).push('first'); const { word } = await import('./words/other.js'); globalThis.steps.push(word);",
  'words/other.js': "export const word = 'other';",
  'state.js': 'let count = 0; export function next() { return (count += 1); }',
  'parts/later.js': "import { next } from '../state.js'; import { icon } from './icon.js'; export function take(seen) { globalThis.taken([seen, next(), icon]); }",
  'parts/icon.js': "import { extra } from '/vendor/library.js'; export const icon = '/icons.svg#a';",
};

test('a page is one module, and what it shares with its later parts is there once', () => inFolder(SOURCES, async (folder, put) => {
  const bundled = bundleModules(folder, '/page.js');
  assert.deepEqual([...bundled.keys()].sort(), ['/page.js', '/parts/later.js', '/words/other.js']);
  assert.deepEqual([...findReferences('/page.js', bundled.get('/page.js').toString())].sort(), ['/parts/later.js', '/words/other.js']);
  assert.deepEqual([...findReferences('/parts/later.js', bundled.get('/parts/later.js').toString())].sort(),
    ['/icons.svg', '/page.js', '/vendor/library.js']);
  const taken = new Promise((resolve) => (globalThis.taken = resolve));
  put('made/package.json', '{"type":"module"}');
  // As a server has it at its root: node's is the file system's.
  const root = (text) => text.replaceAll('"/', `"${pathToFileURL(path.join(folder, 'made'))}/`).replace(/[^;]*\/vendor\/library\.js";/, '');
  for (const [name, bytes] of bundled) put(`made${name}`, root(bytes.toString()));
  await import(pathToFileURL(path.join(folder, 'made/page.js')).href);
  const [first, second] = await taken;
  assert.deepEqual([first, second], [2, 3], 'one module, one state');
  assert.deepEqual(globalThis.steps, ['first', 'other']);
}));

// Each module says when it is evaluated, and a counter whose it is: a module that is there twice would count for itself.
const counter = (name) => `globalThis.evaluated.push('${name}'); let count = 0; export const ${name} = { next: () => '${name}' + (count += 1) };`;

test('a page and two parts that share in different ways: everything is there once, whatever its chunk calls it', () => inFolder({
  'package.json': '{"type":"module"}',
  'page.js': `import { all } from './all.js'; import { first } from './first.js'; import { second } from './second.js';
    globalThis.evaluated.push('page');
    const inTurn = async () => [await import('./parts/one.js'), await import('./parts/two.js')];
    inTurn().then((parts) =>
      globalThis.told([[all, first, second].map((each) => each.next()), ...parts.map(({ tell }) => tell())]));`,
  'all.js': counter('all'), 'first.js': counter('first'), 'second.js': counter('second'), 'both.js': counter('both'),
  'parts/one.js': `import { all } from '../all.js'; import { both } from '../both.js'; import { first } from '../first.js';
    globalThis.evaluated.push('one'); export const tell = () => [all, both, first].map((each) => each.next());`,
  'parts/two.js': `import { both } from '../both.js'; import { all } from '../all.js'; import { second } from '../second.js';
    globalThis.evaluated.push('two'); export const tell = () => [both, all, second].map((each) => each.next());`,
}, async (folder, put) => {
  const bundled = bundleModules(folder, '/page.js');
  assert.deepEqual([...bundled.keys()].sort(), ['/page.js', '/parts/one.js', '/parts/two.js']);
  for (const part of ['/parts/one.js', '/parts/two.js']) {
    assert.deepEqual([...findReferences(part, bundled.get(part).toString())], ['/page.js'], 'all that is shared is there');
  }
  put('made/package.json', '{"type":"module"}');
  const root = `"${pathToFileURL(path.join(folder, 'made'))}/`; // as a server has it at its own
  for (const [name, bytes] of bundled) put(`made${name}`, bytes.toString().replaceAll('"/', root));
  globalThis.evaluated = [];
  const told = new Promise((resolve) => (globalThis.told = resolve));
  await import(pathToFileURL(path.join(folder, 'made/page.js')).href);
  assert.deepEqual(await told, [['all1', 'first1', 'second1'], ['all2', 'both1', 'first2'], ['both2', 'all3', 'second2']]);
  assert.deepEqual(globalThis.evaluated.slice(0, 3).sort(), ['all', 'first', 'second']);
  assert.deepEqual(globalThis.evaluated.slice(3), ['page', 'both', 'one', 'two'], 'what only the parts share comes after the page');
}));

test('style sheets follow each other, and name what they named', () => inFolder({
  'a.css': 'a { color: red }\n', 'css/b.css': 'a { color: blue; background: url(/icons.svg) }\n',
}, (folder) => {
  assert.equal(bundleStyles(folder, ['/a.css', '/css/b.css']).toString(), 'a{color:red}a{color:#00f;background:url(/icons.svg)}\n');
}));

test('the words are in the html before any script runs', () => {
  const strings = { home: { create: 'Create & "go"', hint: 'a <b>' } };
  assert.equal(fillHtml('<button class="x"\n data-string="home.create"></button>', strings),
    '<button class="x"\n data-string="home.create">Create &amp; &quot;go&quot;</button>');
  assert.equal(fillHtml('<input data-string-placeholder="home.hint">', strings),
    '<input data-string-placeholder="home.hint" placeholder="a &lt;b&gt;">');
  assert.throws(() => fillHtml('<p data-string="home.gone"></p>', strings), /home\.gone/);
});
