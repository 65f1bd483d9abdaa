// What a page file names: other modules, styles, images. Pure: texts go in, texts come out.
//
// Recognized are the specifiers of imports in scripts, url() in styles, and elsewhere a path from the
// root that stands in quotes or brackets and ends like a file ('/icons.svg#play'). Nothing else is a
// reference, so a name that is put together at run time is not found.
import path from 'node:path';

const KINDS = 'js|mjs|css|svg|png|jpg|webp|ico|woff2|webmanifest|html';
const ROOTED = `(?<=["'\`(])(?<rooted>/[\\w./-]+\\.(?:${KINDS}))(?=["'\`)#?])`;
// The first lookbehind keeps `Array.from("x")` out.
const SPECIFIER = `(?<lead>(?<![\\w.$])(?:from|import)\\s*(?:\\(\\s*)?["'])(?<named>\\.{0,2}/[\\w./-]+)(?=["'])`;
const URL_FUNCTION = `(?<lead>url\\(["']?)(?<named>[\\w./-]+)(?=["']?\\))`;
const PATTERNS = {
  '.css': new RegExp(URL_FUNCTION, 'g'),
  '.js': new RegExp(`${SPECIFIER}|${ROOTED}`, 'g'),
  '.mjs': new RegExp(`${SPECIFIER}|${ROOTED}`, 'g'),
};
const ELSEWHERE = new RegExp(ROOTED, 'g');

// Calls change(name) for each file that the text of the file `from` names, and puts what it returns in
// the name's place. Names are paths from the root ('/sync/clock.js').
export function replaceReferences(from, text, change) {
  const folder = path.posix.dirname(from);
  return text.replace(PATTERNS[path.posix.extname(from)] ?? ELSEWHERE, (...match) => {
    const { lead = '', named, rooted } = match.at(-1);
    return rooted ? change(rooted) : lead + change(path.posix.resolve(folder, named));
  });
}

// A set of names.
export function findReferences(from, text) {
  const names = new Set();
  replaceReferences(from, text, (name) => {
    names.add(name);
    return name;
  });
  return names;
}
