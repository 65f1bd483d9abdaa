// The floors and rooms hold: every include line of core, proto, storage and server is an edge of the
// tables.
import assert from 'node:assert/strict';
import test from 'node:test';
import { findIdle, findViolations, rooms, sourceRoots } from './rules.mjs';
import { readTree } from './tree.mjs';

const sources = readTree(sourceRoots, /\.(h|cpp)$/);

test('the tree keeps to the tables', () => {
  assert.ok(sources.length > 0, 'no sources found');
  const violations = findViolations(sources);
  assert.equal(violations.length, 0, `\n${violations.join('\n')}\n`);
});

test('the table of rooms allows nothing that no file does', () => {
  assert.deepEqual(findIdle(sources), [], 'take these off the table');
});

// The judge itself: each planted fault must be found, at its line, and nothing else.
const planted = [
  ['proto including storage', 'proto/wire/a.cpp', '#include "storage/b.h"', /^proto\/wire\/a\.cpp:2: proto may not include storage/],
  ['storage including proto', 'storage/a.cpp', '#include "proto/wire/b.h"', /^storage\/a\.cpp:2: storage may not include proto/],
  ['proto including the reactor', 'proto/http/a.cpp', '#include "core/reactor/b.h"', /:2: proto may not include core\/reactor/],
  ['core including the server', 'core/base/a.h', '#include "server/b.h"', /:2: core\/base may not include server/],
  ['the shared words including the reactor', 'core/base/a.h', '#include "core/reactor/b.h"', /:2: core\/base may not include core\/reactor/],
  ['a session including the wire', 'proto/session/a.h', '#include "proto/wire/b.h"', /:2: proto\/session may not include proto\/wire\/b\.h/],
  ['HTTP including sessions', 'proto/http/a.h', '#include "proto/session/b.h"', /:2: proto\/http may not include proto\/session\/b\.h/],
  ['WebSockets including the wire', 'proto/websocket/a.cpp', '#include "proto/wire/b.h"', /:2: proto\/websocket may not include/],
  ['the library including Redis', 'storage/library/a.cpp', '#include "storage/redis/b.h"', /:2: storage\/library may not include storage\/redis\/b\.h/],
  ['Redis including the library', 'storage/redis/a.cpp', '#include "storage/library/b.h"', /:2: storage\/redis may not include storage\/library\/b\.h/],
  ['sessions including connections', 'server/session/a.cpp', '#include "server/connection/b.h"', /:2: server\/session may not include server\/connection\/b\.h/],
  ['sessions including HTTP', 'server/session/a.cpp', '#include "server/http/b.h"', /:2: server\/session may not include server\/http\/b\.h/],
  ['sessions including the loop', 'server/session/a.cpp', '#include "core/reactor/b.h"', /:2: server\/session may not include core\/reactor\/b\.h/],
  ['sessions including the worker', 'server/session/a.cpp', '#include "server/b.h"', /:2: server\/session may not include server\/b\.h/],
  ['metrics including connections', 'server/metrics/a.cpp', '#include "server/connection/b.h"', /:2: server\/metrics may not include/],
  ['a library on the wrong floor', 'server/a.cpp', '#include <liburing.h>', /:2: server may not use liburing/],
  ['a C library in a header', 'core/reactor/a.h', '  #  include <liburing.h>', /:2: liburing may not appear in a header/],
  ['a parser in a header', 'proto/wire/a.h', '#include <simdjson.h>', /:2: simdjson may not appear in a header/],
  ['a library nobody agreed on', 'server/a.cpp', '#include <boost/asio.hpp>', /:2: <boost\/asio.hpp> belongs to no library/],
  ['a quoted path that is not from the root', 'server/a.cpp', '#include "b.h"', /:2: "b.h" is no file of ours/],
  ['a file on no floor', 'core/a.cpp', '', /^core\/a\.cpp:1: lies on no floor/],
  ['a file in no room', 'proto/a.cpp', '', /^proto\/a\.cpp:1: lies in no room/],
];
const neighbours = Object.keys(rooms).map(
  (room) => ({ path: `${room}/b.h`, text: '#include <vector>\n#include <sys/socket.h>\n' }),
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
    { path: 'proto/websocket/frames.cpp', text },
    { path: 'proto/websocket/other.cpp', text: '#include <wslay/wslay.h>\n' },
  ]);
  assert.deepEqual(violations, ['proto/websocket/other.cpp:1: wslay has its one door already: proto/websocket/frames.cpp']);
});

test('finds one more door to a C library that has several', () => {
  const violations = findViolations([
    { path: 'storage/redis/other.cpp', text: '#include <hiredis/hiredis.h>\n' },
  ]);
  assert.equal(violations.length, 1);
  assert.match(violations[0], /^storage\/redis\/other\.cpp:1: hiredis has its doors already: storage\/redis\/link\/redis_link\.cpp, /);
});

test('lets pass what the table allows', () => {
  const violations = findViolations([
    ...neighbours,
    { path: 'server/a.cpp', text: '#include "server/b.h"\n#include "proto/wire/b.h"\n#include <fmt/core.h>\n' },
    { path: 'server/c.cpp', text: '// #include "b.h"\n#include <openssl/sha.h>\n#include <CLI/CLI.hpp>\n' },
    { path: 'storage/redis/link/redis_link.cpp', text: '#include "core/reactor/b.h"\n#include <hiredis/async.h>\n' },
    { path: 'storage/redis/link/redis_reply.cpp', text: '#include <hiredis/hiredis.h>\n' },
    { path: 'proto/wire/a.cpp', text: '#include "core/base/b.h"\n#include <simdjson.h>\n#include <llhttp.h>\n' },
  ]);
  assert.deepEqual(violations, []);
});

test('a single header is allowed without its room', () => {
  const timers = { path: 'core/reactor/timer_wheel.h', text: '' };
  const session = { path: 'server/session/a.h', text: '#include "core/reactor/timer_wheel.h"\n' };
  assert.deepEqual(findViolations([timers, session]), []);
});

test('what the table allows in vain is found', () => {
  const idle = findIdle([{ path: 'proto/wire/a.h', text: '#include "proto/session/b.h"\n' }]);
  assert.ok(idle.includes('proto/wire -> core/base'));
  assert.ok(!idle.includes('proto/wire -> proto/session'));
});
