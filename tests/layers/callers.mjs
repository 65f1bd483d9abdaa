// Who calls what a header declares: functions that nobody calls, or only tests do. By names alone,
// so namesakes of several classes vouch for each other. Pure: files come in as {path, text}, faults
// go out as text that names file, line and function.
import { lineOf, withoutLiterals } from './sources.mjs';

// What only tests call, and may.
export const forTests = new Map([
  ['bytes_read', 'how often the disk was asked, which is what its test is about'],
  ['groups', 'that who is gone is forgotten shows in nothing else'],
]);

// A lower-case name behind a type, before its parameters. `return f(x)` and the like are calls.
const declaration = /([\w>&*\]])(\s+[&*]*)([a-z_]\w*)\s*\(/g;
const noTypes = new Set(['return', 'co_return', 'throw', 'new', 'delete', 'else', 'case', 'and', 'or', 'not']);
const noNames = new Set([
  'if', 'for', 'while', 'switch', 'catch', 'requires', 'noexcept', 'sizeof', 'alignas', 'alignof',
  'constexpr', 'decltype', 'operator', 'static_assert', 'explicit',
]);

// [{name, index}] of the functions that a header declares or defines. `text`: without literals.
export function declarationsOf(text) {
  const found = [];
  for (const { 0: whole, 1: last, 2: gap, 3: name, index } of text.matchAll(declaration)) {
    const before = /\w*$/.exec(text.slice(Math.max(0, index - 20), index + last.length))[0];
    if (noTypes.has(before) || noNames.has(name)) continue;
    found.push({ name, index: index + last.length + gap.length, whole });
  }
  return found;
}

// In our style a definition's name stands in a line that begins at the margin, and a call never.
function isDefinition(text, index) {
  const lineBegin = text.lastIndexOf('\n', index) + 1;
  return lineBegin < index && !/\s/.test(text[lineBegin]);
}

// The names that these files use otherwise than to declare or to define them.
function namesUsed(files) {
  const used = new Set();
  for (const { path, text } of files) {
    const declared = new Set(path.endsWith('.h') ? declarationsOf(text).map(({ index }) => index) : []);
    for (const { 0: name, index } of text.matchAll(/\b[a-z_]\w*/g)) {
      const isCallLike = /^\s*\(/.test(text.slice(index + name.length, index + name.length + 40));
      if (declared.has(index) || (path.endsWith('.cpp') && isCallLike && isDefinition(text, index))) continue;
      used.add(name);
    }
  }
  return used;
}

// Every function of the headers among `sources` that neither they nor `callers` use.
export function findUncalled({ sources, callers = [], tests = [] }) {
  const strip = (files) => files.map(({ path, text }) => ({ path, text: withoutLiterals(text) }));
  const own = strip(sources);
  const used = namesUsed([...own, ...strip(callers)]);
  const usedByTests = namesUsed(strip(tests));
  return own
    .filter(({ path }) => path.endsWith('.h'))
    .flatMap(({ path, text }) => declarationsOf(text)
      .filter(({ name }) => !used.has(name) && !forTests.has(name))
      .map(({ name, index }) =>
        `${path}:${lineOf(text, index)}: ${usedByTests.has(name) ? 'only tests call' : 'nobody calls'} ${name}()`));
}

// What is allowed to be the tests' and is not there, or not theirs alone.
export function findIdlePermits({ sources, callers = [] }) {
  const strip = (files) => files.map(({ path, text }) => ({ path, text: withoutLiterals(text) }));
  const own = strip(sources);
  const declared = new Set(own.filter(({ path }) => path.endsWith('.h')).flatMap(({ text }) => declarationsOf(text).map(({ name }) => name)));
  const used = namesUsed([...own, ...strip(callers)]);
  return [...forTests.keys()].filter((name) => !declared.has(name) || used.has(name));
}
