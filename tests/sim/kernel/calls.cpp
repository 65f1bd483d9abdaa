// core/kernel/kernel.h over the simulated kernel. Numbers that are none of its own are the real
// kernel's: they are closed, and nothing else.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::kernel {

namespace {

using namespace videosync::sim;

SimulatedKernel& here() noexcept {
  return SimulatedKernel::current();
}

// What a send to this socket is answered before any byte moves; 0: go on.
std::int64_t refusal(const Socket& socket) noexcept {
  if (socket.is_reset) return -ECONNRESET;
  if (socket.has_ended) return -EPIPE;
  if (socket.room() == 0) return -EAGAIN;
  return here().goes_wrong(here().nastiness().interrupted) ? -EINTR : 0;
}

void send_to_peer(Socket& socket, std::span<const std::uint8_t> bytes) {
  ++socket.changes;
  if (!socket.has_peer_left) return socket.out.put(bytes);
  if (here().dice().chance(0.3)) socket.is_reset = true;
}

}  // namespace

int close(int descriptor) noexcept {
  if (descriptor < SimulatedKernel::first_descriptor) {
    return ::close(descriptor) == 0 ? 0 : -errno;
  }
  return here().close(descriptor);
}

int make_event() noexcept {
  return here().add(std::make_shared<Event>());
}

int add_event(int event) noexcept {
  Event& added = *here().get<std::shared_ptr<Event>>(event, "add_event");
  ++added.count;
  ++added.changes;
  return 0;
}

int take_event(int event) noexcept {
  return std::exchange(here().get<std::shared_ptr<Event>>(event, "take_event")->count, 0) > 0 ? 1
                                                                                              : 0;
}

int make_signals(const sigset_t&) noexcept {
  return -ENOSYS;
}

int take_signal(int, signalfd_siginfo&) noexcept {
  return -ENOSYS;
}

int make_pipe(int (&ends)[2], std::size_t capacity) noexcept {
  if (here().goes_wrong(here().nastiness().no_descriptor)) return -EMFILE;
  auto pipe = std::make_shared<PipeBytes>();
  pipe->capacity = here().goes_wrong(here().nastiness().short_transfer) ? 4'096 : capacity;
  ends[0] = here().add(PipeEnd{pipe, true});
  ends[1] = here().add(PipeEnd{pipe, false});
  return 0;
}

int get_peer_name(int socket, sockaddr_storage& address) noexcept {
  here().get<std::shared_ptr<Socket>>(socket, "getpeername");
  auto& name = reinterpret_cast<sockaddr_in&>(address);
  name.sin_family = AF_INET;
  name.sin_port = htons(40'000);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return 0;
}

int set_option(int socket, int, int, int) noexcept {
  here().get<std::shared_ptr<Socket>>(socket, "setsockopt");
  return 0;
}

int shut_down(int socket, int how) noexcept {
  Socket& shut = *here().get<std::shared_ptr<Socket>>(socket, "shutdown");
  if (shut.is_reset || (shut.has_ended && shut.has_peer_ended)) return -ENOTCONN;
  shut.has_ended = true;
  ++shut.changes;
  if (how == SHUT_RDWR) shut.is_shut = true;
  return 0;
}

std::int64_t send_message(int socket, const msghdr& message, int) noexcept {
  Socket& to = *here().get<std::shared_ptr<Socket>>(socket, "sendmsg");
  if (const std::int64_t refused = refusal(to); refused != 0) return refused;
  std::size_t total = 0;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i)
    total += message.msg_iov[i].iov_len;
  if (total == 0) return 0;
  const std::size_t count = here().some_of(std::min(total, to.room()));
  std::size_t left = count;
  for (std::size_t i = 0; i < message.msg_iovlen && left > 0; ++i) {
    const std::size_t part = std::min(left, message.msg_iov[i].iov_len);
    send_to_peer(to, {static_cast<const std::uint8_t*>(message.msg_iov[i].iov_base), part});
    left -= part;
  }
  return static_cast<std::int64_t>(count);
}

std::int64_t send_file(int socket, int file, std::int64_t offset, std::size_t length) noexcept {
  Socket& to = *here().get<std::shared_ptr<Socket>>(socket, "sendfile");
  FileShape& from = here().file_at(file, "sendfile");
  if (const std::int64_t refused = refusal(to); refused != 0) return refused;
  if (here().disk_fails()) return -EIO;
  const std::int64_t there = std::max<std::int64_t>(from.bytes - offset, 0);
  const auto most = std::min<std::size_t>({length, to.room(), static_cast<std::size_t>(there)});
  if (most == 0) return 0;
  std::vector<std::uint8_t> bytes(here().some_of(most));
  from.read(offset, bytes);
  send_to_peer(to, bytes);
  return static_cast<std::int64_t>(bytes.size());
}

std::int64_t splice_from_pipe(int pipe, int socket, std::size_t length, unsigned) noexcept {
  Socket& to = *here().get<std::shared_ptr<Socket>>(socket, "splice");
  PipeEnd& from = here().get<PipeEnd>(pipe, "splice");
  if (const std::int64_t refused = refusal(to); refused != 0) return refused;
  const std::size_t most = std::min({length, to.room(), from.pipe->bytes.size()});
  if (most == 0) return -EAGAIN;
  std::vector<std::uint8_t> bytes(here().some_of(most));
  from.pipe->bytes.take(bytes);
  send_to_peer(to, bytes);
  return static_cast<std::int64_t>(bytes.size());
}

std::int64_t count_cached_pages(int file, std::int64_t offset, std::int64_t length) noexcept {
  if (file < 0) return -EBADF;
  FileShape& shape = here().file_at(file, "cachestat");
  std::int64_t count = 0;
  constexpr std::int64_t page = SimulatedKernel::page_bytes;
  for (std::int64_t at = offset / page; at <= (offset + length - 1) / page; ++at) {
    const auto index = static_cast<std::size_t>(at);
    if (index >= shape.cached.size()) break;
    if (here().goes_wrong(here().nastiness().evicted)) shape.cached[index] = false;
    if (shape.cached[index]) ++count;
  }
  return count;
}

int read_byte_now(int file, std::int64_t offset, char& byte) noexcept {
  FileShape& shape = here().file_at(file, "preadv2");
  if (offset >= shape.bytes) return 0;
  const auto page = static_cast<std::size_t>(offset / SimulatedKernel::page_bytes);
  if (!shape.cached[page]) return -EAGAIN;
  std::uint8_t read = 0;
  shape.read(offset, {&read, 1});
  byte = static_cast<char>(read);
  return 1;
}

bool has_seals(int) noexcept {
  return false;
}

std::size_t get_random(std::span<std::uint8_t> out) noexcept {
  if (!SimulatedKernel::exists())
    return static_cast<std::size_t>(::getrandom(out.data(), out.size(), 0));
  here().draw(out);
  return out.size();
}

std::int64_t read_clock_us(clockid_t clock) noexcept {
  if (!SimulatedKernel::exists()) return 0;
  return clock == CLOCK_REALTIME ? here().server_us() : here().monotonic_us();
}

// --- io_uring ------------------------------------------------------------------------------------

void RingCloser::operator()(Ring* ring) const noexcept {
  here().close_ring(ring);
}

RingRef ring_open(unsigned submissions, unsigned completions, unsigned& features,
                  int& error) noexcept {
  features = ~0u;
  error = 0;
  return RingRef(here().open_ring(submissions, completions));
}

int ring_lacks(Ring&, const int*, std::size_t) noexcept {
  return 0;
}

int ring_enable(Ring& ring) noexcept {
  ring.is_enabled = true;
  return 0;
}

int ring_descriptor(const Ring& ring) noexcept {
  return ring.descriptor;
}

int ring_register_buffers(Ring& ring, void* memory, unsigned entries, std::uint16_t) noexcept {
  static_assert(sizeof(LentBuffers::Entry) == sizeof(io_uring_buf));
  ring.buffers.entries = static_cast<const LentBuffers::Entry*>(memory);
  ring.buffers.count = entries;
  return 0;
}

io_uring_sqe* ring_next_entry(Ring& ring) noexcept {
  if (ring.filled == ring.entries.size()) return nullptr;
  io_uring_sqe& entry = ring.entries[(ring.first + ring.filled) % ring.entries.size()];
  ++ring.filled;
  // What nobody sets would be seen.
  std::memset(&entry, 0xa5, sizeof entry);
  return &entry;
}

int ring_submit(Ring& ring) noexcept {
  return here().submit(ring);
}

int ring_submit_and_fetch(Ring& ring) noexcept {
  const int submitted = here().submit(ring);
  here().fetch(ring);
  return submitted;
}

int ring_submit_and_wait(Ring& ring, std::optional<std::int64_t> timeout_us) noexcept {
  const unsigned filled = ring.filled;
  const int submitted = here().submit(ring);
  // Not all: it does not wait.
  if (submitted < 0 || static_cast<unsigned>(submitted) < filled) {
    ring.asleep_until_us = here().monotonic_us();
    return submitted;
  }
  const int waited = here().wait(ring, timeout_us);
  return submitted > 0 ? submitted : waited;
}

void ring_fetch(Ring& ring) noexcept {
  here().fetch(ring);
}

unsigned ring_ready(const Ring& ring) noexcept {
  return static_cast<unsigned>(ring.ready.size());
}

const io_uring_cqe& ring_completion(const Ring& ring, unsigned index) noexcept {
  return ring.ready[index];
}

void ring_take(Ring& ring, unsigned count) noexcept {
  ring.ready.erase(ring.ready.begin(), ring.ready.begin() + count);
}

}  // namespace videosync::kernel
