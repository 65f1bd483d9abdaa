// Assertions that stay on in release builds.
//
// For what only our own bug can cause: a broken invariant ends the process at once, with the place
// and the expression on stderr, and the supervisor restarts it. Never for what a peer can cause.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace videosync {

[[noreturn]] inline void assertion_failed(const char* expression, const char* file,
                                          int line) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace videosync

#define VS_ASSERT(expression)                         \
  (__builtin_expect(static_cast<bool>(expression), 1) \
       ? static_cast<void>(0)                         \
       : ::videosync::assertion_failed(#expression, __FILE__, __LINE__))
