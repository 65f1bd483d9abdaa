// Submission: what entries say, and that what they name is there.
#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::sim {

namespace {

std::uint64_t digest_of(const std::vector<iovec>& vectors) noexcept {
  std::uint64_t digest = vectors.size();
  for (const iovec& vector : vectors) {
    const auto* bytes = static_cast<const std::uint8_t*>(vector.iov_base);
    std::size_t i = 0;
    for (; i + 8 <= vector.iov_len; i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, 8);
      digest = (digest ^ word) * 0x9e3779b97f4a7c15;
    }
    for (; i < vector.iov_len; ++i)
      digest = (digest ^ bytes[i]) * 0x100000001b3;
  }
  return digest;
}

}  // namespace

std::uint64_t lent_digest(const std::vector<iovec>& vectors) noexcept {
  return digest_of(vectors);
}

const Awaited* SimulatedKernel::awaited(int descriptor) {
  const Object& object = slot(descriptor, "submit").object;
  if (const auto* socket = std::get_if<std::shared_ptr<Socket>>(&object)) return socket->get();
  if (const auto* queue = std::get_if<std::shared_ptr<ListenerQueue>>(&object)) return queue->get();
  if (const auto* event = std::get_if<std::shared_ptr<Event>>(&object)) return event->get();
  return nullptr;
}

std::int64_t SimulatedKernel::delay_us() noexcept {
  if (!goes_wrong(nastiness_.late)) return 0;
  return dice_.chance(0.05) ? dice_.between(1, 500'000) : dice_.between(1, 3'000);
}

std::int64_t SimulatedKernel::disk_delay_us() noexcept {
  return goes_wrong(nastiness_.slow_disk) ? dice_.between(1'000, 5'000'000)
                                          : dice_.between(20, 800);
}

int SimulatedKernel::submit(kernel::Ring& ring) {
  unsigned taken = ring.filled;
  if (taken > 0 && goes_wrong(nastiness_.refused_entries)) {
    taken = static_cast<unsigned>(dice_.below(taken + 1));
    if (taken == 0) return dice_.chance(0.5) ? -EAGAIN : -EBUSY;
  }
  for (unsigned i = 0; i < taken; ++i) {
    const io_uring_sqe entry = ring.entries[ring.first];
    // What was submitted is the kernel's to forget.
    std::memset(&ring.entries[ring.first], 0xa5, sizeof entry);
    ring.first = (ring.first + 1) % static_cast<unsigned>(ring.entries.size());
    --ring.filled;
    begin(ring, entry);
  }
  return static_cast<int>(taken);
}

void SimulatedKernel::begin(kernel::Ring& ring, const io_uring_sqe& entry) {
  ++counts_.operations;
  note(entry.opcode ^ (static_cast<std::uint64_t>(entry.len) << 8));
  if (entry.opcode == IORING_OP_ASYNC_CANCEL) return cancel(entry.addr, ring);
  if (entry.user_data == 0) report_finding("entry", "an operation has no owner");
  for (const auto& other : in_flight_) {
    if (!other->is_done && other->entry.user_data == entry.user_data &&
        other->entry.opcode != IORING_OP_MSG_RING) {
      report_finding("entry", fmt::format("an operation ({}) is armed twice", entry.opcode));
    }
  }
  if (idle_.empty()) idle_.push_back(std::make_unique<InFlight>());
  auto operation = std::move(idle_.back());
  idle_.pop_back();
  operation->ring = &ring;
  operation->entry = entry;
  operation->is_done = operation->is_cancelled = false;
  operation->blocked_since_us = 0;
  operation->handler = operation->owner()->on_complete;
  operation->not_before_us = now_us_ + delay_us();
  operation->vectors.clear();
  ++slot(entry.fd, "submit").uses;
  operation->awaited = awaited(entry.fd);
  operation->changes_seen = 0;
  if (entry.opcode == IORING_OP_SEND || entry.opcode == IORING_OP_SENDMSG) lend(*operation);
  if (entry.opcode == IORING_OP_SPLICE) {
    if (entry.splice_fd_in >= first_descriptor) ++slot(entry.splice_fd_in, "splice").uses;
    operation->not_before_us = now_us_ + disk_delay_us();
  }
  in_flight_.push_back(std::move(operation));
}

void SimulatedKernel::lend(InFlight& operation) {
  const io_uring_sqe& entry = operation.entry;
  if (entry.opcode == IORING_OP_SEND) {
    operation.vectors.push_back({reinterpret_cast<void*>(entry.addr), entry.len});
  } else {
    const auto& message = *reinterpret_cast<const msghdr*>(entry.addr);
    operation.vectors.assign(message.msg_iov, message.msg_iov + message.msg_iovlen);
  }
  operation.lent_digest = digest_of(operation.vectors);
}

// A splice is in a worker's hands: too late. So may be anything else whose time has come.
void SimulatedKernel::cancel(std::uint64_t target, kernel::Ring& ring) {
  for (const auto& operation : in_flight_) {
    if (operation->is_done || operation->entry.user_data != target || operation->ring != &ring ||
        operation->entry.opcode == IORING_OP_MSG_RING) {
      continue;
    }
    if (operation->entry.opcode == IORING_OP_SPLICE) return post(ring, 0, -EALREADY, 0);
    operation->is_cancelled = true;
    operation->changes_seen = 0;
    operation->not_before_us = std::min(operation->not_before_us, now_us_ + delay_us());
    return;
  }
  post(ring, 0, -ENOENT, 0);
}

}  // namespace videosync::sim
