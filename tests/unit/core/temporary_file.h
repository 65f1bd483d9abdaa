// What the tests of files and the page cache share: a file that can be cold.
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "core/reactor/output_queue.h"

namespace videosync::test {

// A file of pseudo-random bytes that disappears with the test.
struct TemporaryFile {
  int descriptor = -1;
  std::string content;
  std::shared_ptr<const void> owner;

  explicit TemporaryFile(std::size_t bytes) {
    // Not /tmp: on a tmpfs nothing is ever cold.
    char path[] = "/var/tmp/videosync-pump-XXXXXX";
    descriptor = ::mkstemp(path);
    cr_assert_geq(descriptor, 0);
    ::unlink(path);
    std::mt19937_64 random(bytes);
    content.resize(bytes);
    for (char& c : content)
      c = static_cast<char>(random());
    cr_assert_eq(::write(descriptor, content.data(), bytes), static_cast<ssize_t>(bytes));
    ::fsync(descriptor);
  }
  ~TemporaryFile() { ::close(descriptor); }

  void drop_from_page_cache() const {
    cr_assert_eq(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED), 0);
  }
  FileRange range(std::int64_t offset, std::int64_t length) const {
    return {owner, descriptor, offset, length};
  }
};

// cachestat(2): Linux 6.5. Without it every range takes the pipe.
inline bool can_ask_for_residency(int file) {
  struct {
    std::uint64_t offset, length;
  } range{0, 1};
  std::uint64_t answer[5];
  return ::syscall(451, file, &range, answer, 0) == 0;
}

}  // namespace videosync::test
