// What a source uses of the standard library it includes, or one of our headers that it includes does.
//
// The builds that have the tests read the commonest headers once for all sources (precompiled_headers in
// cmake/BuildOptions.cmake), and do not notice where one is missing; what is shipped is built without that.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { sourceRoots } from './rules.mjs';
import { lineOf, withoutComments, withoutLiterals } from './sources.mjs';
import { readTree, root } from './tree.mjs';

const ALGORITHMS = 'sort|stable_sort|find|find_if|find_if_not|find_last|count|count_if|any_of|all_of|none_of|min_element|max_element|' +
  'copy|copy_if|fill|transform|replace|reverse|rotate|remove|remove_if|unique|equal|mismatch|search|lower_bound|upper_bound|equal_range|' +
  'binary_search|partition|nth_element|for_each|is_sorted|sort_heap|push_heap|pop_heap|shuffle|set_difference|set_intersection|includes';
// Of each header that is read once: what nothing else is sure to bring.
const NAMES = {
  algorithm: `std::ranges::(?:${ALGORITHMS}|contains|starts_with)\\b|std::(?:${ALGORITHMS}|min|max|clamp|minmax)\\b(?=\\s*[<(])`,
  array: 'std::array\\b',
  chrono: 'std::chrono::',
  functional: 'std::(?:function|move_only_function|bind_front|hash|less|greater)\\b',
  map: 'std::(?:multi)?map\\b',
  memory: 'std::(?:unique_ptr|shared_ptr|weak_ptr|make_unique|make_shared)\\b',
  optional: 'std::(?:optional|nullopt|make_optional)\\b',
  span: 'std::(?:span|as_bytes)\\b',
  string: 'std::(?:string|to_string|stoi|stoull)\\b',
  string_view: 'std::string_view\\b',
  unordered_map: 'std::unordered_map\\b',
  utility: 'std::(?:exchange|as_const|to_underlying|cmp_less|in_place)\\b',
  variant: 'std::(?:variant|visit|get_if|holds_alternative|monostate)\\b',
  vector: 'std::vector\\b',
};
// <map> and the like define pairs; a <string> knows views.
const BRINGS = { string: ['string_view'] };

function precompiled() {
  const [, list] = /set\(precompiled_headers ([^)]*)\)/.exec(readFileSync(path.join(root, 'cmake/BuildOptions.cmake'), 'utf8'));
  return [...list.matchAll(/<(\w+)>/g)].map(([, name]) => name);
}

const includesOf = (text, pattern) => [...withoutComments(text).matchAll(pattern)].map(([, name]) => name);

// Faults of all files, as text that names file, line and header.
function faultsOf(files) {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const known = new Map(); // path -> the standard headers that it brings
  const broughtBy = (file) => {
    if (known.has(file.path)) return known.get(file.path);
    const brought = new Set();
    known.set(file.path, brought);
    for (const name of includesOf(file.text, /^#include <(\w+)>/gm)) for (const one of [name, ...(BRINGS[name] ?? [])]) brought.add(one);
    for (const name of includesOf(file.text, /^#include "([^"]+)"/gm)) if (byPath.has(name)) for (const one of broughtBy(byPath.get(name))) brought.add(one);
    return brought;
  };
  return files.flatMap((file) => {
    const code = withoutLiterals(file.text);
    return Object.entries(NAMES).flatMap(([header, names]) => {
      const used = new RegExp(names).exec(code);
      return used && !broughtBy(file).has(header) ? [`${file.path}:${lineOf(code, used.index)}: ${used[0]} without <${header}>`] : [];
    });
  });
}

test('every source includes what it uses of the headers that tests read once', () => {
  const faults = faultsOf(readTree(sourceRoots, /\.(h|cpp)$/));
  assert.equal(faults.length, 0, `\n${faults.join('\n')}\n`);
});

test('each of those headers has its names here', () => {
  assert.deepEqual(precompiled().filter((name) => !(name in NAMES)), []);
});

test('what is missing is found, what comes with a header of ours is not', () => {
  const own = { path: 'core/a.h', text: '#include <vector>\n' };
  const source = (text) => faultsOf([own, { path: 'core/a.cpp', text: `#include "core/a.h"\n${text}` }]);
  assert.deepEqual(source('std::vector<int> all;\n'), []);
  assert.deepEqual(source('auto n = std::ranges::count(all, 1);\n'), ['core/a.cpp:2: std::ranges::count without <algorithm>']);
  assert.deepEqual(source('#include <algorithm>\nauto n = std::ranges::count(all, 1);\n'), []);
  assert.deepEqual(source('// std::optional\nconst char* const text = "std::map";\n'), []);
});
