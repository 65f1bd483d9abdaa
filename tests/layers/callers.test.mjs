// What headers offer is used: no function that nobody calls, and none that is there for tests alone.
import assert from 'node:assert/strict';
import test from 'node:test';
import { declarationsOf, findIdlePermits, findUncalled } from './callers.mjs';
import { sourceRoots } from './rules.mjs';
import { withoutLiterals } from './sources.mjs';
import { readTree } from './tree.mjs';

const tree = {
  sources: readTree(sourceRoots, /\.(h|cpp)$/),
  callers: readTree(['bench'], /\.(h|cpp)$/),
  tests: readTree(['tests'], /\.(h|cpp)$/),
};

test('every function of a header is called by the program', () => {
  assert.ok(tree.sources.length > 0, 'no sources found');
  const faults = findUncalled(tree);
  assert.equal(faults.length, 0, `\n${faults.join('\n')}\n`);
});

test('what may be there for tests is there, and for them alone', () => {
  assert.deepEqual(findIdlePermits(tree), []);
});

const header = `// A contract that speaks of gone().
#pragma once
class Box {
 public:
  int size() const noexcept { return count(items_) + one_more(items_); }
  static Box make(int of);
  template <class T>
  std::vector<T>&
  all() noexcept;
  virtual void on_opened(const Box& box) noexcept = 0;
};
std::optional<Box> find_box(std::string_view name) noexcept;
`;
const source = `#include "core/base/box.h"
int count(const Items& items) {
  return items.n;
}
std::optional<Box> find_box(std::string_view name) noexcept {
  return Box::make(2).all().size();
}
void Box::on_opened(const Box&) noexcept {}
`;

test('a header declares what a reader would say it does', () => {
  const names = declarationsOf(withoutLiterals(header)).map(({ name }) => name);
  assert.deepEqual(names, ['size', 'make', 'all', 'on_opened', 'find_box']);
});

test('finds what nobody calls, and what only tests do', () => {
  const faults = findUncalled({
    sources: [{ path: 'core/base/box.h', text: header }, { path: 'core/base/box.cpp', text: source }],
    tests: [{ path: 'tests/unit/box_test.cpp', text: 'Test(box, is_found) {\n  find_box("a");\n}\n' }],
  });
  assert.deepEqual(faults, [
    'core/base/box.h:10: nobody calls on_opened()',
    'core/base/box.h:12: only tests call find_box()',
  ]);
});

test('a call from bench, from a macro or by address counts; a comment and a text do not', () => {
  const sources = [{ path: 'core/base/box.h', text: 'int a();\nint b();\nint c();\nint d();\nint e();\n' }];
  const callers = [{ path: 'bench/a.cpp', text: 'void f() {\n  CHECK(a());\n  run(&b);\n  c();\n  // d()\n  say("e()");\n}\n' }];
  assert.deepEqual(findUncalled({ sources, callers }), [
    'core/base/box.h:4: nobody calls d()',
    'core/base/box.h:5: nobody calls e()',
  ]);
});
