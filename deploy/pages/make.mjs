// Assembles what the server serves: the pages of www/, of each one module, one more for each of its later
// parts and one style sheet (bundle.mjs), and what they use of the libraries. Each file has a name with its
// hash, and a .br and a .gz beside every text that gains by it.
//
// Of a library the pages name either a module of www/vendor/ ('/vendor/uqr.js'), which is bundled with
// what it imports of the package of that name, or a file of the package's dist/ as it is
// ('/vendor/hls.js/hls.min.mjs'). The package's licence is shipped in vendor/<package>/.
// Usage: node make.mjs WWW NODE_MODULES OUTPUT
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import zlib from 'node:zlib';
import { ESBUILD, bundleModules, bundleStyles } from './bundle.mjs';
import { AssetGraph, isText, keepsItsName } from './graph.mjs';
import { entryModules, fillHtml, mergeStyles, stylesOf } from './html.mjs';

const BUNDLED = /^\/vendor\/([^/]+)\.js$/;
const AS_IT_IS = /^\/vendor\/([^/]+)\/(.+)$/;
const SMALLEST_PACKED = 1024; // below, a response's head outweighs what packing saves

const [www, modules, output] = process.argv.slice(2).map((argument) => path.resolve(argument));
const fresh = `${output}.new`;
const made = new Map(); // name -> bytes of what is no file of www/

// The bytes of '/player.js', or null.
function read(name) {
  if (made.has(name)) return made.get(name);
  if (BUNDLED.test(name)) return bundle(path.join(www, name));
  const [, library, file] = AS_IT_IS.exec(name) ?? [];
  if (!library) return readOrNull(path.join(www, name));
  return withoutSourceMap(readOrNull(path.join(modules, library, 'dist', file)));
}

function readOrNull(file) {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? readFileSync(file) : null;
}

function bundle(file) {
  return execFileSync('esbuild', [...ESBUILD, '--format=esm', file], {
    env: { ...process.env, NODE_PATH: modules },
    maxBuffer: 16 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

// Source maps are not shipped.
function withoutSourceMap(bytes) {
  return bytes && Buffer.from(bytes.toString('utf8').replace(/^\/\/# sourceMappingURL=.*$/m, ''));
}

function write(name, bytes) {
  const file = path.join(fresh, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  if (!isText(name) || bytes.length < SMALLEST_PACKED) return;
  const brotli = { params: { [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  for (const [suffix, packed] of [
    ['.br', zlib.brotliCompressSync(bytes, brotli)],
    ['.gz', zlib.gzipSync(bytes, { level: 9 })],
  ]) {
    if (packed.length < bytes.length) writeFileSync(file + suffix, packed);
  }
}

function writeLicences(names) {
  const libraries = new Set(names.map((name) => (BUNDLED.exec(name) ?? AS_IT_IS.exec(name))?.[1]));
  libraries.delete(undefined);
  for (const library of libraries) {
    write(`/vendor/${library}/LICENSE.txt`, readFileSync(path.join(modules, library, 'LICENSE')));
  }
}

// The style sheet that a page has in the place of its several ones.
function styleName(page) {
  return `/styles${page.replace(/html$/, 'css')}`;
}

function bundlePage(page) {
  const html = readFileSync(path.join(www, page), 'utf8');
  for (const entry of entryModules(html)) {
    for (const [name, bytes] of bundleModules(www, entry)) made.set(name, bytes);
  }
  made.set(styleName(page), bundleStyles(www, stylesOf(html)));
  made.set(page, Buffer.from(mergeStyles(html, styleName(page))));
}

async function englishWords() {
  const files = ['strings/en.js', 'strings/home_en.js'].map((name) => pathToFileURL(path.join(www, name)));
  return Object.assign({}, ...(await Promise.all(files.map((file) => import(file)))).map(({ default: words }) => words));
}

async function main() {
  const pages = readdirSync(www).filter(keepsItsName).map((name) => `/${name}`);
  for (const page of pages.filter((name) => name.endsWith('.html'))) bundlePage(page);
  const libraries = readdirSync(path.join(www, 'vendor')).map((name) => `/vendor/${name}`);
  const graph = new AssetGraph([...pages, ...libraries], read);
  const strings = await englishWords();
  const shape = (html) => fillHtml(html, strings);

  rmSync(fresh, { recursive: true, force: true });
  for (const name of graph.names) {
    write(graph.servedName(name), graph.served(name, name.endsWith('.html') ? shape : undefined));
  }
  writeLicences(graph.names);
  rmSync(output, { recursive: true, force: true });
  renameSync(fresh, output);
}

try {
  await main();
} catch (error) {
  console.error(`error: make-pages: ${error.message}`);
  process.exitCode = 1;
}
