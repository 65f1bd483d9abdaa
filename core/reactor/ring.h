// Ring: the reactor's way to io_uring: its operations by name, its queues never full.
//
// Prepares submissions, submits and waits once a turn, hands out completions. It is made on any
// thread, disabled; the thread that calls enable() is from then on the only one that may use it
// (SINGLE_ISSUER, DEFER_TASKRUN). Buffers given to an operation must live until its last
// completion; iovecs and msghdrs only until the submission (IORING_FEAT_SUBMIT_STABLE).
// A full submission queue is submitted on the spot: preparing never fails.
// It is restricted (IORING_REGISTER_RESTRICTIONS) to the operations below, for no seccomp filter
// sees what is asked for through a ring: it opens no file, connects nowhere, runs nothing.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/base/error.h"
#include "core/reactor/operation.h"

namespace videosync {

class Ring {
 public:
  // So many preparations wait for the submission at most; the next one submits them.
  static constexpr unsigned submission_entries = 1024;

  // Probes what the reactor needs. The error is one line for the operator: causes and what to do.
  static Result<std::unique_ptr<Ring>> create();
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Binds the ring to the calling thread.
  Result<> enable();
  int descriptor() const noexcept;

  void accept_multishot(Operation& operation, int listener) noexcept;
  void receive_multishot(Operation& operation, int socket, std::uint16_t buffer_group) noexcept;
  void send(Operation& operation, int socket, std::span<const std::uint8_t> bytes,
            int flags) noexcept;
  void send_message(Operation& operation, int socket, const msghdr& message, int flags) noexcept;
  // One-shot poll(2) events.
  void poll(Operation& operation, int descriptor, std::uint32_t events) noexcept;
  // Moves up to `length` bytes from a file at `offset` into a pipe, in a kernel worker.
  void splice_to_pipe(Operation& operation, int file, std::int64_t offset, int pipe,
                      std::uint32_t length) noexcept;
  // Asks for the end of `target`; it still completes (usually -ECANCELED). No answer of its own.
  void cancel(const Operation& target) noexcept;
  // Completes `target` on another ring with result 0. `on_failure` hears of errors only.
  void wake(int ring_descriptor, Operation& target, Operation& on_failure) noexcept;

  // A provided-buffer ring of `entries` (a power of two) for multishot receives.
  Result<> register_buffer_ring(void* ring_memory, std::uint32_t entries, std::uint16_t group);

  // One system call: submits all and waits for a completion, at most `timeout_us` (none: for
  // ever; 0: not at all).
  void submit_and_wait(std::optional<std::int64_t> timeout_us) noexcept;

  // The completions that were there when submit_and_wait() returned, some at a time: each call
  // gives the next of them, none when there are no more. The span is valid until the next call.
  std::span<const Completion> drain() noexcept;

 private:
  struct Impl;
  explicit Ring(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

}  // namespace videosync
