#include <liburing.h>

#include <cerrno>
#include <cstdint>
#include <iterator>
#include <utility>

#include "core/kernel/kernel.h"

namespace videosync::kernel {

struct Ring {
  io_uring queues{};
};

namespace {

// All that a ring may be asked for: what core/reactor/ring.cpp prepares.
constexpr std::uint8_t operations_allowed[] = {
    IORING_OP_ACCEPT, IORING_OP_RECV,     IORING_OP_SEND,         IORING_OP_SENDMSG,
    IORING_OP_SPLICE, IORING_OP_MSG_RING, IORING_OP_ASYNC_CANCEL, IORING_OP_POLL_ADD};
constexpr std::uint8_t registrations_allowed[] = {IORING_REGISTER_ENABLE_RINGS,
                                                  IORING_REGISTER_PBUF_RING};
constexpr std::uint8_t flags_allowed =
    (1U << IOSQE_BUFFER_SELECT_BIT) | (1U << IOSQE_CQE_SKIP_SUCCESS_BIT);

// From when it is enabled on.
int restrict_ring(const io_uring& ring) noexcept {
  io_uring_restriction
      restrictions[std::size(operations_allowed) + std::size(registrations_allowed) + 1] = {};
  unsigned count = 0;
  const auto add = [&](std::uint16_t kind, std::uint8_t value) {
    restrictions[count].opcode = kind;
    restrictions[count++].sqe_op = value;  // of a union
  };
  for (const std::uint8_t operation : operations_allowed)
    add(IORING_RESTRICTION_SQE_OP, operation);
  for (const std::uint8_t registration : registrations_allowed)
    add(IORING_RESTRICTION_REGISTER_OP, registration);
  add(IORING_RESTRICTION_SQE_FLAGS_ALLOWED, flags_allowed);
  // io_uring_register_restrictions() is missing as ring_enable()'s is.
  return io_uring_register(static_cast<unsigned>(ring.ring_fd), IORING_REGISTER_RESTRICTIONS,
                           restrictions, count);
}

}  // namespace

void RingCloser::operator()(Ring* ring) const noexcept {
  io_uring_queue_exit(&ring->queues);
  delete ring;
}

RingRef ring_open(unsigned submissions, unsigned completions, unsigned& features,
                  int& error) noexcept {
  auto ring = std::make_unique<Ring>();
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED;
  params.cq_entries = completions;
  error = io_uring_queue_init_params(submissions, &ring->queues, &params);
  if (error < 0) return nullptr;
  features = params.features;
  RingRef opened(ring.release());
  error = restrict_ring(opened->queues);
  return error < 0 ? nullptr : std::move(opened);
}

int ring_lacks(Ring& ring, const int* operations, std::size_t count) noexcept {
  io_uring_probe* probe = io_uring_get_probe_ring(&ring.queues);
  if (probe == nullptr) return -ENOSYS;
  bool has_all = true;
  for (std::size_t i = 0; i < count; ++i)
    has_all = has_all && io_uring_opcode_supported(probe, operations[i]) != 0;
  io_uring_free_probe(probe);
  return has_all ? 0 : 1;
}

int ring_enable(Ring& ring) noexcept {
  // io_uring_enable_rings() is declared by liburing 2.3 and missing from its shared library.
  return io_uring_register(static_cast<unsigned>(ring.queues.ring_fd), IORING_REGISTER_ENABLE_RINGS,
                           nullptr, 0);
}

int ring_descriptor(const Ring& ring) noexcept {
  return ring.queues.ring_fd;
}

int ring_register_buffers(Ring& ring, void* memory, unsigned entries,
                          std::uint16_t group) noexcept {
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(memory);
  registration.ring_entries = entries;
  registration.bgid = group;
  return io_uring_register_buf_ring(&ring.queues, &registration, 0);
}

io_uring_sqe* ring_next_entry(Ring& ring) noexcept {
  return io_uring_get_sqe(&ring.queues);
}

int ring_submit(Ring& ring) noexcept {
  return io_uring_submit(&ring.queues);
}

int ring_submit_and_fetch(Ring& ring) noexcept {
  return io_uring_submit_and_get_events(&ring.queues);
}

int ring_submit_and_wait(Ring& ring, std::optional<std::int64_t> timeout_us) noexcept {
  if (!timeout_us) return io_uring_submit_and_wait(&ring.queues, 1);
  __kernel_timespec timeout{*timeout_us / 1'000'000, *timeout_us % 1'000'000 * 1'000};
  io_uring_cqe* first = nullptr;
  return io_uring_submit_and_wait_timeout(&ring.queues, &first, 1, &timeout, nullptr);
}

void ring_fetch(Ring& ring) noexcept {
  io_uring_get_events(&ring.queues);
}

unsigned ring_ready(const Ring& ring) noexcept {
  return io_uring_cq_ready(&ring.queues);
}

const io_uring_cqe& ring_completion(const Ring& ring, unsigned index) noexcept {
  const io_uring_cq& queue = ring.queues.cq;
  return queue.cqes[(*queue.khead + index) & queue.ring_mask];
}

void ring_take(Ring& ring, unsigned count) noexcept {
  io_uring_cq_advance(const_cast<io_uring*>(&ring.queues), count);
}

}  // namespace videosync::kernel
