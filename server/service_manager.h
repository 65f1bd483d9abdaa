// ServiceManager: tells whoever supervises this process how it is, as sd_notify(3) describes it: a
// datagram of lines NAME=VALUE to the Unix socket that NOTIFY_SOCKET names.
//
// It never waits: what the supervisor does not take at once is not said. Made in main before there
// are threads, used on the first worker's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/unique_fd.h"

namespace videosync {

class ServiceManager {
 public:
  // As NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say. They are taken out of the environment, so
  // that no child speaks for this process. Without the first all calls do nothing.
  static ServiceManager from_environment();

  // The first time: it serves. After tell_reloading(): it has reloaded.
  void tell_ready(std::string_view status) noexcept;
  // `now_us` of CLOCK_MONOTONIC.
  void tell_reloading(std::int64_t now_us) noexcept;
  // It is about to end, and may take so long.
  void tell_stopping(std::int64_t takes_us) noexcept;
  // A line for people, as `systemctl status` shows it.
  void tell_status(std::string_view status) noexcept;
  void feed_watchdog() noexcept;
  // It has reloaded, by another process, which is the one to watch from now on: this one says no
  // more.
  void tell_successor(pid_t successor) noexcept;
  // What that one needs, to be supervised as this one was: NAME=VALUE.
  const std::vector<std::string>& environment() const noexcept { return environment_; }

  // How often it has to be fed at least; nothing: it need not.
  std::optional<std::int64_t> watchdog_us() const noexcept { return watchdog_us_; }

 private:
  void tell(const std::string& lines) noexcept;

  UniqueFd socket_;  // none: nobody supervises
  std::vector<std::string> environment_;
  std::optional<std::int64_t> watchdog_us_;
};

}  // namespace videosync
