// Makes few files of many: the modules of a page become one, and one for each part that is fetched
// later; the style sheets of a page become one. Nothing else of the pages is changed.
//
// What a page and its later parts share, or the parts among themselves, esbuild puts into files of their own
// ("chunks"), and a browser would ask for those besides. Here they go into the page's file, and the parts import
// from there. That makes a circle, but no deadlock as long as no page awaits one of its parts at the outermost
// level: www.test.mjs sees to it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { replaceReferences } from './references.mjs';

export const ESBUILD = ['--bundle', '--minify', '--target=es2022', '--log-level=warning', '--legal-comments=none'];
const MODULES = [...ESBUILD, '--format=esm', '--external:/vendor/*'];

function esbuild(args, cwd, input = '') {
  return execFileSync('esbuild', args, { cwd, input, maxBuffer: 16 << 20, stdio: ['pipe', 'pipe', 'inherit'] });
}

// Map of names as in www ('/player.js', '/strings/de.js') to bytes: the module `entry` with all that it
// needs at once, and each that it imports later.
export function bundleModules(www, entry) {
  const folder = mkdtempSync(path.join(tmpdir(), 'videosync-pages-'));
  try {
    return mergeShared(entry, splitModules(www, entry, folder), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// Map of names to {text, entryPoint, exports}; chunks have no entryPoint.
function splitModules(www, entry, folder) {
  const meta = path.join(folder, 'meta.json');
  esbuild([`.${entry}`, ...MODULES, '--splitting', `--outdir=${folder}`, '--outbase=.', `--metafile=${meta}`,
    '--entry-names=[dir]/[name]', '--chunk-names=[name]-[hash]'], www);
  const { outputs } = JSON.parse(readFileSync(meta, 'utf8'));
  return new Map(Object.entries(outputs).map(([file, { entryPoint, exports }]) => {
    const name = `/${path.relative(folder, path.resolve(www, file))}`;
    return [name, { entryPoint: entryPoint && `/${entryPoint}`, exports, text: readFileSync(path.join(folder, name), 'utf8') }];
  }));
}

function mergeShared(entry, outputs, folder) {
  const isChunk = (name) => outputs.has(name) && !outputs.get(name).entryPoint;
  const finalName = (name) => (isChunk(name) ? entry : outputs.get(name)?.entryPoint ?? name);
  const parts = [...outputs.keys()].filter((name) => name !== entry && !isChunk(name));
  const exported = nameExports([...outputs].filter(([name]) => isChunk(name)));
  const texts = new Map(parts.map((name) => [name, renameImports(name, outputs.get(name).text, exported)]));
  texts.set(entry, exported.size > 0 ? mergeInto(entry, exported, parts, folder) : outputs.get(entry).text);
  return new Map([...texts].map(([name, text]) => [finalName(name), Buffer.from(replaceReferences(name, text, (other) => {
    const to = path.posix.relative('/', finalName(other));
    return finalName(other) === other ? other : `/${to}`;
  }))]));
}

// Map of chunks to Maps of the names that they export to what these are called in the page's file: each chunk names
// its exports by the same few letters.
function nameExports(chunks) {
  let count = 0;
  return new Map(chunks.map(([chunk, { exports }]) => [chunk, new Map(exports.map((name) => [name, `_${(count += 1)}`]))]));
}

// esbuild imports from a chunk by clauses of names alone: import{a as b,c}from"../x-HASH.js".
const CLAUSE = /(?<=\bimport\{)([^{}]*)(?=\}from"(\.[^"]+)")/g;

function renameImports(part, text, exported) {
  return text.replace(CLAUSE, (clause, names, from) => {
    const renamed = exported.get(path.posix.resolve(path.posix.dirname(part), from));
    if (!renamed) return clause;
    return names.split(',').map((one) => {
      const [name, local = name] = one.split(' as ');
      return `${renamed.get(name)} as ${local}`;
    }).join();
  });
}

// One file of the page's own, which comes first, and the chunks, with the exports of these.
function mergeInto(entry, exported, parts, folder) {
  const exports = [...exported].map(([chunk, names]) =>
    `export {${[...names].map(([name, finalName]) => `${name} as ${finalName}`)}} from ".${chunk}";`);
  const both = [`import ".${entry}";`, ...exports].join('\n');
  return esbuild([...MODULES, ...parts.map((name) => `--external:.${name}`)], folder, both).toString('utf8');
}

// One style sheet of several ('/style.css'), in their order.
export function bundleStyles(www, names) {
  const imports = names.map((name) => `@import ".${name}";`).join('\n');
  return esbuild([...ESBUILD, '--loader=css', '--external:*.svg'], www, imports);
}
