// The pages' types hold (www/jsconfig.json says how strictly): of messages and answers as the contract has them, of the
// elements that have an id, of what modules give each other, and of the libraries.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { elementDeclarations } from '../types/elements.mjs';
import { here as types, madeNow, typeOf } from '../types/make.mjs';
import { root } from './tree.mjs';

const run = promisify(execFile);
const compiler = path.join(root, 'tests/node_modules/typescript/bin/tsc');
const libraries = path.join(root, 'build/npm/node_modules');

// What the compiler complains of, as text.
async function complaints(config) {
  assert.ok(existsSync(libraries), `the types of the pages' libraries are not in ${libraries}: \`cmake --build --preset dev --target pages\` fetches them`);
  return run(process.execPath, [compiler, '--pretty', 'false', '-p', config]).then(() => '', ({ stdout, stderr }) => stdout + stderr || 'it failed, and says nothing');
}

for (const [name, text] of madeNow()) {
  test(`${name} is what would be made now`, () => {
    assert.ok(readFileSync(path.join(types, name), 'utf8') === text, `tests/types/${name} is out of date: run \`make types\` and commit it`);
  });
}

test('the pages have no fault of types', async () => {
  assert.equal(await complaints(path.join(root, 'www/jsconfig.json')), '');
});

// The judge itself: each planted fault is found, at its line, and what is right passes.
const planted = [
  ["room.send('kick', { id: 'm2' });", null],
  ["room.send('kick', { who: 'm2' });", /TS2353.*'who' does not exist/],
  ["room.send('kik', { id: 'm2' });", /TS2345.*"kik"/],
  ["room.send('play', {});", /TS2345.*"play"/],
  ["room.addEventListener('chat', ({ detail }) => detail.text.trim());", null],
  ["room.addEventListener('chat', ({ detail }) => detail.words);", /TS2339.*'words' does not exist/],
  ["room.addEventListener('chatter', () => {});", /TS2345.*"chatter"/],
  ["byId('chat-text').value = '';", null],
  ["byId('chat-txt').remove();", /TS2345.*"chat-txt"/],
  ["byId('title').value = '';", /TS2339.*'value' does not exist on type 'HTMLHeadingElement'/],
  ["videos({ limit: 3 }).then((page) => page.videos[0].title);", null],
  ["videos({ limit: 3 }).then((page) => page.videos[0].name);", /TS2339.*'name' does not exist/],
  ["new Hls({ startPosition: 3 });", null],
  ["new Hls({ startPosition: 'three' });", /TS2322/],
];

test('planted faults are found', async () => {
  const folder = mkdtempSync(path.join(root, 'build/types-'));
  try {
    const lines = [
      "import { byId } from '../../www/dom.js'; import { videos } from '../../www/session/api.js'; import Hls from '/vendor/hls.js/hls.min.mjs';",
      'export function plant(/** @type {Room} */ room) {', ...planted.map(([line]) => line), '}', ''];
    writeFileSync(path.join(folder, 'planted.js'), lines.join('\n'));
    writeFileSync(path.join(folder, 'jsconfig.json'), JSON.stringify({ extends: '../../www/jsconfig.json', include: ['planted.js', '../../tests/types/*.d.ts'] }));
    const said = (await complaints(path.join(folder, 'jsconfig.json'))).split('\n');
    const ofLine = (number) => said.filter((line) => line.includes(`planted.js(${number},`));
    planted.forEach(([line, fault], index) => {
      const found = ofLine(index + 3);
      if (fault) assert.match(found[0] ?? `missed: ${line}`, fault);
      else assert.deepEqual(found, [], line);
    });
    assert.equal(said.filter((line) => /^\S.*error/.test(line)).length, planted.filter(([, fault]) => fault).length, said.join('\n'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a schema becomes a type, and what has none is complained of', () => {
  assert.equal(typeOf({ type: ['string', 'null'], pattern: 'x' }), '(string | null)');
  assert.equal(typeOf({ type: 'array', items: { enum: ['a', 'b'] } }), 'Array<("a" | "b")>');
  assert.equal(typeOf({ type: 'object', required: ['a'], properties: { a: { const: 1 }, b: { $ref: '#/components/schemas/B' } } }), '{ a: 1; b?: B }');
  assert.equal(typeOf({ allOf: [{ $ref: 'x.yaml#/A' }, { type: 'object', properties: {} }] }), 'A & {  }');
  assert.equal(typeOf({ type: 'object', properties: { a: { type: 'null' }, b: { type: 'integer' } }, oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
    '({ a: null; b?: number } | { a?: null; b: number })');
  assert.throws(() => typeOf({ anyOf: [] }), /anyOf is no keyword that has a type/);
  assert.throws(() => typeOf({ type: 'date' }), /no type for/);
});

test('ids are found in pages and in modules', () => {
  const text = elementDeclarations([
    { path: 'www/a.html', text: '<h1\n class="x" id="one"></h1><p id="two">' }, { path: 'www/b.html', text: '<button id="two">' },
    { path: 'www/a.js', text: "make('li', { class: 'x', id: 'three' }); make('p', { text: 'id' });" }]);
  assert.match(text, /'one': Tag<'h1'>;\n {2}'three': Tag<'li'>;\n {2}'two': Tag<'p'> \| Tag<'button'>;\n}/);
});
