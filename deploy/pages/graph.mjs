// The files that the pages consist of, found by following references from what is in www/, and the
// names they are served by.
//
// A file's name carries a hash of its own bytes and of everything that it refers to, directly or not:
// it changes exactly when what a browser would get through it changes. Hashing the whole reach at
// once is also what lets modules import each other in circles.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { findReferences, replaceReferences } from './references.mjs';

const HASH_DIGITS = 10;
const TEXT = new Set(['.html', '.js', '.mjs', '.css', '.svg', '.webmanifest']);
// Asked for by a name that people or machines know.
const WELL_KNOWN = new Set(['.html', '.txt']);

export function keepsItsName(name) {
  return WELL_KNOWN.has(path.posix.extname(name));
}

export function isText(name) {
  return TEXT.has(path.posix.extname(name));
}

// read(name) returns the bytes of the file '/player.js', or null. `roots` are names to begin with.
export class AssetGraph {
  #files = new Map(); // name -> {bytes, text, names}; names: what it refers to

  constructor(roots, read) {
    const waiting = roots.map((name) => ({ name, by: null }));
    while (waiting.length > 0) {
      const { name, by } = waiting.pop();
      if (this.#files.has(name)) continue;
      const bytes = read(name);
      if (bytes === null) throw new Error(`${by} names ${name}, which is not there`);
      const text = isText(name) ? bytes.toString('utf8') : null;
      const names = text === null ? new Set() : findReferences(name, text);
      this.#files.set(name, { bytes, text, names });
      for (const next of names) waiting.push({ name: next, by: name });
    }
  }

  get names() {
    return [...this.#files.keys()].sort();
  }

  // By which name the file is served.
  servedName(name) {
    if (keepsItsName(name)) return name;
    const extension = path.posix.extname(name);
    return `${name.slice(0, -extension.length)}.${this.#hash(name)}${extension}`;
  }

  // The bytes that are served, which name other files as those are served. shape(text) may change a
  // text before.
  served(name, shape = (text) => text) {
    const { bytes, text } = this.#files.get(name);
    if (text === null) return bytes;
    return Buffer.from(replaceReferences(name, shape(text), (other) => this.servedName(other)));
  }

  // What keeps its name is no part of it: its name says the same whatever it holds.
  #reach(name) {
    const reach = new Set([name]);
    for (const member of reach) {
      for (const next of this.#files.get(member).names) if (!keepsItsName(next)) reach.add(next);
    }
    return reach;
  }

  #hash(name) {
    const hash = createHash('sha256');
    for (const member of [...this.#reach(name)].sort()) {
      hash.update(`${member}\0`).update(this.#files.get(member).bytes);
    }
    return telltale(hash.digest('hex'));
  }
}

// The first digits that the server takes for a hash: letters and figures both.
function telltale(digest) {
  for (let at = 0; at + HASH_DIGITS <= digest.length; ++at) {
    const digits = digest.slice(at, at + HASH_DIGITS);
    if (/[0-9]/.test(digits) && /[a-f]/.test(digits)) return digits;
  }
  return 'a0'.repeat(HASH_DIGITS / 2);
}
