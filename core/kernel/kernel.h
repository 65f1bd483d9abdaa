// The kernel, as far as the loop needs it: every call by which the reactor and those on it reach
// the machine while they run. Beneath it is Linux (linux_calls.cpp, linux_ring.cpp), or, in a
// program that links one first, a simulated kernel (tests/sim/kernel); nobody above can tell.
//
// A call answers as the system call of that name does, but for the error, which is the result
// itself: negative is -errno. Descriptors are numbers; who owns them says UniqueFd. Nothing here
// waits but ring_submit_and_wait(). Any thread may call; a ring belongs to one thread (ring.h).
// The release build is optimized as a whole, so none of this is a call there.
//
// Not here: what happens once before the loop turns (listening sockets, the folder of pages), and
// what other processes and threads do (file helpers, uploads, the log).
#pragma once

#include <sys/socket.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

struct io_uring_cqe;
struct io_uring_sqe;
struct signalfd_siginfo;

namespace videosync::kernel {

// --- Descriptors ---------------------------------------------------------------------------------

// The number is another's afterwards, whatever the answer: a fault only says that written bytes may
// be lost.
int close(int descriptor) noexcept;

// close-on-exec, never waits. eventfd(2): readable while something was added and not taken.
int make_event() noexcept;
int add_event(int event) noexcept;
// 1: there was something. 0: there was not.
int take_event(int event) noexcept;

// close-on-exec, never waits. signalfd(2) of these.
int make_signals(const sigset_t& signals) noexcept;
// 1: `info` is the next one's. 0: there is none.
int take_signal(int signals, signalfd_siginfo& info) noexcept;

// close-on-exec, never waits; of `capacity` bytes where the user's share of pipes allows it, else
// of fewer. ends[0] is read from.
int make_pipe(int (&ends)[2], std::size_t capacity) noexcept;

// --- Sockets -------------------------------------------------------------------------------------

int get_peer_name(int socket, sockaddr_storage& address) noexcept;
int set_option(int socket, int level, int name, int value) noexcept;
int shut_down(int socket, int how) noexcept;
// sendmsg(2) that neither waits nor raises SIGPIPE.
std::int64_t send_message(int socket, const msghdr& message, int flags) noexcept;
// sendfile(2); does not wait for a socket that was accepted here, but for a disk. 0: the file ends
// before `offset`.
std::int64_t send_file(int socket, int file, std::int64_t offset, std::size_t length) noexcept;
// splice(2) that waits for nothing; SPLICE_F_MORE may be among `flags`.
std::int64_t splice_from_pipe(int pipe, int socket, std::size_t length, unsigned flags) noexcept;

// --- Files ---------------------------------------------------------------------------------------

// cachestat(2): how many pages of the range are in the page cache, their bytes perhaps still on
// their way. -ENOSYS: this kernel cannot tell.
std::int64_t count_cached_pages(int file, std::int64_t offset, std::int64_t length) noexcept;
// preadv2(2) with RWF_NOWAIT. -EAGAIN: not without waiting. -EOPNOTSUPP: this file system cannot.
int read_byte_now(int file, std::int64_t offset, char& byte) noexcept;
// Memory alone is behind it (tmpfs, memfd): only such files have seals.
bool has_seals(int file) noexcept;

// --- Chance --------------------------------------------------------------------------------------

// getrandom(2). How many bytes; never fails once its pool is seeded, which precedes any server.
std::size_t get_random(std::span<std::uint8_t> out) noexcept;

// --- Time ----------------------------------------------------------------------------------------

std::int64_t read_clock_us(clockid_t clock) noexcept;

// --- io_uring ------------------------------------------------------------------------------------
// A pair of queues, its entries as in linux/io_uring.h (Axboe, "Efficient IO with io_uring"). Made
// for one thread and for waiting (SINGLE_ISSUER, DEFER_TASKRUN), disabled until ring_enable().

struct Ring;
struct RingCloser {
  void operator()(Ring* ring) const noexcept;
};
using RingRef = std::unique_ptr<Ring, RingCloser>;

// Null where `error` says why: -errno. `features`: IORING_FEAT_*.
RingRef ring_open(unsigned submissions, unsigned completions, unsigned& features,
                  int& error) noexcept;
// 0: the kernel knows each of these IORING_OP_*; 1: it does not; or -errno.
int ring_lacks(Ring& ring, const int* operations, std::size_t count) noexcept;
int ring_enable(Ring& ring) noexcept;
int ring_descriptor(const Ring& ring) noexcept;
// A provided-buffer ring of so many entries, for IOSQE_BUFFER_SELECT.
int ring_register_buffers(Ring& ring, void* memory, unsigned entries, std::uint16_t group) noexcept;

// The next entry to fill, from now on one of those to be submitted; null: the queue is full.
io_uring_sqe* ring_next_entry(Ring& ring) noexcept;
// Those submitted, or -EAGAIN, -EBUSY, -EINTR: what is left stays in the queue.
int ring_submit(Ring& ring) noexcept;
// Submits, and fetches the completions that are there; waits for one at most so long (none: for
// ever). Those submitted; -ETIME: nothing came; or as above.
int ring_submit_and_fetch(Ring& ring) noexcept;
int ring_submit_and_wait(Ring& ring, std::optional<std::int64_t> timeout_us) noexcept;
// Fetches completions alone.
void ring_fetch(Ring& ring) noexcept;

// The completions that were fetched; valid until they are taken from the front.
unsigned ring_ready(const Ring& ring) noexcept;
const io_uring_cqe& ring_completion(const Ring& ring, unsigned index) noexcept;
void ring_take(Ring& ring, unsigned count) noexcept;

}  // namespace videosync::kernel
