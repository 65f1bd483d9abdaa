// Makes few files of many: the modules of a page become one, and one for each part that is fetched
// later; the style sheets of a page become one. Nothing else of the pages is changed.
//
// What a page and its later parts share, esbuild puts into a file of its own, and a browser would ask for
// that besides. Here it goes into the page's file, and the parts import it from there. That makes a circle,
// but no deadlock as long as no page awaits one of its parts at the outermost level: www.test.mjs sees to it.
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

// Map of names to {text, entryPoint}; shared files have none.
function splitModules(www, entry, folder) {
  const meta = path.join(folder, 'meta.json');
  esbuild([`.${entry}`, ...MODULES, '--splitting', `--outdir=${folder}`, '--outbase=.', `--metafile=${meta}`,
    '--entry-names=[dir]/[name]', '--chunk-names=[name]-[hash]'], www);
  const { outputs } = JSON.parse(readFileSync(meta, 'utf8'));
  return new Map(Object.entries(outputs).map(([file, { entryPoint }]) => {
    const name = `/${path.relative(folder, path.resolve(www, file))}`;
    return [name, { entryPoint: entryPoint && `/${entryPoint}`, text: readFileSync(path.join(folder, name), 'utf8') }];
  }));
}

function mergeShared(entry, outputs, folder) {
  const shared = [...outputs].filter(([, { entryPoint }]) => !entryPoint).map(([name]) => name);
  const finalName = (name) => outputs.get(name)?.entryPoint ?? (shared.includes(name) ? entry : name);
  // Each has exports of its own by its letters: two of them would clash.
  if (shared.length > 1) throw new Error(`${entry} and its parts share in ${shared.length} ways: ${shared.join(', ')}`);
  const texts = new Map([...outputs].map(([name, { text }]) => [name, text]));
  if (shared.length > 0) texts.set(entry, mergeInto(entry, shared[0], [...outputs.keys()], folder));
  for (const name of shared) texts.delete(name);
  return new Map([...texts].map(([name, text]) => [finalName(name), Buffer.from(replaceReferences(name, text, (other) => {
    const to = path.posix.relative('/', finalName(other));
    return finalName(other) === other ? other : `/${to}`;
  }))]));
}

// One file of the page's own and the shared one, with the exports of the latter.
function mergeInto(entry, shared, all, folder) {
  const parts = all.filter((name) => name !== entry && name !== shared);
  const both = `export * from ".${shared}"; import ".${entry}";`;
  return esbuild([...MODULES, ...parts.map((name) => `--external:.${name}`)], folder, both).toString('utf8');
}

// One style sheet of several ('/style.css'), in their order.
export function bundleStyles(www, names) {
  const imports = names.map((name) => `@import ".${name}";`).join('\n');
  return esbuild([...ESBUILD, '--loader=css', '--external:*.svg'], www, imports);
}
