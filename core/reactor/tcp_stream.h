// TcpStream: the life of one connected socket (TCP or unix).
//
// The rule of its life:
//  1. vacant -> open -> closing -> vacant; one mark an operation, set exactly from arming it to its
//     last completion.
//  2. A completion first clears its mark; in state closing it settles and returns.
//  3. close() is idempotent: it tells the owner once and shuts the socket down, which wakes every
//     operation but a file splice, and that one ends by itself.
//  4. The descriptor is closed only when no mark is set; the owner hears on_retired() at the end of
//     that turn and may then reuse the memory.
//  5. Others hold slot and generation of the owner, never a pointer to it.
//  6. Segments that the kernel may be reading stay in the queue until their completion.
//  7. A peer that sends no more may read on. io_uring then tells every poll of the socket so
//     (POLLRDHUP, asked or not), and a send that waits for room is tried in vain until a worker of
//     the kernel's blocks in it: so nothing waits in the ring for such a peer's room, it is tried
//     again after a while.
//
// Receiving is one multishot operation into the reactor's shared buffers. Sending: what was queued
// in a turn leaves in one submission at its end, at most one operation in flight; responses with
// file ranges go by FilePump instead, a quantum at a time. Belongs to its reactor's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/intrusive_list.h"
#include "core/base/unique_fd.h"
#include "core/reactor/file_pump.h"
#include "core/reactor/operation.h"
#include "core/reactor/output_queue.h"

namespace videosync {

class Reactor;

enum class CloseReason : std::uint8_t {
  by_owner,   // the owner asked
  peer_gone,  // reset, or the other side stopped reading for good
  file_lost,  // a file range could not be read to its end
};

// Hears of the stream's events. Every call is made on the reactor's thread, outside of submission;
// each may close the stream or send. `bytes` is lent for the call and may be changed in place.
class StreamOwner {
 public:
  virtual void on_received(std::span<std::uint8_t> bytes) noexcept = 0;
  // The peer has sent its last byte; it may still read.
  virtual void on_input_ended() noexcept = 0;
  // All that was queued has been handed to the kernel.
  virtual void on_output_empty() noexcept = 0;
  // Once, from within close(). The stream accepts nothing any more.
  virtual void on_closed(CloseReason reason) noexcept = 0;
  // The descriptor is closed and the kernel holds nothing: the memory may be reused.
  virtual void on_retired() noexcept = 0;

 protected:
  ~StreamOwner() = default;
};

struct StreamTag {};
using ReceiveOperation = TaggedOperation<struct ReceiveTag>;
using OutputOperation = TaggedOperation<struct OutputTag>;

class TcpStream : public ListLink<StreamTag>, private ReceiveOperation, private OutputOperation {
 public:
  static constexpr std::size_t unlimited = UINT32_MAX;

  TcpStream(Reactor& reactor, StreamOwner& owner) noexcept;
  ~TcpStream();

  // Takes the descriptor (non-blocking) and begins to receive.
  void open(UniqueFd descriptor) noexcept;

  // From now on the kernel takes so many bytes beyond what the peer's window allows, and the rest
  // waits here, where it is bounded and can still be replaced: by default the kernel takes 4 MiB.
  void limit_unsent(int bytes) noexcept;
  // Queues for the end of the turn. On a stream that is not open nothing happens (dropped).
  OutputQueue::Outcome send(BufferRef buffer, SendClass send_class = SendClass::reliable,
                            std::size_t queue_bytes_max = unlimited) noexcept;
  void send_file(FileRange range) noexcept;
  // Forgets what has not begun to leave.
  void drop_queued() noexcept;

  // Stops or resumes asking for bytes. A few buffers that had been filled may still arrive.
  void pause_input() noexcept;
  void resume_input() noexcept;

  // Sends FIN. What was queued should have left: see on_output_empty().
  void end_output() noexcept;
  void close(CloseReason reason) noexcept;

  bool has_output() const noexcept { return !queue_.empty(); }
  bool has_file_output() const noexcept { return queue_.has_file(); }
  std::size_t queued_bytes() const noexcept { return queue_.queued_bytes(); }
  // Moves on with every byte that leaves: compare two readings to see whether the peer reads.
  std::uint32_t output_progress() const noexcept { return output_progress_; }

 private:
  friend class Reactor;

  enum class State : std::uint8_t { vacant, open, closing };
  // What the output operation is doing; anything but idle is its mark.
  enum class Output : std::uint8_t { idle, sending, awaiting_room, filling_pipe };

  ReceiveOperation& receive_operation() noexcept { return *this; }
  OutputOperation& output_operation() noexcept { return *this; }
  void schedule_output() noexcept;
  // The reactor's calls at the end of a turn.
  void flush() noexcept;
  std::int64_t pump() noexcept;
  void retire() noexcept;

  bool pump_buffers(std::int64_t& moved) noexcept;
  bool pump_file(std::int64_t& moved) noexcept;
  bool pump_pipe(std::int64_t& moved) noexcept;
  bool pump_stopped(const FilePump::Outcome& outcome) noexcept;
  void begin_filling_pipe() noexcept;
  bool has_pipe() noexcept;
  void release_pipe() noexcept;
  void await_room() noexcept;
  bool goes_by_pump() const noexcept { return queue_.has_file() || has_input_ended_; }

  void arm_receive() noexcept;
  void on_receive(const Completion& completion) noexcept;
  void on_output(const Completion& completion) noexcept;
  void on_sent(std::int32_t result) noexcept;
  void settle() noexcept;

  Reactor& reactor_;
  StreamOwner& owner_;
  UniqueFd descriptor_;
  State state_ = State::vacant;
  Output output_ = Output::idle;
  bool is_receive_armed_ = false;
  bool wants_input_ = false;
  bool has_input_ended_ = false;
  std::uint32_t output_progress_ = 0;
  OutputQueue queue_;
};
static_assert(sizeof(TcpStream) <= 96, "every viewer has one");

}  // namespace videosync
