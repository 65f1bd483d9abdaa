#include "core/reactor/file_pump.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/assert.h"

namespace videosync {

namespace {

// From linux/mman.h of Linux 6.5; Debian 12's headers are older.
constexpr long cachestat_number = 451;
struct CacheStatRange {
  std::uint64_t offset;
  std::uint64_t length;
};
struct CacheStat {
  std::uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

bool is_byte_ready(int file, std::int64_t offset) noexcept {
  char byte;
  const iovec vector{&byte, 1};
  return ::preadv2(file, &vector, 1, offset, RWF_NOWAIT) == 1;
}

bool is_transient(int code) noexcept {
  return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

}  // namespace

FilePump::~FilePump() {
  VS_ASSERT(pipes_out_ == 0);
  for (const Pipe& pipe : idle_pipes_) {
    ::close(pipe.read_end);
    ::close(pipe.write_end);
  }
}

bool FilePump::is_cached(const FileRange& range, std::int64_t length) noexcept {
  if (!has_cachestat_) return false;
  static const std::int64_t page_bytes = ::sysconf(_SC_PAGESIZE);
  CacheStatRange asked{static_cast<std::uint64_t>(range.offset),
                       static_cast<std::uint64_t>(length)};
  CacheStat answer{};
  if (::syscall(cachestat_number, range.descriptor, &asked, &answer, 0) != 0) {
    has_cachestat_ = errno != ENOSYS && errno != EPERM && errno != EOPNOTSUPP;
    return false;
  }
  const std::int64_t last = range.offset + length - 1;
  const std::int64_t pages = last / page_bytes - range.offset / page_bytes + 1;
  if (static_cast<std::int64_t>(answer.cached) < pages) return false;
  for (std::int64_t offset = range.offset; offset < last; offset += quantum_bytes) {
    if (!is_byte_ready(range.descriptor, offset)) return false;
  }
  return is_byte_ready(range.descriptor, last);
}

std::int64_t FilePump::cached_bytes(FileTransfer& file, std::int64_t now_ms) noexcept {
  const FileRange& range = file.range;
  const bool is_known = file.cached_until > 0 && now_ms - file.cached_at_ms <= trusted_ms;
  const std::int64_t known = is_known ? file.cached_until - range.offset : 0;
  if (known > 0) return std::min(known, quantum_bytes);
  // It has moved on to the end of what was known in so short a time: it will go on so.
  std::int64_t length = std::min(range.length, is_known ? asked_ahead_bytes : quantum_bytes);
  if (!is_cached(range, length)) {
    if (length <= quantum_bytes) return 0;
    length = quantum_bytes;
    if (!is_cached(range, length)) return 0;
  }
  file.cached_until = range.offset + length;
  file.cached_at_ms = now_ms;
  return std::min(length, quantum_bytes);
}

FilePump::Outcome FilePump::send_cached(int socket, FileTransfer& file,
                                        std::int64_t now_ms) noexcept {
  const std::int64_t length = cached_bytes(file, now_ms);
  if (length == 0) return {Step::cold};
  off_t offset = file.range.offset;
  const ssize_t sent =
      ::sendfile(socket, file.range.descriptor, &offset, static_cast<std::size_t>(length));
  if (sent > 0) return {Step::progress, sent, sent < length};
  // 0: the file has been cut shorter than when it was measured.
  return {sent < 0 && is_transient(errno) ? Step::blocked : Step::failed};
}

FilePump::Outcome FilePump::send_from_pipe(int socket, Pipe& pipe, bool has_more) noexcept {
  VS_ASSERT(pipe.held_bytes > 0);
  const unsigned flags = SPLICE_F_NONBLOCK | SPLICE_F_MOVE | (has_more ? SPLICE_F_MORE : 0u);
  const ssize_t sent = ::splice(pipe.read_end, nullptr, socket, nullptr,
                                static_cast<std::size_t>(pipe.held_bytes), flags);
  if (sent > 0) {
    pipe.held_bytes -= sent;
    return {Step::progress, sent};
  }
  return {sent < 0 && is_transient(errno) ? Step::blocked : Step::failed};
}

Pipe FilePump::take_pipe() noexcept {
  if (!idle_pipes_.empty()) {
    const Pipe pipe = idle_pipes_.back();
    idle_pipes_.pop_back();
    ++pipes_out_;
    return pipe;
  }
  int ends[2];
  if (pipes_out_ >= pipes_max || ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {};
  // A smaller pipe than asked for (pipe-user-pages-soft) only means more steps.
  ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(quantum_bytes));
  ++pipes_out_;
  return {ends[0], ends[1], 0};
}

void FilePump::give_back(Pipe pipe) noexcept {
  VS_ASSERT(pipe && pipes_out_ > 0);
  --pipes_out_;
  if (pipe.held_bytes == 0) {
    idle_pipes_.push_back(pipe);
    return;
  }
  ::close(pipe.read_end);
  ::close(pipe.write_end);
}

}  // namespace videosync
