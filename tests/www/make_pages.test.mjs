// What the build makes of the pages: names with hashes, references that follow them, words, forms.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssetGraph } from '../../deploy/pages/graph.mjs';
import { entryModules, fillHtml, preloadModules } from '../../deploy/pages/html.mjs';
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
  const { all, needed } = findReferences('/x/y.js', [
    "import './one.js';", 'import{a}from"../two.mjs";', "export * from './three.js';", "import('./four.js')",
    "import /* all */ '/five.js'", 'const sprite = `/six.svg#play`;', "fetch('/api/videos')", "Array.from('./seven.js')",
    "import fs from 'node:fs'", "const name = './eight.js';", "'/nine.mp4'",
  ].join('\n'));
  assert.deepEqual([...all], ['/x/one.js', '/two.mjs', '/x/three.js', '/x/four.js', '/five.js', '/six.svg']);
  assert.deepEqual([...needed].slice(0, 3), ['/x/one.js', '/two.mjs', '/x/three.js']);
  assert.ok(!needed.has('/x/four.js') && !needed.has('/six.svg'));
  const css = 'a { background: url(/a.svg) } b { background: url("../img/b.png") }';
  assert.deepEqual([...findReferences('/css/main.css', css).all], ['/a.svg', '/img/b.png']);
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

test('a page tells of the modules that it needs at once, not of those for later', () => {
  const graph = graphOf(FILES);
  assert.deepEqual(entryModules(FILES['/index.html']), ['/a.js']);
  assert.deepEqual(graph.neededBy('/a.js'), ['/parts/b.js']);
  assert.match(preloadModules('<head></head>', ['/b.js']), /<link rel="modulepreload" href="\/b\.js">\n<\/head>/);
});

test('the words are in the html before any script runs', () => {
  const strings = { home: { create: 'Create & "go"', hint: 'a <b>' } };
  assert.equal(fillHtml('<button class="x"\n data-string="home.create"></button>', strings),
    '<button class="x"\n data-string="home.create">Create &amp; &quot;go&quot;</button>');
  assert.equal(fillHtml('<input data-string-placeholder="home.hint">', strings),
    '<input data-string-placeholder="home.hint" placeholder="a &lt;b&gt;">');
  assert.throws(() => fillHtml('<p data-string="home.gone"></p>', strings), /home\.gone/);
});
