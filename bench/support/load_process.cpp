#include "bench/support/load_process.h"

#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace videosync::bench {

std::uint64_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

Result<std::unique_ptr<Reactor>> start_reactor(const Clock& clock) {
  auto reactor = Reactor::create(clock);
  if (!reactor) return reactor;
  if (auto started = (*reactor)->start(); !started) return std::unexpected(started.error());
  return reactor;
}

int connect_to_loopback(std::uint16_t port, int receive_bytes) noexcept {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  if (receive_bytes > 0)
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // The answer of loopback has come by then; only the call does not know yet (EINPROGRESS).
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket, target, sizeof address) != 0 && errno != EINPROGRESS) {
    const int code = errno;
    ::close(socket);
    errno = code;
    return -1;
  }
  return socket;
}

}  // namespace videosync::bench
