#include "server/version.h"

#include <fmt/core.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "core/reactor/page_residency.h"
#include "storage/redis/link/redis_address.h"

namespace videosync {

namespace {

// A call that cannot succeed tells whether it would be carried out.
std::string_view io_uring_state() noexcept {
  ::syscall(SYS_io_uring_setup, 0, nullptr);
  if (errno == ENOSYS) return "not there";
  return errno == EPERM ? "forbidden (kernel.io_uring_disabled, or a seccomp filter)" : "there";
}

}  // namespace

std::string_view version() noexcept {
  return VIDEOSYNC_VERSION;
}

std::string version_text() {
  utsname kernel{};
  ::uname(&kernel);
  return fmt::format(
      "videosync {}\n"
      "commit: {}\n"
      "compiler: {}\n"
      "libraries: {}\n"
      "TLS to Redis: {}\n"
      "kernel: {} {} {}; io_uring: {}; cachestat: {}\n",
      version(), VIDEOSYNC_COMMIT, VIDEOSYNC_COMPILER, VIDEOSYNC_LIBRARIES,
      has_redis_tls() ? "there" : "not there (hiredis 1.0 and later have it)", kernel.sysname,
      kernel.release, kernel.machine, io_uring_state(),
      PageResidency::has_cachestat() ? "there" : "not there");
}

}  // namespace videosync
