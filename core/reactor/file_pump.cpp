#include "core/reactor/file_pump.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/assert.h"
#include "core/kernel/kernel.h"

namespace videosync {

namespace {

// `answer` moved no byte.
FilePump::Outcome stopped_by(std::int64_t answer) noexcept {
  VS_ASSERT(answer <= 0);
  const bool is_full = answer == -EAGAIN || answer == -EINTR;
  return {is_full ? FilePump::Step::blocked : FilePump::Step::failed, 0, false,
          static_cast<int>(-answer)};
}

}  // namespace

FilePump::~FilePump() {
  VS_ASSERT(pipes_out_ == 0);
}

FilePump::Outcome FilePump::send_cached(int socket, FileTransfer& file,
                                        std::int64_t now_ms) noexcept {
  const std::int64_t length = residency_.ready_bytes(file, now_ms);
  if (length == 0) return {Step::cold};
  const std::int64_t sent = kernel::send_file(socket, file.range.descriptor, file.range.offset,
                                              static_cast<std::size_t>(length));
  if (sent > 0) return {Step::progress, sent, sent < length};
  // 0: the file has been cut shorter than when it was measured.
  return stopped_by(sent);
}

FilePump::Outcome FilePump::send_from_pipe(int socket, Pipe& pipe, bool has_more) noexcept {
  VS_ASSERT(pipe.held_bytes > 0);
  const std::int64_t sent = kernel::splice_from_pipe(pipe.read_end.get(), socket,
                                                     static_cast<std::size_t>(pipe.held_bytes),
                                                     has_more ? SPLICE_F_MORE : 0u);
  if (sent > 0) {
    pipe.held_bytes -= sent;
    return {Step::progress, sent};
  }
  return stopped_by(sent);
}

Pipe FilePump::take_pipe() noexcept {
  if (!idle_pipes_.empty()) {
    Pipe pipe = std::move(idle_pipes_.back());
    idle_pipes_.pop_back();
    ++pipes_out_;
    return pipe;
  }
  int ends[2];
  if (pipes_out_ >= pipes_max || kernel::make_pipe(ends, quantum_bytes) != 0) return {};
  ++pipes_out_;
  return {UniqueFd(ends[0]), UniqueFd(ends[1]), 0};
}

void FilePump::give_back(Pipe pipe) noexcept {
  VS_ASSERT(pipe && pipes_out_ > 0);
  --pipes_out_;
  if (pipe.held_bytes == 0) idle_pipes_.push_back(std::move(pipe));
}

}  // namespace videosync
