// Where state lives its functions assert what must hold.
import assert from 'node:assert/strict';
import test from 'node:test';
import { checking, exempt, findThin, findUntrue, folders, meanOf, measure, perFunction } from './assertions.mjs';
import { readTree } from './tree.mjs';

const sources = readTree(folders, /\.(h|cpp)$/);

test('every function that changes state asserts, two things on average in each file', () => {
  assert.ok(sources.length > 0, 'no sources found');
  const faults = findThin(sources);
  assert.equal(faults.length, 0, `\n${faults.join('\n')}\n`);
});

test('what is said to assert does, and each exemption is of something', () => {
  assert.deepEqual(findUntrue(sources), []);
});

test('the measure reads most of what these folders have', () => {
  const functions = measure(sources).flatMap((file) => file.functions);
  assert.ok(functions.length > 200, `${functions.length} functions`);
});

const body = (checks) => `${'  VS_ASSERT(is_so);\n'.repeat(checks)}  one();\n  two();\n  three();\n  four();\n`;
const plant = (heading, checks) => ({ path: 'server/session/a.cpp', text: `namespace videosync {\n\n${heading} {\n${body(checks)}}\n\n}\n` });
const faultsOf = (...files) => findThin(files);

test('finds a function that asserts nothing, and says where', () => {
  const faults = faultsOf(plant('void Impl::settle(Residence& residence) noexcept', 0));
  assert.equal(faults.length, 2);
  assert.match(faults[0], /^server\/session\/a\.cpp:3: Impl::settle\(\) changes state/);
  assert.match(faults[1], /^server\/session\/a\.cpp:1: 0\.00 assertions/);
});

test('finds a file of too few, though each function has one', () => {
  assert.equal(faultsOf(plant('void Impl::settle(Residence& residence) noexcept', 1)).length, 1);
  assert.deepEqual(faultsOf(plant('void Impl::settle(Residence& residence) noexcept', perFunction)), []);
});

test('many checks in one function do not stand for others', () => {
  const text = `void A::full(int) {\n${body(20)}}\nvoid A::thin(int) {\n${body(1)}}\nvoid A::thin(bool) {\n${body(0)}}\n`;
  const faults = faultsOf({ path: 'server/nodes/a.cpp', text });
  assert.equal(faults.length, 2, faults.join('\n'));
  assert.match(faults[0], /a\.cpp:\d+: A::thin\(\)/);
  assert.match(faults[1], /1\.67 assertions/);
});

test('what asserts and gives out what it has looked at is a check, and its like-named are none', () => {
  const using = (call) => ({ path: 'server/session/a.cpp', text: `void Impl::settle(Residence& residence) {\n  Home& home = ${call};\n  home.assert_sound();\n${body(0)}}\n` });
  assert.deepEqual(faultsOf(using('residence.at_home()')), []);
  assert.equal(faultsOf(using('*residence.home')).length, 1);
  assert.equal(faultsOf(using('look_at_home()')).length, 1);
});

test('assertions in comments and literals do not count', () => {
  const text = `void A::f(int) {\n  // VS_ASSERT(a);\n  /* VS_ASSERT(b); */\n  log("VS_ASSERT(c)");\n${body(0)}}\n`;
  assert.equal(faultsOf({ path: 'server/nodes/a.cpp', text }).length, 2);
});

test('reads heads of several lines, initializers and templates', () => {
  const heads = [
    'std::expected<Outcome, Refusal> Impl::let_in(\n    Residence& residence, Request request,\n    Seat seat) noexcept',
    'Machine::Machine(const Limits& limits, int now_us)\n    : limits_(&limits), now_us_(now_us)',
    'template <class Predicate>\nvoid Impl::leave_all(Residence& residence, Predicate is_gone) noexcept',
    'void add(std::vector<Sum>& all, const Uuid& node)',
  ];
  for (const heading of heads) assert.equal(faultsOf(plant(heading, 0)).length, 2, heading);
});

test('lets pass what changes nothing of ours, and what is trivial', () => {
  const heads = [
    'std::uint32_t Machine::count(int one) const noexcept',
    'double sum_of(const std::vector<double>& all, int from)',
    'bool Impl::is_it(const Home& home) noexcept',
  ];
  const header = { path: 'server/session/a.h', text: '  static bool is_it(const Home& home) noexcept;\n' };
  for (const heading of heads) assert.deepEqual(faultsOf(header, plant(heading, 0)), [], heading);
  assert.deepEqual(faultsOf({ path: 'server/session/a.cpp', text: 'void A::f() {\n  one();\n  two();\n}\n' }), []);
});

test('a table that is no longer true is found', () => {
  const untrue = findUntrue([
    { path: 'server/session/residence.h', text: '  Home& at_home() noexcept {\n    return *home;\n  }\n  Outpost& away() noexcept {\n    VS_ASSERT(outpost);\n    return *outpost;\n  }\n' },
  ]);
  assert.ok(untrue.includes('at_home'));
  assert.ok(!untrue.includes('away'));
  assert.ok(untrue.includes([...exempt.keys()][0]));
  assert.ok(checking.size > 0);
});

test('the mean is of a file', () => {
  const [file] = measure([plant('void Impl::settle(Residence& residence) noexcept', 3)]);
  assert.equal(meanOf(file), 3);
});
