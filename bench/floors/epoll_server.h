// EpollServer: the least that a server needs around the work whose cost a floor shows.
//
// Listens on loopback on a port of the kernel's choice and says so; accepts; calls its handler with
// what has been read, and again when a socket that had been full takes bytes. One thread, for ever.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace videosync::bench {

inline void check(bool is_well, const char* what) {
  if (is_well) return;
  std::perror(what);
  std::exit(1);
}

// Handler: on_accepted(int), on_received(int, std::string_view), on_writable(int), on_closed(int).
template <class Handler>
class EpollServer {
 public:
  explicit EpollServer(Handler& handler) : handler_(handler) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    check(listener_ >= 0, "socket");
    const int on = 1;
    ::setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    check(::bind(listener_, generic, length) == 0, "bind");
    check(::listen(listener_, 4096) == 0, "listen");
    check(::getsockname(listener_, generic, &length) == 0, "getsockname");
    watch(listener_, EPOLLIN);
    std::printf("listening on 127.0.0.1:%u\n", unsigned{ntohs(address.sin_port)});
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_) {
          accept_all();
        } else {
          if ((event.events & EPOLLOUT) != 0) handler_.on_writable(event.data.fd);
          if ((event.events & ~EPOLLOUT) != 0) read_from(event.data.fd);
        }
      }
    }
  }

 private:
  // Edge-triggered: a handler that finds a socket full simply waits for on_writable().
  void watch(int socket, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = socket;
    check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0, "epoll_ctl");
  }

  void accept_all() {
    int socket = -1;
    while ((socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      handler_.on_accepted(socket);
      watch(socket, EPOLLIN | EPOLLOUT | EPOLLET);
    }
  }

  void read_from(int socket) {
    ssize_t count = 0;
    while ((count = ::recv(socket, bytes_.data(), bytes_.size(), 0)) > 0) {
      handler_.on_received(socket, {bytes_.data(), static_cast<std::size_t>(count)});
      if (static_cast<std::size_t>(count) < bytes_.size()) return;  // the next edge tells of more
    }
    const bool has_ended = count == 0 || (errno != EAGAIN && errno != EINTR);
    if (!has_ended) return;
    handler_.on_closed(socket);
    ::close(socket);
  }

  Handler& handler_;
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  int listener_ = -1;
  std::array<char, 16 * 1024> bytes_;
};

}  // namespace videosync::bench
