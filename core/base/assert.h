// Assertions that stay on in release builds.
//
// For what only our own bug can cause: a broken invariant ends the process at once, with the place
// and the expression on stderr, and the supervisor restarts it. Never for what a peer can cause.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace videosync {

// Puts a line on stderr before the process ends. Null: written here. The log puts its own in place
// before threads start: it neither overtakes lines that wait nor hangs where nobody reads them.
inline void (*say_last_words)(std::string_view line) noexcept = nullptr;

[[noreturn]] inline void assertion_failed(const char* expression, const char* file,
                                          int line) noexcept {
  char text[512] = "";
  std::snprintf(text, sizeof text, "%s:%d: assertion failed: %.300s\n", file, line, expression);
  if (say_last_words != nullptr) {
    say_last_words(text);
  } else {
    std::fputs(text, stderr);
  }
  std::abort();
}

}  // namespace videosync

#define VS_ASSERT(expression)                         \
  (__builtin_expect(static_cast<bool>(expression), 1) \
       ? static_cast<void>(0)                         \
       : ::videosync::assertion_failed(#expression, __FILE__, __LINE__))
