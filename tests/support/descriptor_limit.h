// NoDescriptorsLeft: while it lives this process can open nothing more.
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "core/base/unique_fd.h"

namespace videosync::test {

class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    cr_assert_eq(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const UniqueFd lowest_free(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    cr_assert(lowest_free);
    const rlimit none_left{static_cast<rlim_t>(lowest_free.get()), before_.rlim_max};
    cr_assert_eq(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
  }
  ~NoDescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
  NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;

 private:
  rlimit before_{};
};

}  // namespace videosync::test
