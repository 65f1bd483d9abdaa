#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "core/kernel/kernel.h"

namespace videosync::kernel {

namespace {

// From linux/mman.h of Linux 6.5; Debian 12's headers are older.
constexpr long cachestat_number = 451;
struct CacheStatRange {
  std::uint64_t offset;
  std::uint64_t length;
};
struct CacheStat {
  std::uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

template <class Answer>
Answer or_errno(Answer answer) noexcept {
  return answer < 0 ? static_cast<Answer>(-errno) : answer;
}

// 1: it was read whole. 0: there was nothing.
template <class Value>
int take_whole(int descriptor, Value& value) noexcept {
  const ssize_t n = ::read(descriptor, &value, sizeof value);
  if (n == static_cast<ssize_t>(sizeof value)) return 1;
  return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
}

}  // namespace

int close(int descriptor) noexcept {
  return or_errno(::close(descriptor));
}

int make_event() noexcept {
  return or_errno(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int add_event(int event) noexcept {
  const std::uint64_t one = 1;
  return ::write(event, &one, sizeof one) == sizeof one ? 0 : -errno;
}

int take_event(int event) noexcept {
  std::uint64_t count = 0;
  return take_whole(event, count);
}

int make_signals(const sigset_t& signals) noexcept {
  return or_errno(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

int take_signal(int signals, signalfd_siginfo& info) noexcept {
  return take_whole(signals, info);
}

int make_pipe(int (&ends)[2], std::size_t capacity) noexcept {
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
  // A smaller pipe than asked for (pipe-user-pages-soft) only means more steps.
  ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(capacity));
  return 0;
}

int get_peer_name(int socket, sockaddr_storage& address) noexcept {
  socklen_t length = sizeof address;
  return or_errno(::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &length));
}

int set_option(int socket, int level, int name, int value) noexcept {
  return or_errno(::setsockopt(socket, level, name, &value, sizeof value));
}

int shut_down(int socket, int how) noexcept {
  return or_errno(::shutdown(socket, how));
}

std::int64_t send_message(int socket, const msghdr& message, int flags) noexcept {
  return or_errno(::sendmsg(socket, &message, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

std::int64_t send_file(int socket, int file, std::int64_t offset, std::size_t length) noexcept {
  return or_errno(::sendfile(socket, file, &offset, length));
}

std::int64_t splice_from_pipe(int pipe, int socket, std::size_t length, unsigned flags) noexcept {
  return or_errno(
      ::splice(pipe, nullptr, socket, nullptr, length, flags | SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
}

std::int64_t count_cached_pages(int file, std::int64_t offset, std::int64_t length) noexcept {
  CacheStatRange asked{static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length)};
  CacheStat answer{};
  if (::syscall(cachestat_number, file, &asked, &answer, 0) != 0) return -errno;
  return static_cast<std::int64_t>(answer.cached);
}

int read_byte_now(int file, std::int64_t offset, char& byte) noexcept {
  const iovec vector{&byte, 1};
  return static_cast<int>(or_errno(::preadv2(file, &vector, 1, offset, RWF_NOWAIT)));
}

bool has_seals(int file) noexcept {
  return ::fcntl(file, F_GET_SEALS) >= 0;
}

std::size_t get_random(std::span<std::uint8_t> out) noexcept {
  const ssize_t n = ::getrandom(out.data(), out.size(), 0);
  return n > 0 ? static_cast<std::size_t>(n) : 0;  // a signal came
}

std::int64_t read_clock_us(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace videosync::kernel
