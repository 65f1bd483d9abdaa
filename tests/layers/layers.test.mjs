// The floors hold: every include line of core, proto, storage and server is an edge of the table.
import assert from 'node:assert/strict';
import test from 'node:test';
import { findViolations, sourceRoots } from './rules.mjs';
import { readTree } from './tree.mjs';

test('the tree keeps to the table', () => {
  const files = readTree(sourceRoots, /\.(h|cpp)$/);
  assert.ok(files.length > 0, 'no sources found');
  const violations = findViolations(files);
  assert.equal(violations.length, 0, `\n${violations.join('\n')}\n`);
});

// The judge itself: each planted fault must be found, at its line, and nothing else.
const planted = [
  ['proto including storage', 'proto/a.cpp', '#include "storage/b.h"', /^proto\/a\.cpp:2: proto may not include storage/],
  ['storage including proto', 'storage/a.cpp', '#include "proto/b.h"', /^storage\/a\.cpp:2: storage may not include proto/],
  ['proto including the reactor', 'proto/a.cpp', '#include "core/reactor/b.h"', /:2: proto may not include core\/reactor/],
  ['core including the server', 'core/base/a.h', '#include "server/b.h"', /:2: core\/base may not include server/],
  ['the shared words including the reactor', 'core/base/a.h', '#include "core/reactor/b.h"', /:2: core\/base may not include core\/reactor/],
  ['a library on the wrong floor', 'server/a.cpp', '#include <liburing.h>', /:2: server may not use liburing/],
  ['a C library in a header', 'core/reactor/a.h', '  #  include <liburing.h>', /:2: liburing may not appear in a header/],
  ['a parser in a header', 'proto/a.h', '#include <simdjson.h>', /:2: simdjson may not appear in a header/],
  ['a library nobody agreed on', 'server/a.cpp', '#include <boost/asio.hpp>', /:2: <boost\/asio.hpp> belongs to no library/],
  ['a quoted path that is not from the root', 'server/a.cpp', '#include "b.h"', /:2: "b.h" is no file of ours/],
  ['a file on no floor', 'core/a.cpp', '', /^core\/a\.cpp:1: lies on no floor/],
];
const neighbours = ['core/base/b.h', 'core/reactor/b.h', 'proto/b.h', 'storage/b.h', 'server/b.h'].map(
  (path) => ({ path, text: '#include <vector>\n#include <sys/socket.h>\n' }),
);

for (const [name, path, line, expected] of planted) {
  test(`finds ${name}`, () => {
    const violations = findViolations([...neighbours, { path, text: `// planted\n${line}\n` }]);
    assert.equal(violations.length, 1, violations.join('\n'));
    assert.match(violations[0], expected);
  });
}

test('finds a second door to a C library', () => {
  const text = '#include <wslay/wslay.h>\n#include <wslay/wslayver.h>\n';
  const violations = findViolations([
    { path: 'proto/frames.cpp', text },
    { path: 'proto/other.cpp', text: '#include <wslay/wslay.h>\n' },
  ]);
  assert.deepEqual(violations, ['proto/other.cpp:1: wslay has its one door already: proto/frames.cpp']);
});

test('lets pass what the table allows', () => {
  const violations = findViolations([
    ...neighbours,
    { path: 'server/a.cpp', text: '#include "server/b.h"\n#include "proto/b.h"\n#include <fmt/core.h>\n' },
    { path: 'server/c.cpp', text: '// #include "b.h"\n#include <openssl/sha.h>\n#include <CLI/CLI.hpp>\n' },
    { path: 'storage/a.cpp', text: '#include "core/reactor/b.h"\n#include <hiredis/async.h>\n' },
    { path: 'proto/a.cpp', text: '#include "core/base/b.h"\n#include <simdjson.h>\n#include <llhttp.h>\n' },
  ]);
  assert.deepEqual(violations, []);
});
