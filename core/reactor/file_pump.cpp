#include "core/reactor/file_pump.h"

#include <fcntl.h>
#include <sys/sendfile.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/assert.h"

namespace videosync {

namespace {

bool is_transient(int code) noexcept {
  return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

}  // namespace

FilePump::~FilePump() {
  VS_ASSERT(pipes_out_ == 0);
}

FilePump::Outcome FilePump::send_cached(int socket, FileTransfer& file,
                                        std::int64_t now_ms) noexcept {
  const std::int64_t length = residency_.ready_bytes(file, now_ms);
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
  const ssize_t sent = ::splice(pipe.read_end.get(), nullptr, socket, nullptr,
                                static_cast<std::size_t>(pipe.held_bytes), flags);
  if (sent > 0) {
    pipe.held_bytes -= sent;
    return {Step::progress, sent};
  }
  return {sent < 0 && is_transient(errno) ? Step::blocked : Step::failed};
}

Pipe FilePump::take_pipe() noexcept {
  if (!idle_pipes_.empty()) {
    Pipe pipe = std::move(idle_pipes_.back());
    idle_pipes_.pop_back();
    ++pipes_out_;
    return pipe;
  }
  int ends[2];
  if (pipes_out_ >= pipes_max || ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {};
  // A smaller pipe than asked for (pipe-user-pages-soft) only means more steps.
  ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(quantum_bytes));
  ++pipes_out_;
  return {UniqueFd(ends[0]), UniqueFd(ends[1]), 0};
}

void FilePump::give_back(Pipe pipe) noexcept {
  VS_ASSERT(pipe && pipes_out_ > 0);
  --pipes_out_;
  if (pipe.held_bytes == 0) idle_pipes_.push_back(std::move(pipe));
}

}  // namespace videosync
