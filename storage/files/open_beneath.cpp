#include "storage/files/open_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <cerrno>

namespace videosync {

namespace {

constexpr int attempts_max = 100;
constexpr timespec between_attempts{0, 10'000'000};

// O_NONBLOCK: a FIFO must not hold anybody up before fstat tells what it is.
UniqueFd try_to_open(int folder, const char* path) noexcept {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int attempts = 1;; ++attempts) {
    const long fd = ::syscall(SYS_openat2, folder, path, &how, sizeof how);
    // EAGAIN: a rename raced with the kernel's check of `..`, or another process holds a lease and
    // has been asked to give it up; EINTR: a signal on a slow mount.
    const bool is_transient = fd < 0 && (errno == EINTR || errno == EAGAIN);
    if (!is_transient || attempts == attempts_max) return UniqueFd(static_cast<int>(fd));
    if (errno == EAGAIN && attempts > 1) ::nanosleep(&between_attempts, nullptr);
  }
}

// 0, or an errno or not_regular.
int check_opened(int fd, FileFacts& facts) noexcept {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return OpenedFile::not_regular;
  // With O_NONBLOCK io_uring would answer EAGAIN for what is not in the page cache, instead of
  // reading it in a kernel worker.
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) return errno;
  facts = facts_of(status);
  return 0;
}

}  // namespace

OpenedFile open_beneath(int folder, const char* path) noexcept {
  OpenedFile opened;
  opened.descriptor = try_to_open(folder, path);
  opened.error = opened.descriptor ? check_opened(opened.descriptor.get(), opened.facts) : errno;
  if (opened.error != 0) opened.descriptor.reset();
  return opened;
}

std::unexpected<Error> open_failure(const std::string& path, int error) {
  switch (error) {
    case OpenedFile::not_regular:
      return fail(ErrorCode::not_found, "not a regular file: " + path);
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:  // a symlink on the way
    case EXDEV:  // a way out
    case ENXIO:  // a socket or a device without a driver
      return fail(ErrorCode::not_found, "no such file: " + path);
    case EMFILE:
    case ENFILE:
      return std::unexpected(
          Error{ErrorCode::exhausted, "no descriptor left to open " + path, error});
    default:
      return fail_errno("open " + path, error);
  }
}

}  // namespace videosync
