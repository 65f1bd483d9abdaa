#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "core/reactor/listener.h"

namespace videosync {

namespace {

constexpr int backlog = 4096;  // the kernel cuts it to net.core.somaxconn
// Clients speak first: a connection is accepted when its first bytes are there, or after so long.
// Its first receive then finds them, instead of being armed, woken and tried again.
constexpr int silence_max_s = accept_silence_ms / 1'000;
constexpr int socket_flags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

enum class Sharing { with_our_workers, nobody };

Result<UniqueFd> open_tcp(const ListenTarget& target, Sharing sharing) {
  const std::string port = std::to_string(target.port);
  const std::string name = target.host + ":" + port;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* host = target.host.empty() ? nullptr : target.host.c_str();
  if (const int code = ::getaddrinfo(host, port.c_str(), &hints, &found); code != 0) {
    return fail(ErrorCode::invalid_argument,
                "cannot resolve " + name + ": " + ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  UniqueFd socket(::socket(found->ai_family, socket_flags, 0));
  if (!socket) return fail_errno("socket for " + name, errno);
  const int on = 1;
  const int off = 0;
  if (found->ai_family == AF_INET6) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (sharing == Sharing::with_our_workers) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &silence_max_s, sizeof silence_max_s);
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0) {
    return fail_errno("cannot listen on " + name, errno);
  }
  if (::listen(socket.get(), backlog) != 0) return fail_errno("cannot listen on " + name, errno);
  return socket;
}

// Removes the socket of a process that is no more. Only a refused connection says that it is: where
// the question cannot be asked, the path may be the life line of another process.
Result<> remove_left_behind(const sockaddr_un& address) {
  const std::string path = address.sun_path;
  const UniqueFd probe(::socket(AF_UNIX, socket_flags, 0));
  if (!probe) return fail_errno("socket for unix:" + path, errno);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(probe.get(), generic, sizeof address) == 0 || errno != ECONNREFUSED) {
    return fail(ErrorCode::conflict, path + " is in use by another process");
  }
  ::unlink(path.c_str());
  return {};
}

Result<UniqueFd> open_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::invalid_argument, "unix socket path is longer than " +
                                                 std::to_string(sizeof address.sun_path - 1) +
                                                 " bytes: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return fail(ErrorCode::conflict, path + " exists and is not a socket");
    }
    if (auto removed = remove_left_behind(address); !removed) {
      return std::unexpected(std::move(removed.error()));
    }
  }
  UniqueFd socket(::socket(AF_UNIX, socket_flags, 0));
  if (!socket) return fail_errno("socket for unix:" + path, errno);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(socket.get(), generic, sizeof address) != 0) {
    return fail_errno("cannot listen on unix:" + path, errno);
  }
  // Who may connect is decided by the folder's permissions: a proxy runs as another user.
  ::chmod(path.c_str(), 0666);
  if (::listen(socket.get(), backlog) != 0) {
    return fail_errno("cannot listen on unix:" + path, errno);
  }
  return socket;
}

}  // namespace

Result<UniqueFd> open_listening_socket(const ListenTarget& target) {
  return target.is_unix() ? open_unix(target.unix_path)
                          : open_tcp(target, Sharing::with_our_workers);
}

Result<UniqueFd> copy_listening_socket(int descriptor) {
  UniqueFd copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (!copy) return fail_errno("another descriptor for " + listening_address(descriptor), errno);
  return copy;
}

Result<> check_address_is_free(const ListenTarget& target) {
  if (target.is_unix()) return {};  // opening it finds out
  const auto probe = open_tcp(target, Sharing::nobody);
  if (!probe) return std::unexpected(probe.error());
  return {};
}

std::uint16_t listening_port(int descriptor) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length);
  if (storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  }
  if (storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
  }
  return 0;
}

std::string listening_address(int descriptor) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* generic = reinterpret_cast<sockaddr*>(&storage);
  ::getsockname(descriptor, generic, &length);
  if (storage.ss_family == AF_UNIX) {
    return std::string("unix:") + reinterpret_cast<const sockaddr_un&>(storage).sun_path;
  }
  char host[NI_MAXHOST] = "";
  char port[NI_MAXSERV] = "";
  ::getnameinfo(generic, length, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
  const bool is_v6 = storage.ss_family == AF_INET6;
  return (is_v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

}  // namespace videosync
