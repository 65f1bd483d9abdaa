// C++ sources for the rules about them, with blanks for what is not meant: texts keep their length
// and their lines, so a place found in one is the same place in the other.

const piece =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|R"(\w*)\([\s\S]*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'/g;
const blank = (text) => text.replace(/[^\n]/g, ' ');

export function withoutComments(text) {
  return text.replace(piece, (found) => (found.startsWith('/') ? blank(found) : found));
}

// Without what stands in string and character literals, either.
export function withoutLiterals(text) {
  return text.replace(piece, (found) => {
    if (found.startsWith('/')) return blank(found);
    const begin = found.indexOf(found.at(-1)) + 1;
    return found.slice(0, begin) + blank(found.slice(begin, -1)) + found.at(-1);
  });
}

export const lineOf = (text, index) => text.slice(0, index).split('\n').length;
