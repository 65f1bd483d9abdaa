// Reactor: one thread's event loop on one ring.
//
// The turn: expired timers -> the pump's share -> hooks (owners flush what they batched) ->
// streams' output -> mailboxes -> one submit-and-wait -> the completions that are there are copied
// out and dispatched, some hundreds at a time -> streams whose last operation has completed are
// retired. Handlers never run inside a submission. In the steady state nothing is allocated.
//
// Made on any thread; start() binds it to the calling one, and from then on all of it belongs to
// that thread. Other reactors reach it by their own post().
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/reactor/file_pump.h"
#include "core/reactor/mailbox.h"
#include "core/reactor/output_queue.h"
#include "core/reactor/receive_buffers.h"
#include "core/reactor/ring.h"
#include "core/reactor/tcp_stream.h"
#include "core/reactor/timer_wheel.h"

namespace videosync {

// Written by the reactor's thread only.
struct ReactorCounters {
  std::uint64_t turns = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t file_bytes_cached = 0;
  std::uint64_t file_bytes_cold = 0;
  std::uint64_t receive_buffers_exhausted = 0;
  std::uint64_t mailbox_posts = 0;
  std::uint32_t streams_open = 0;
  FrameLosses losses;
};

class Reactor {
 public:
  // Reactor `index` of `count` that will be connected with each other.
  static Result<std::unique_ptr<Reactor>> create(const Clock& clock, std::size_t index = 0,
                                                 std::size_t count = 1);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // All reactors of the process, in the order of their indices; before any of them runs.
  void connect(std::vector<Reactor*> peers);

  // Binds the ring to this thread. Before the first turn, after which peers may post here.
  Result<> start();
  // Turns until stop() and until no stream is left, or the time that stop() gave is over.
  void run() noexcept;
  // One turn that waits at most `wait_max_ms`.
  void turn(std::int64_t wait_max_ms) noexcept;
  // A stream is left where the kernel still reads a file for it: a read that hangs is never done.
  void stop(std::int64_t streams_wait_ms) noexcept;
  bool has_streams() const noexcept { return counters_.streams_open > 0; }

  std::size_t index() const noexcept { return index_; }
  std::int64_t now_ms() const noexcept { return now_ms_; }  // monotonic; read once a turn
  const Clock& clock() const noexcept { return clock_; }
  Ring& ring() noexcept { return *ring_; }
  TimerWheel& timers() noexcept { return timers_; }
  ReactorCounters& counters() noexcept { return counters_; }

  // Runs `task` on the reactor with this index, in order, soon: at once in its next turn.
  void post(std::size_t peer_index, InlineTask task);

  // Called in every turn, after all that calls owners and before output leaves: what owners leave
  // for a hook to do never waits for the next event.
  using Hook = void (*)(void* owner) noexcept;
  void add_hook(Hook hook, void* owner) { hooks_.push_back({hook, owner}); }

 private:
  friend class TcpStream;

  static constexpr std::size_t vectors_a_send = 16;
  static constexpr std::int64_t pipe_retry_ms = 50;  // when no descriptor was to be had for one
  static constexpr std::int64_t room_retry_ms = 20;  // where no poll can tell when there is room
  // One more than can wait for the submission: the next one is filled before it finds the queue
  // full.
  static constexpr std::size_t scratch_messages_max = Ring::submission_entries + 1;

  struct HookEntry {
    Hook hook;
    void* owner;
  };
  // An iovec array and a msghdr must live until their submission, which is within the turn or, with
  // a full queue, earlier: they are used in a circle.
  struct ScratchMessage {
    std::array<iovec, vectors_a_send> vectors;
    msghdr header;
  };

  Reactor(const Clock& clock, std::size_t index, std::size_t count, std::unique_ptr<Ring> ring);

  // What TcpStream uses.
  ReceiveBuffers& buffers() noexcept { return *buffers_; }
  SegmentPool& segments() noexcept { return segments_; }
  FilePump& file_pump() noexcept { return file_pump_; }
  void flush_later(TcpStream& stream) noexcept { flush_list_.push_back(stream); }
  void pump_later(TcpStream& stream) noexcept { pump_list_.push_back(stream); }
  void pump_when_pipe(TcpStream& stream) noexcept { pipe_waiters_.push_back(stream); }
  void pipe_returned() noexcept;
  void pump_when_room(TcpStream& stream) noexcept;
  void retire_later(TcpStream& stream) noexcept { retire_list_.push_back(stream); }
  std::span<iovec> scratch_vectors() noexcept;
  const msghdr& scratch_message(std::span<iovec> vectors) noexcept;

  void dispatch(std::span<const Completion> completions) noexcept;
  void run_hooks() noexcept;
  void flush_streams() noexcept;
  void pump_streams() noexcept;
  void flush_mailboxes() noexcept;
  void retire_streams() noexcept;
  std::optional<std::int64_t> wait_us(std::int64_t wait_max_ms) const noexcept;
  void read_clock() noexcept { now_ms_ = clock_.monotonic_us() / 1'000; }

  using StreamList = IntrusiveList<TcpStream, StreamTag>;

  const Clock& clock_;
  const std::size_t index_;
  std::int64_t now_ms_;
  // The buffers outlive the ring that writes into them.
  std::unique_ptr<ReceiveBuffers> buffers_;
  std::unique_ptr<Ring> ring_;
  TimerWheel timers_;
  SegmentPool segments_;
  FilePump file_pump_;
  Mailbox mailbox_;
  std::vector<Reactor*> peers_;
  std::vector<HookEntry> hooks_;
  StreamList flush_list_;
  StreamList pump_list_;
  StreamList pipe_waiters_;
  StreamList room_waiters_;
  std::int64_t room_retry_at_ms_ = 0;
  StreamList retire_list_;
  std::unique_ptr<std::array<ScratchMessage, scratch_messages_max>> scratch_;
  std::size_t scratch_next_ = 0;
  ReactorCounters counters_;
  bool is_stopping_ = false;
  std::int64_t streams_end_ms_ = 0;  // once it is stopping
};

}  // namespace videosync
