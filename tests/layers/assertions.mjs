// Two assertions a function where state lives: what each source has, by its functions that change
// state. Pure: files come in as {path, text}, measures and faults go out, with file and line.
//
// Counted is what a .cpp defines at the margin and may change something: no const methods; of free
// and static functions only those that are given something to change; nothing of up to
// `trivialStatements`. A check is an assertion in the function, or its call of what asserts and
// gives out what it has looked at (`checking`). No function counts for more than `most`, so that
// one of many checks does not stand for others that have none.
import { lineOf, withoutLiterals } from './sources.mjs';

export const folders = ['proto/session', 'server/session', 'server/nodes'];
export const perFunction = 2;
const most = 4;
const trivialStatements = 3;

// Where each stands, for the rule to see that it asserts.
export const checking = new Map([
  ['at_home', 'server/session/residence.h'],
  ['away', 'server/session/residence.h'],
  ['home_part', 'server/session/residence.h'],
  ['outpost_part', 'server/session/residence.h'],
  ['remote_at', 'server/session/residence.h'],
  ['known', 'proto/session/roster.cpp'],
  ['require_host', 'proto/session/session_commands.cpp'],
  ['require_control', 'proto/session/session_commands.cpp'],
  ['require_talk', 'proto/session/session_commands.cpp'],
  ['push_state', 'proto/session/session_commands.cpp'],
  ['begin_event', 'proto/session/session_timers.cpp'],
  ['count_heard', 'proto/session/session_machine.cpp'],
]);
// Every class's own, which looks at what its counts say of each other.
const invariants = 'assert_sound';

// Functions, and whole files, that keep no state of ours, and why.
export const exempt = new Map([
  ['proto/session/session_record.cpp', 'a codec: bytes in, values out'],
  ['server/session/stored_session.cpp', 'a codec, too'],
  ['server/nodes/nodes.cpp: Nodes::on_session_event', 'reads what comes and passes it on'],
  ['server/nodes/nodes.cpp: Nodes::on_all_directories', 'posts to each worker'],
  ['server/session/session_directory.cpp: Impl::schedule', 'the timer wheel asserts'],
  ['server/session/session_directory.cpp: Impl::info', 'asks, and changes nothing'],
  ['server/session/session_directory.cpp: Impl::info_of_empty', 'asks, and changes nothing'],
  ['server/session/session_directory.cpp: Impl::validate', 'asks, and changes nothing'],
  ['server/session/session_directory.cpp: Impl::validate_later', 'asks the store'],
  ['server/session/session_directory.cpp: Impl::video', 'asks, and changes nothing'],
  ['server/session/outpost_home.cpp: Impl::ask_beneath', 'asks the store'],
]);

// A head at the margin, its parameters, what follows them, and the body's opening brace.
const head =
  /^(?!namespace|using|struct|class|enum|union|static_assert|constexpr|inline constexpr|return|#|\/\/)[A-Za-z_][^;{}()]*?([A-Za-z_][\w:]*)\(([^;{}]*?)\)((?:\s*(?:const|noexcept|override)\b)*)(?:\s*:\s[^;{]*?)?\s*\{/gm;

function endOf(text, open) {
  let depth = 0;
  for (let i = open; i < text.length; ++i) {
    if (text[i] === '{') ++depth;
    if (text[i] === '}' && --depth === 0) return i;
  }
  return text.length;
}

const changesWhatItIsGiven = (params) =>
  params.split(/,(?![^<]*>)/).some((param) => /[&*]/.test(param) && !/^\s*const\b/.test(param) && !/&&/.test(param));

// [{name, params, index, body, isConst}] of what `text`, without literals, defines.
export function definitionsOf(text) {
  const found = [];
  head.lastIndex = 0;
  for (let match; (match = head.exec(text)) !== null;) {
    const open = head.lastIndex - 1;
    const end = endOf(text, open);
    const [, name, params, after] = match;
    found.push({ name, params, index: match.index, body: text.slice(open + 1, end), isConst: /\bconst\b/.test(after) });
    head.lastIndex = end;
  }
  return found;
}

const statementsOf = (body) => (body.match(/;/g) ?? []).length;

function checksOf(body) {
  const calls = [...checking.keys(), invariants].join('|');
  return (body.match(new RegExp(`\\bVS_ASSERT\\(|\\b(?:${calls})\\(`, 'g')) ?? []).length;
}

// Names that a header declares static: their functions have no state but what they are given.
const staticsOf = (files) =>
  new Set(files.filter(({ path }) => path.endsWith('.h'))
    .flatMap(({ text }) => [...text.matchAll(/^ +static [^;{}()=]*?(\w+)\(/gm)].map(([, name]) => name)));

// [{path, functions: [{name, line, checks}]}] of each source that has any to be counted.
export function measure(files) {
  const statics = staticsOf(files);
  const isCounted = (path) => ({ name, params, body, isConst }) => {
    if (isConst || statementsOf(body) <= trivialStatements || exempt.has(`${path}: ${name}`)) return false;
    const isMethod = name.includes('::') && !statics.has(name.split('::').at(-1));
    return isMethod || changesWhatItIsGiven(params);
  };
  return files
    .filter(({ path }) => path.endsWith('.cpp') && !exempt.has(path))
    .map(({ path, text }) => {
      const bare = withoutLiterals(text);
      const functions = definitionsOf(bare)
        .filter(isCounted(path))
        .map(({ name, index, body }) => ({ name, line: lineOf(bare, index), checks: checksOf(body) }));
      return { path, functions };
    })
    .filter(({ functions }) => functions.length > 0);
}

export const meanOf = ({ functions }) =>
  functions.reduce((sum, { checks }) => sum + Math.min(checks, most), 0) / functions.length;

export function findThin(files) {
  return measure(files).flatMap((file) => {
    const faults = file.functions
      .filter(({ checks }) => checks === 0)
      .map(({ name, line }) => `${file.path}:${line}: ${name}() changes state and asserts nothing of it`);
    const mean = meanOf(file);
    if (mean < perFunction) {
      faults.push(`${file.path}:1: ${mean.toFixed(2)} assertions a function that changes state, and not ${perFunction}`);
    }
    return faults;
  });
}

// What the tables above say and is no longer so.
export function findUntrue(files) {
  const textOf = (path) => withoutLiterals(files.find((file) => file.path === path)?.text ?? '');
  const bodyOf = (path, name) => {
    const found = new RegExp(`\\b${name}\\([^;{}]*\\)[\\w\\s]*\\{`).exec(textOf(path));
    return found === null ? '' : textOf(path).slice(found.index, endOf(textOf(path), found.index + found[0].length - 1));
  };
  const asserts = (body) => /VS_ASSERT\(|\bassert_sound\(/.test(body);
  const silent = [...checking].filter(([name, path]) => !asserts(bodyOf(path, name))).map(([name]) => name);
  const gone = [...exempt.keys()].filter((key) => {
    const [path, name] = key.split(': ');
    const text = textOf(path);
    return name === undefined ? text === '' : !definitionsOf(text).some((each) => each.name === name);
  });
  return [...silent, ...gone];
}
