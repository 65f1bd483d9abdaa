// FdWatcher: readiness of one descriptor through the ring, for what brings its own reads and
// writes: signalfd, and client libraries with event hooks.
//
// The owner outlives the watcher's last completion: stop() and then wait for is_idle(), or keep it
// until the reactor has ended. One thread.
#pragma once

#include <poll.h>

#include <cstdint>

#include "core/reactor/operation.h"

namespace videosync {

class Ring;

class FdWatcher : private Operation {
 public:
  using Handler = void (*)(void* owner, std::uint32_t events) noexcept;

  FdWatcher(Ring& ring, int descriptor, Handler on_ready, void* owner) noexcept;
  ~FdWatcher();
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;

  // Watches for these poll(2) events until told otherwise; 0 rests. What cannot be watched is told
  // once, as POLLERR | POLLNVAL, and then rests.
  void watch(std::uint32_t events) noexcept;
  void stop() noexcept { watch(0); }
  bool is_idle() const noexcept { return !is_armed_; }

 private:
  void on_polled(const Completion& completion) noexcept;

  Ring& ring_;
  const int descriptor_;
  const Handler on_ready_;
  void* const owner_;
  std::uint32_t events_ = 0;
  std::uint32_t armed_events_ = 0;
  bool is_armed_ = false;  // true exactly from arming the poll to its completion
};

}  // namespace videosync
