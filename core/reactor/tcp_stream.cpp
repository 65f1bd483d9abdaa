#include "core/reactor/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/base/assert.h"
#include "core/kernel/kernel.h"
#include "core/reactor/reactor.h"

namespace videosync {

TcpStream::TcpStream(Reactor& reactor, StreamOwner& owner) noexcept
    : reactor_(reactor), owner_(owner) {
  ReceiveOperation::on_complete = [](Operation& operation, const Completion& completion) noexcept {
    static_cast<TcpStream&>(static_cast<ReceiveOperation&>(operation)).on_receive(completion);
  };
  OutputOperation::on_complete = [](Operation& operation, const Completion& completion) noexcept {
    static_cast<TcpStream&>(static_cast<OutputOperation&>(operation)).on_output(completion);
  };
}

TcpStream::~TcpStream() {
  VS_ASSERT(state_ == State::vacant);
}

void TcpStream::open(UniqueFd descriptor) noexcept {
  VS_ASSERT(state_ == State::vacant && descriptor);
  descriptor_ = std::move(descriptor);
  state_ = State::open;
  ++reactor_.counters().streams_open;
  wants_input_ = true;
  has_input_ended_ = false;
  arm_receive();
}

// --- Input ---------------------------------------------------------------------------------------

void TcpStream::arm_receive() noexcept {
  VS_ASSERT(!is_receive_armed_ && state_ == State::open);
  is_receive_armed_ = true;
  reactor_.ring().receive_multishot(receive_operation(), descriptor_.get(), ReceiveBuffers::group);
}

void TcpStream::pause_input() noexcept {
  if (!std::exchange(wants_input_, false)) return;
  if (is_receive_armed_) reactor_.ring().cancel(receive_operation());
}

void TcpStream::resume_input() noexcept {
  if (state_ != State::open || std::exchange(wants_input_, true)) return;
  // A receive that is still being cancelled is armed again by its last completion.
  if (!is_receive_armed_ && !has_input_ended_) arm_receive();
}

void TcpStream::on_receive(const Completion& completion) noexcept {
  if (!completion.more) is_receive_armed_ = false;
  if (completion.has_buffer) {
    if (state_ == State::open && completion.result > 0) {
      owner_.on_received(reactor_.buffers().bytes(completion.buffer_id,
                                                  static_cast<std::size_t>(completion.result)));
    }
    reactor_.buffers().give_back(completion.buffer_id);
  }
  if (state_ != State::open) {
    settle();
    return;
  }
  const bool was_cancelled = completion.result == -ECANCELED;
  if (completion.result == -ENOBUFS) {
    ++reactor_.counters().receive_buffers_exhausted;
    reactor_.buffers().grow();
  } else if (completion.result == 0 && !completion.more) {
    has_input_ended_ = true;
    if (output_ == Output::sending) reactor_.ring().cancel(output_operation());
    owner_.on_input_ended();
  } else if (completion.result < 0 && !was_cancelled) {
    close(CloseReason::peer_gone);
  }
  if (state_ == State::open && wants_input_ && !is_receive_armed_ && !has_input_ended_) {
    arm_receive();
  }
}

// --- Output --------------------------------------------------------------------------------------

OutputQueue::Outcome TcpStream::send(BufferRef buffer, SendClass send_class,
                                     std::size_t queue_bytes_max) noexcept {
  if (state_ != State::open) return OutputQueue::Outcome::dropped;
  const auto outcome = queue_.push(reactor_.segments(), std::move(buffer), send_class,
                                   queue_bytes_max, reactor_.counters().losses);
  schedule_output();
  return outcome;
}

void TcpStream::limit_unsent(int bytes) noexcept {
  VS_ASSERT(state_ == State::open);
  // A unix socket has no such limit; its buffer is small anyway.
  kernel::set_option(descriptor_.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
}

void TcpStream::send_file(FileRange range) noexcept {
  if (state_ != State::open) return;
  queue_.push_file(reactor_.segments(), std::move(range));
  schedule_output();
}

void TcpStream::drop_queued() noexcept {
  if (state_ != State::open || output_ == Output::filling_pipe || has_pipe()) return;
  queue_.drop_untouched(reactor_.segments());
  if (queue_.empty() && is_linked()) unlink();
}

void TcpStream::schedule_output() noexcept {
  if (output_ != Output::idle || is_linked() || queue_.empty()) return;
  if (goes_by_pump()) {
    reactor_.pump_later(*this);
  } else {
    reactor_.flush_later(*this);
  }
}

void TcpStream::flush() noexcept {
  VS_ASSERT(state_ == State::open && output_ == Output::idle && !is_linked());
  if (goes_by_pump()) {
    reactor_.pump_later(*this);
    return;
  }
  const auto vectors = reactor_.scratch_vectors();
  const std::size_t count = queue_.gather(vectors, true);
  VS_ASSERT(count > 0);
  output_ = Output::sending;
  if (count == 1) {
    const auto* data = static_cast<const std::uint8_t*>(vectors[0].iov_base);
    reactor_.ring().send(output_operation(), descriptor_.get(), {data, vectors[0].iov_len}, 0);
  } else {
    reactor_.ring().send_message(output_operation(), descriptor_.get(),
                                 reactor_.scratch_message(vectors.first(count)), 0);
  }
}

void TcpStream::on_output(const Completion& completion) noexcept {
  const Output was = std::exchange(output_, Output::idle);
  VS_ASSERT(was != Output::idle);
  if (was == Output::filling_pipe && completion.result > 0) {
    queue_.front_file()->pipe.held_bytes = completion.result;
  }
  if (state_ != State::open) {
    settle();
    return;
  }
  if (was == Output::sending) {
    on_sent(completion.result);
  } else if (was == Output::filling_pipe && completion.result <= 0) {
    close(CloseReason::file_lost);
  } else if (was == Output::awaiting_room && completion.result == POLLRDHUP) {
    reactor_.pump_when_room(*this);
  } else {
    schedule_output();
  }
}

void TcpStream::on_sent(std::int32_t result) noexcept {
  // Cancelled, because the peer's end came: it goes on by the pump. A worker is interrupted.
  const bool has_waited = has_input_ended_ && (result == -ECANCELED || result == -EINTR);
  if (result < 0 && !has_waited) {
    close(CloseReason::peer_gone);
    return;
  }
  if (result > 0) ++output_progress_;
  const auto sent = static_cast<std::size_t>(std::max(result, 0));
  reactor_.counters().bytes_sent += sent;
  queue_.consume(reactor_.segments(), sent);
  if (queue_.empty()) {
    owner_.on_output_empty();
  } else {
    schedule_output();
  }
}

// Returns the bytes moved. Ends with the stream waiting for an operation, back in the pump's list
// because its quantum is used, or without output.
std::int64_t TcpStream::pump() noexcept {
  VS_ASSERT(state_ == State::open && output_ == Output::idle && !is_linked());
  std::int64_t moved = 0;
  bool goes_on = true;
  while (goes_on && !queue_.empty() && moved < FilePump::quantum_bytes) {
    if (has_pipe()) {
      goes_on = pump_pipe(moved);
    } else if (queue_.front_file() != nullptr) {
      goes_on = pump_file(moved);
    } else {
      goes_on = pump_buffers(moved);
    }
  }
  if (moved > 0) ++output_progress_;
  reactor_.counters().bytes_sent += static_cast<std::uint64_t>(moved);
  if (state_ != State::open) return moved;
  if (queue_.empty()) {
    owner_.on_output_empty();
  } else if (goes_on) {
    schedule_output();
  }
  return moved;
}

// Heads and part heads go directly, with MSG_MORE when a file range follows, so that the head
// shares a segment with the first bytes of the body.
bool TcpStream::pump_buffers(std::int64_t& moved) noexcept {
  std::array<iovec, 8> vectors;
  const std::size_t count = queue_.gather(vectors, false);
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  const int more = queue_.has_file() ? MSG_MORE : 0;
  const std::int64_t sent = kernel::send_message(descriptor_.get(), message, more);
  if (sent < 0) {
    const bool is_full = sent == -EAGAIN || sent == -EINTR;
    return pump_stopped({.step = is_full ? FilePump::Step::blocked : FilePump::Step::failed,
                         .error = static_cast<int>(-sent)});
  }
  moved += sent;
  queue_.consume(reactor_.segments(), static_cast<std::size_t>(sent));
  return true;
}

bool TcpStream::pump_file(std::int64_t& moved) noexcept {
  const auto outcome =
      reactor_.file_pump().send_cached(descriptor_.get(), *queue_.front_file(), reactor_.now_ms());
  if (outcome.step != FilePump::Step::progress) return pump_stopped(outcome);
  moved += outcome.bytes;
  reactor_.counters().file_bytes_cached += static_cast<std::uint64_t>(outcome.bytes);
  queue_.consume_file(reactor_.segments(), outcome.bytes);
  // The next attempt would only learn that there is no room.
  return !outcome.is_full || pump_stopped({.step = FilePump::Step::blocked});
}

bool TcpStream::pump_pipe(std::int64_t& moved) noexcept {
  FileTransfer& file = *queue_.front_file();
  const bool has_more = file.range.length > file.pipe.held_bytes;
  const auto outcome = reactor_.file_pump().send_from_pipe(descriptor_.get(), file.pipe, has_more);
  if (outcome.step != FilePump::Step::progress) return pump_stopped(outcome);
  moved += outcome.bytes;
  reactor_.counters().file_bytes_cold += static_cast<std::uint64_t>(outcome.bytes);
  if (file.pipe.held_bytes == 0) release_pipe();
  queue_.consume_file(reactor_.segments(), outcome.bytes);
  return true;
}

bool TcpStream::pump_stopped(const FilePump::Outcome& outcome) noexcept {
  switch (outcome.step) {
    case FilePump::Step::blocked:
      await_room();
      break;
    case FilePump::Step::cold:
      begin_filling_pipe();
      break;
    default:
      // sendfile tells a lost peer and a lost file apart by the error only; both end here.
      close(outcome.error == EPIPE || outcome.error == ECONNRESET ? CloseReason::peer_gone
                                                                  : CloseReason::file_lost);
  }
  return false;
}

void TcpStream::begin_filling_pipe() noexcept {
  Pipe& pipe = queue_.front_file()->pipe;
  pipe = reactor_.file_pump().take_pipe();
  if (!pipe) {
    reactor_.pump_when_pipe(*this);
    return;
  }
  const FileRange& range = queue_.front_file()->range;
  const std::int64_t length = std::min(range.length, FilePump::quantum_bytes);
  output_ = Output::filling_pipe;
  reactor_.ring().splice_to_pipe(output_operation(), range.descriptor, range.offset,
                                 pipe.write_end.get(), static_cast<std::uint32_t>(length));
}

bool TcpStream::has_pipe() noexcept {
  const FileTransfer* file = queue_.front_file();
  return file != nullptr && file->pipe;
}

void TcpStream::release_pipe() noexcept {
  reactor_.file_pump().give_back(std::exchange(queue_.front_file()->pipe, Pipe{}));
  reactor_.pipe_returned();
}

void TcpStream::await_room() noexcept {
  output_ = Output::awaiting_room;
  reactor_.ring().poll(output_operation(), descriptor_.get(), POLLOUT);
}

void TcpStream::end_output() noexcept {
  if (state_ == State::open) kernel::shut_down(descriptor_.get(), SHUT_WR);
}

// --- The end -------------------------------------------------------------------------------------

void TcpStream::close(CloseReason reason) noexcept {
  if (state_ != State::open) return;
  state_ = State::closing;
  if (is_linked()) unlink();
  // A splice in flight reads the front range's descriptor: the queue is kept until it completes.
  if (output_ != Output::filling_pipe) {
    if (has_pipe()) release_pipe();
    queue_.clear_unsent(reactor_.segments());
  }
  kernel::shut_down(descriptor_.get(), SHUT_RDWR);
  owner_.on_closed(reason);
  settle();
}

void TcpStream::settle() noexcept {
  VS_ASSERT(state_ == State::closing);
  if (is_receive_armed_ || output_ != Output::idle || is_linked()) return;
  reactor_.retire_later(*this);
}

void TcpStream::retire() noexcept {
  VS_ASSERT(state_ == State::closing && !is_receive_armed_ && output_ == Output::idle);
  if (has_pipe()) release_pipe();
  if (!queue_.empty()) {
    queue_.consume(reactor_.segments(), 0);  // nothing is in flight any more
    queue_.clear_unsent(reactor_.segments());
  }
  descriptor_.reset();
  state_ = State::vacant;
  --reactor_.counters().streams_open;
  owner_.on_retired();
}

}  // namespace videosync
