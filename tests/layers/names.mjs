// Files that comments and documents name, and that are not there: whoever renames a file forgets
// them. Pure: files come in as {path, text}, faults go out as text that names file and line.
import { lineOf, withoutComments } from './sources.mjs';

const named = /(?<![\w./*<>-])(?:[\w-]+\/)*[\w-]+\.(?:h|cpp|mjs)\b/g;
const foreign = /^(?:linux|sys)\//; // the system's headers

// What is prose in a file: of code its comments, the rest blank; of a document everything.
function proseOf({ path, text }) {
  if (path.endsWith('.md')) return text;
  const code = withoutComments(text);
  return [...text].map((letter, index) => (letter === code[index] && letter !== '\n' ? ' ' : letter)).join('');
}

// `known`: the paths of all files that may be named. A name is the end of a path.
export function findStaleNames(files, known) {
  const ends = new Set(known.flatMap((path) => {
    const parts = path.split('/');
    return parts.map((_, index) => parts.slice(index).join('/'));
  }));
  return files.flatMap((file) => {
    const prose = proseOf(file);
    return [...prose.matchAll(named)]
      .filter(([name]) => !foreign.test(name) && !ends.has(name))
      .map(({ 0: name, index }) => `${file.path}:${lineOf(prose, index)}: there is no ${name}`);
  });
}
