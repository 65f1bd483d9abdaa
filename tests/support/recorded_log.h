// What is logged while it lives, for a test. One at a time.
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "core/base/log.h"

namespace videosync::test {

class RecordedLog {
 public:
  RecordedLog() {
    cr_assert_eq(::pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0);
    log_settings.descriptor = ends_[1];
  }
  RecordedLog(const RecordedLog&) = delete;
  RecordedLog& operator=(const RecordedLog&) = delete;
  ~RecordedLog() {
    log_settings.descriptor = STDERR_FILENO;
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  // Waits for a line with this part, and passes over it.
  void expect(std::string_view part) {
    for (;;) {
      const std::size_t at = text_.find(part);
      if (at != std::string::npos) return text_.erase(0, at + part.size()), void();
      pollfd waited{ends_[0], POLLIN, 0};
      cr_assert_eq(::poll(&waited, 1, wait_ms), 1, "never logged: %.*s (but: %s)",
                   static_cast<int>(part.size()), part.data(), text_.c_str());
      read_some();
    }
  }
  // Of what has been logged so far.
  const std::string& read_all() {
    while (read_some()) {
    }
    return text_;
  }

 private:
  static constexpr int wait_ms = 10'000;

  bool read_some() {
    char bytes[4'096];
    const ssize_t length = ::read(ends_[0], bytes, sizeof bytes);
    if (length > 0) text_.append(bytes, static_cast<std::size_t>(length));
    return length > 0;
  }

  int ends_[2] = {-1, -1};
  std::string text_;
};

}  // namespace videosync::test
