// Listener: one listening socket on one reactor, by a multishot accept.
//
// Back-pressure: pause() leaves newcomers in the kernel's backlog. When descriptors or memory run
// out it rests and tries again after `rest_ms`, instead of failing in a busy loop. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/unique_fd.h"
#include "core/reactor/operation.h"
#include "core/reactor/timer_wheel.h"

namespace videosync {

class Reactor;

// Where to listen: a host name or address with a port (0: any free one), or a unix socket's path.
struct ListenTarget {
  std::string host;
  std::uint16_t port = 0;
  std::string unix_path;  // non-empty: the others do not count

  bool is_unix() const noexcept { return !unix_path.empty(); }
};

// How long the kernel keeps a TCP connection that says nothing before it is accepted.
inline constexpr std::int64_t accept_silence_ms = 1'000;

// A listening, non-blocking descriptor. TCP ones have SO_REUSEPORT, so that every worker may have
// its own, and TCP_NODELAY, which accepted sockets inherit; a connection is accepted when its first
// bytes are there, or after `accept_silence_ms` (TCP_DEFER_ACCEPT). A unix socket left behind by a
// dead process is replaced; one that still answers is an error.
Result<UniqueFd> open_listening_socket(const ListenTarget& target);
// Another descriptor of the same socket, for another worker: a unix path has only one.
Result<UniqueFd> copy_listening_socket(int descriptor);
// Whether nobody listens there yet: with SO_REUSEPORT a second process would silently share.
Result<> check_address_is_free(const ListenTarget& target);
// What was bound, with the real port: "127.0.0.1:8080", "[::1]:8080" or "unix:/path".
std::string listening_address(int descriptor);
std::uint16_t listening_port(int descriptor);

class Listener : private Operation {
 public:
  static constexpr std::int64_t rest_ms = 100;

  using Handler = void (*)(void* owner, UniqueFd accepted) noexcept;

  Listener(Reactor& reactor, UniqueFd descriptor, Handler on_accepted, void* owner) noexcept;
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void resume() noexcept;
  void pause() noexcept;
  // For good; the descriptor is closed when the kernel has let go of it.
  void close() noexcept;
  bool is_idle() const noexcept { return !is_armed_; }
  // How often descriptors or memory ran out since the last call.
  std::uint64_t take_exhaustions() noexcept { return std::exchange(exhaustions_, 0); }

 private:
  void on_accept(const Completion& completion) noexcept;
  void arm() noexcept;
  void settle() noexcept;

  Reactor& reactor_;
  UniqueFd descriptor_;
  const Handler on_accepted_;
  void* const owner_;
  TimerEntry rest_;
  bool is_armed_ = false;  // true exactly from arming the accept to its last completion
  bool wants_more_ = false;
  bool is_closing_ = false;
  std::uint64_t exhaustions_ = 0;  // not yet taken
};

}  // namespace videosync
