// What happens to operations in flight, by the rules of their man pages.
#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/assert.h"
#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::sim {

std::uint64_t lent_digest(const std::vector<iovec>& vectors) noexcept;  // entries.cpp

void SimulatedKernel::post(kernel::Ring& ring, std::uint64_t user_data, std::int32_t result,
                           unsigned flags) {
  io_uring_cqe completion{};
  completion.user_data = user_data;
  completion.res = result;
  completion.flags = flags;
  ring.waiting.push_back(completion);
  ++counts_.completions;
  note(static_cast<std::uint32_t>(result) ^ (static_cast<std::uint64_t>(flags) << 32));
}

bool SimulatedKernel::complete(InFlight& operation, std::int32_t result, unsigned flags) {
  VS_ASSERT(!operation.is_done);
  operation.is_done = true;
  const io_uring_sqe& entry = operation.entry;
  if (operation.owner()->on_complete != operation.handler) {
    report_finding("owner", fmt::format("the owner of an operation ({}) went before its completion",
                                        entry.opcode));
  }
  if (lent_digest(operation.vectors) != operation.lent_digest && !operation.vectors.empty()) {
    report_finding("lent", "bytes have changed while the kernel was sending them");
  }
  --slot(entry.fd, "complete").uses;
  if (entry.opcode == IORING_OP_SPLICE && entry.splice_fd_in >= first_descriptor) {
    --slot(entry.splice_fd_in, "complete").uses;
  }
  const bool is_silent = result >= 0 && (entry.flags & IOSQE_CQE_SKIP_SUCCESS) != 0;
  if (!is_silent) post(*operation.ring, entry.user_data, result, flags);
  return true;
}

// A completion of a multishot that is not its last, unless it ends by itself.
bool SimulatedKernel::go_on(InFlight& operation, std::int32_t result, unsigned flags) {
  if (goes_wrong(nastiness_.ended_multishot)) return complete(operation, result, flags);
  post(*operation.ring, operation.entry.user_data, result, flags | IORING_CQE_F_MORE);
  operation.not_before_us = now_us_ + delay_us();
  return true;
}

bool SimulatedKernel::attempt(InFlight& operation) {
  // What can happen may happen before the cancellation does.
  const bool is_too_late = operation.is_cancelled && dice_.chance(0.5);
  if (operation.is_cancelled && !is_too_late) return complete(operation, -ECANCELED);
  switch (operation.entry.opcode) {
    case IORING_OP_ACCEPT:
      return attempt_accept(operation);
    case IORING_OP_RECV:
      return attempt_receive(operation);
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
      return attempt_send(operation);
    case IORING_OP_POLL_ADD:
      return attempt_poll(operation);
    case IORING_OP_SPLICE:
      return attempt_fill(operation);
    case IORING_OP_MSG_RING:
      return attempt_wake(operation);
    default:
      report_finding("entry", fmt::format("operation {} is unknown", operation.entry.opcode));
  }
}

bool SimulatedKernel::attempt_accept(InFlight& operation) {
  auto& queue = *get<std::shared_ptr<ListenerQueue>>(operation.entry.fd, "accept");
  if (queue.waiting.empty()) return false;
  if (goes_wrong(nastiness_.no_descriptor)) {
    constexpr std::int32_t faults[] = {-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM};
    return complete(operation, faults[dice_.below(4)]);
  }
  std::shared_ptr<Socket> socket = std::move(queue.waiting.front());
  queue.waiting.pop_front();
  return go_on(operation, add(std::move(socket)), 0);
}

// What was given back is ours: nobody may read it any more, so it is made unreadable.
void SimulatedKernel::take_back(LentBuffers& buffers) {
  if (buffers.entries == nullptr) return;
  const std::uint16_t tail = buffers.entries[0].tail;
  for (; buffers.seen != tail; ++buffers.seen) {
    const LentBuffers::Entry entry = buffers.entries[buffers.seen & (buffers.count - 1)];
    if (entry.id >= buffers.is_ours.size()) {
      buffers.is_ours.resize(entry.id + 1u);
      buffers.written.resize(entry.id + 1u);
    }
    if (buffers.is_ours[entry.id]) {
      report_finding("buffer", fmt::format("buffer {} is given back twice", entry.id));
    }
    buffers.is_ours[entry.id] = true;
    std::memset(reinterpret_cast<void*>(entry.address), 0xdd, buffers.written[entry.id]);
    buffers.available.push_back(entry);
  }
}

bool SimulatedKernel::attempt_receive(InFlight& operation) {
  Socket& socket = *get<std::shared_ptr<Socket>>(operation.entry.fd, "receive");
  if (!socket.can_read()) return false;
  if (socket.is_reset) return complete(operation, -ECONNRESET);
  if (socket.in.empty() || socket.is_shut) return complete(operation, 0);
  if (goes_wrong(nastiness_.no_memory)) {
    socket.was_refused_memory = true;
    return complete(operation, -ENOMEM);
  }
  LentBuffers& buffers = operation.ring->buffers;
  take_back(buffers);
  if (buffers.available.empty() || goes_wrong(nastiness_.no_buffers)) {
    return complete(operation, -ENOBUFS);
  }
  const LentBuffers::Entry buffer = buffers.available.front();
  buffers.available.pop_front();
  buffers.is_ours[buffer.id] = false;
  const std::size_t count = some_of(std::min<std::size_t>(socket.in.size(), buffer.length));
  socket.in.take({reinterpret_cast<std::uint8_t*>(buffer.address), count});
  buffers.written[buffer.id] = static_cast<std::uint32_t>(count);
  const unsigned flags =
      IORING_CQE_F_BUFFER | (static_cast<unsigned>(buffer.id) << IORING_CQE_BUFFER_SHIFT);
  return go_on(operation, static_cast<std::int32_t>(count), flags);
}

// Its peer's end wakes the send, again and again, until a worker of the kernel's blocks in it: a
// thread a connection.
void SimulatedKernel::check_for_worker(InFlight& operation, const Socket& socket) {
  if (!socket.has_peer_ended || operation.is_cancelled) return;
  const bool is_blocked = socket.room() == 0;
  if (operation.blocked_since_us == 0 && is_blocked) operation.blocked_since_us = now_us_;
  if (operation.blocked_since_us == 0 || now_us_ - operation.blocked_since_us < 1'000'000) return;
  report_finding("worker", "a send blocks a worker of the kernel's: its peer sends no more");
}

bool SimulatedKernel::attempt_send(InFlight& operation) {
  Socket& socket = *get<std::shared_ptr<Socket>>(operation.entry.fd, "send");
  if (socket.is_reset) return complete(operation, -ECONNRESET);
  if (socket.has_ended) return complete(operation, -EPIPE);
  check_for_worker(operation, socket);
  if (socket.room() == 0) return false;
  if (goes_wrong(nastiness_.no_memory)) {
    socket.was_refused_memory = true;
    return complete(operation, -ENOMEM);
  }
  std::size_t total = 0;
  for (const iovec& vector : operation.vectors)
    total += vector.iov_len;
  if (total == 0) report_finding("entry", "nothing is sent");
  const std::size_t count = some_of(std::min(total, socket.room()));
  std::size_t left = count;
  for (const iovec& vector : operation.vectors) {
    const std::size_t part = std::min(left, vector.iov_len);
    if (!socket.has_peer_left) {
      socket.out.put({static_cast<const std::uint8_t*>(vector.iov_base), part});
    }
    left -= part;
  }
  if (socket.has_peer_left && dice_.chance(0.3)) socket.is_reset = true;
  ++socket.changes;
  return complete(operation, static_cast<std::int32_t>(count));
}

std::uint32_t SimulatedKernel::readiness(int descriptor, std::uint32_t events) {
  Object& object = slot(descriptor, "poll").object;
  if (const auto* event = std::get_if<std::shared_ptr<Event>>(&object)) {
    return (*event)->count > 0 ? events & POLLIN : 0;
  }
  const auto* found = std::get_if<std::shared_ptr<Socket>>(&object);
  if (found == nullptr) refuse(descriptor, "poll", "is of another kind");
  const Socket& socket = **found;
  std::uint32_t ready = 0;
  if (socket.can_read()) ready |= events & POLLIN;
  if (socket.can_write()) ready |= events & POLLOUT;
  if (socket.is_reset) ready |= POLLERR | POLLHUP;
  if (socket.is_shut || (socket.has_ended && socket.has_peer_ended)) ready |= POLLHUP;
  // Told whether it was asked for or not (IO_POLL_UNMASK in io_uring/poll.c), and reason enough.
  if (socket.has_peer_ended || socket.is_shut) ready |= POLLRDHUP;
  return ready;
}

bool SimulatedKernel::attempt_poll(InFlight& operation) {
  const std::uint32_t ready = readiness(operation.entry.fd, operation.entry.poll32_events);
  if (ready == 0) return false;
  return complete(operation, static_cast<std::int32_t>(ready));
}

bool SimulatedKernel::attempt_fill(InFlight& operation) {
  const io_uring_sqe& entry = operation.entry;
  FileShape& file = file_at(entry.splice_fd_in, "splice");
  PipeEnd& end = get<PipeEnd>(entry.fd, "splice");
  if (end.reads) refuse(entry.fd, "splice", "is read from, not written to");
  if (disk_fails()) return complete(operation, -EIO);
  const auto offset = static_cast<std::int64_t>(entry.splice_off_in);
  const std::size_t room = end.pipe->capacity - end.pipe->bytes.size();
  if (room == 0) report_finding("pipe", "a full pipe is filled: that waits for ever");
  const std::int64_t there = std::max<std::int64_t>(file.bytes - offset, 0);
  const auto most = std::min<std::size_t>({entry.len, room, static_cast<std::size_t>(there)});
  if (most == 0) return complete(operation, 0);
  const std::size_t count = some_of(most);
  std::vector<std::uint8_t> bytes(count);
  file.read(offset, bytes);
  end.pipe->bytes.put(bytes);
  for (std::int64_t at = offset; at < offset + static_cast<std::int64_t>(count); at += page_bytes)
    file.cached[static_cast<std::size_t>(at / page_bytes)] = true;
  return complete(operation, static_cast<std::int32_t>(count));
}

bool SimulatedKernel::attempt_wake(InFlight& operation) {
  kernel::Ring& target = *get<RingEnd>(operation.entry.fd, "message to a ring").ring;
  if (!target.is_enabled) return complete(operation, -EBADFD);
  if (goes_wrong(nastiness_.lost_wake)) {
    return complete(operation, dice_.chance(0.5) ? -EOVERFLOW : -ENOMEM);
  }
  post(target, operation.entry.off, static_cast<std::int32_t>(operation.entry.len), 0);
  return complete(operation, 0);
}

}  // namespace videosync::sim
