#include "storage/media/media_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <utility>

#include "core/base/assert.h"
#include "storage/media/content_type.h"

namespace videosync {

namespace {

// O_NONBLOCK: a FIFO must not hold up the scan before fstat tells what it is.
UniqueFd open_beneath(int directory, const char* path) noexcept {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
    // EAGAIN: a rename raced with the kernel's check of `..`; EINTR: a signal on a slow mount.
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) return UniqueFd(static_cast<int>(fd));
  }
}

std::unexpected<Error> open_failure(const std::string& path, int error) {
  switch (error) {
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

}  // namespace

Result<std::shared_ptr<const MediaFile>> MediaFile::open(int directory, const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return fail(ErrorCode::not_found, "no such file: an empty name or one with a NUL");
  }
  UniqueFd fd = open_beneath(directory, path.c_str());
  if (!fd) return open_failure(path, errno);

  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("stat " + path, errno);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::not_found, "not a regular file: " + path);
  }
  // With O_NONBLOCK io_uring would answer EAGAIN for what is not in the page cache, instead of
  // reading it in a kernel worker.
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return fail_errno("set flags of " + path, errno);
  }
  std::shared_ptr<MediaFile> file(new MediaFile(std::move(fd), path));
  file->describe(status);
  return file;
}

void MediaFile::describe(const struct stat& status) {
  VS_ASSERT(status.st_size >= 0);
  size_ = static_cast<std::uint64_t>(status.st_size);
  mtime_s_ = status.st_mtim.tv_sec;
  // Unsigned, because a file may claim any year: it wraps, and stays a fine mark of a version.
  mtime_ns_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(mtime_s_) * 1'000'000'000 +
                                        static_cast<std::uint64_t>(status.st_mtim.tv_nsec));
  content_type_ = content_type_of(path_);
  etag_ = fmt::format("\"{:x}-{:x}\"", size_, static_cast<std::uint64_t>(mtime_ns_));
}

}  // namespace videosync
