// How the process ends where it cannot go on: the statuses, and the line on stderr that says why.
#pragma once

#include <csignal>
#include <string>

#include "core/base/log.h"

namespace videosync {

inline constexpr int exit_bad_config = 1;
inline constexpr int exit_unfit_machine = 2;
inline constexpr int exit_forced = 128 + SIGTERM;

// Any thread's. Returns `status`, for `return complain(...)`.
inline int complain(int status, const std::string& message) {
  write_log_text("videosync: " + message + "\n");
  return status;
}

}  // namespace videosync
