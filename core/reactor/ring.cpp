#include "core/reactor/ring.h"

#include <liburing.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/kernel/kernel.h"

namespace videosync {

namespace {

// A broadcast's sends complete inside the submission: room for many submissions' worth of them.
// What does not fit waits in the kernel (IORING_FEAT_NODROP), so this is speed, not safety.
constexpr unsigned completion_entries = 16 * 1024;
// So many are copied out and handled at a time: they stay in the first-level cache, and a broadcast
// to many does not leave a table of its own size behind.
constexpr unsigned drained_at_once = 512;

constexpr unsigned features_needed = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |
                                     IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG |
                                     IORING_FEAT_CQE_SKIP;
// SEND_ZC is not used: it came with Linux 6.0, as did multishot receive, which cannot be probed.
constexpr int operations_needed[] = {IORING_OP_ACCEPT,       IORING_OP_RECV,     IORING_OP_SEND,
                                     IORING_OP_SENDMSG,      IORING_OP_SPLICE,   IORING_OP_MSG_RING,
                                     IORING_OP_ASYNC_CANCEL, IORING_OP_POLL_ADD, IORING_OP_SEND_ZC};

std::unexpected<Error> no_ring(const std::string& symptom) {
  return fail(ErrorCode::unsupported,
              "io_uring cannot be had here (" + symptom +
                  "): needs Linux 6.1 or later, `sysctl kernel.io_uring_disabled` at 0, and in a "
                  "container a seccomp profile that allows io_uring_setup, io_uring_enter and "
                  "io_uring_register, as VideoSync's seccomp.json does and those of Docker and "
                  "Podman do not (run it with --security-opt seccomp=seccomp.json)");
}

}  // namespace

struct Ring::Impl {
  kernel::RingRef ring;
  unsigned ready = 0;              // of the queue, still to be handed out in this turn
  std::vector<Completion> taken;   // ahead of their time, to make room: see next_entry()
  std::vector<Completion> handed;  // what the last drain() returned

  // With a full queue what is there is submitted first. -EBUSY or -EAGAIN means that completions
  // must be taken before the kernel accepts more.
  io_uring_sqe* next_entry(Operation* operation) noexcept {
    for (;;) {
      io_uring_sqe* entry = kernel::ring_next_entry(*ring);
      if (entry != nullptr) {
        io_uring_sqe_set_data(entry, operation);
        return entry;
      }
      const int submitted = kernel::ring_submit(*ring);
      if (submitted >= 0) continue;
      VS_ASSERT(submitted == -EBUSY || submitted == -EAGAIN || submitted == -EINTR);
      kernel::ring_fetch(*ring);
      ready = 0;
      take_completions(kernel::ring_ready(*ring), taken);
    }
  }

  void take_completions(unsigned count, std::vector<Completion>& into) noexcept {
    for (unsigned i = 0; i < count; ++i) {
      const io_uring_cqe& entry = kernel::ring_completion(*ring, i);
      if (entry.user_data == 0) continue;
      into.push_back({
          .operation = reinterpret_cast<Operation*>(entry.user_data),
          .result = entry.res,
          .buffer_id = static_cast<std::uint16_t>(entry.flags >> IORING_CQE_BUFFER_SHIFT),
          .has_buffer = (entry.flags & IORING_CQE_F_BUFFER) != 0,
          .more = (entry.flags & IORING_CQE_F_MORE) != 0,
      });
    }
    kernel::ring_take(*ring, count);
  }
};

Ring::Ring(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Ring::~Ring() = default;

Result<std::unique_ptr<Ring>> Ring::create() {
  auto impl = std::make_unique<Impl>();
  unsigned features = 0;
  int code = 0;
  impl->ring = kernel::ring_open(submission_entries, completion_entries, features, code);
  if (code == -ENOMEM || code == -EMFILE || code == -ENFILE) {
    return fail_errno("setting up io_uring (raise `ulimit -n` or `ulimit -l`)", -code);
  }
  if (impl->ring == nullptr) return no_ring(std::strerror(-code));
  if ((features & features_needed) != features_needed) {
    return no_ring("a feature is missing: the kernel is too old");
  }
  const int lacks =
      kernel::ring_lacks(*impl->ring, operations_needed, std::size(operations_needed));
  if (lacks < 0) return no_ring("its operations cannot be probed");
  if (lacks > 0) return no_ring("an operation is missing: the kernel is too old");
  impl->handed.reserve(drained_at_once);
  return std::unique_ptr<Ring>(new Ring(std::move(impl)));
}

Result<> Ring::enable() {
  const int code = kernel::ring_enable(*impl_->ring);
  if (code < 0) return fail_errno("enabling io_uring", -code);
  return {};
}

int Ring::descriptor() const noexcept {
  return kernel::ring_descriptor(*impl_->ring);
}

void Ring::accept_multishot(Operation& operation, int listener) noexcept {
  io_uring_sqe* entry = impl_->next_entry(&operation);
  io_uring_prep_multishot_accept(entry, listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void Ring::receive_multishot(Operation& operation, int socket,
                             std::uint16_t buffer_group) noexcept {
  io_uring_sqe* entry = impl_->next_entry(&operation);
  io_uring_prep_recv_multishot(entry, socket, nullptr, 0, 0);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = buffer_group;
}

void Ring::send(Operation& operation, int socket, std::span<const std::uint8_t> bytes,
                int flags) noexcept {
  io_uring_sqe* entry = impl_->next_entry(&operation);
  io_uring_prep_send(entry, socket, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL);
}

void Ring::send_message(Operation& operation, int socket, const msghdr& message,
                        int flags) noexcept {
  io_uring_sqe* entry = impl_->next_entry(&operation);
  io_uring_prep_sendmsg(entry, socket, &message, static_cast<unsigned>(flags | MSG_NOSIGNAL));
}

void Ring::poll(Operation& operation, int descriptor, std::uint32_t events) noexcept {
  io_uring_sqe* entry = impl_->next_entry(&operation);
  io_uring_prep_poll_add(entry, descriptor, events);
}

void Ring::splice_to_pipe(Operation& operation, int file, std::int64_t offset, int pipe,
                          std::uint32_t length) noexcept {
  io_uring_sqe* entry = impl_->next_entry(&operation);
  io_uring_prep_splice(entry, file, offset, pipe, -1, length, 0);
}

void Ring::cancel(const Operation& target) noexcept {
  io_uring_sqe* entry = impl_->next_entry(nullptr);
  io_uring_prep_cancel64(entry, reinterpret_cast<std::uint64_t>(&target), 0);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void Ring::wake(int ring_descriptor, Operation& target, Operation& on_failure) noexcept {
  io_uring_sqe* entry = impl_->next_entry(&on_failure);
  io_uring_prep_msg_ring(entry, ring_descriptor, 0, reinterpret_cast<std::uint64_t>(&target), 0);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

Result<> Ring::register_buffer_ring(void* ring_memory, std::uint32_t entries, std::uint16_t group) {
  const int code = kernel::ring_register_buffers(*impl_->ring, ring_memory, entries, group);
  if (code < 0) return fail_errno("registering receive buffers with io_uring", -code);
  return {};
}

void Ring::submit_and_wait(std::optional<std::int64_t> timeout_us) noexcept {
  int code = 0;
  if (!impl_->taken.empty() || (timeout_us && *timeout_us <= 0)) {
    code = kernel::ring_submit_and_fetch(*impl_->ring);
  } else {
    code = kernel::ring_submit_and_wait(*impl_->ring, timeout_us);
  }
  // -ETIME: nothing came. -EBUSY and -EAGAIN: completions must be taken first; what is left is
  // submitted next turn. Anything else is a bug of ours.
  VS_ASSERT(code >= 0 || code == -ETIME || code == -EINTR || code == -EBUSY || code == -EAGAIN);
  impl_->ready = kernel::ring_ready(*impl_->ring);
}

std::span<const Completion> Ring::drain() noexcept {
  impl_->handed.clear();
  if (!impl_->taken.empty()) {
    impl_->handed.swap(impl_->taken);
    return impl_->handed;
  }
  while (impl_->ready > 0 && impl_->handed.empty()) {
    const unsigned count = std::min(impl_->ready, drained_at_once);
    impl_->ready -= count;
    impl_->take_completions(count, impl_->handed);
  }
  return impl_->handed;
}

}  // namespace videosync
