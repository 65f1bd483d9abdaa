// start_thread: a thread, or why there is none. std::jthread throws where the system has no more.
#pragma once

#include <sys/prctl.h>

#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

#include "core/base/error.h"

namespace videosync {

// Runs `work` (with the thread's std::stop_token, if it takes one) on a thread of its own, which
// `top -H` and debuggers show by `name`: 15 bytes of it. Errors: io (a limit of threads or of
// memory is reached).
template <class Work>
Result<std::jthread> start_thread(std::string name, Work&& work) {
  try {
    return std::jthread([name = std::move(name), work = std::forward<Work>(work)](
                            [[maybe_unused]] const std::stop_token& stop) mutable {
      ::prctl(PR_SET_NAME, name.c_str());
      if constexpr (std::is_invocable_v<Work&, const std::stop_token&>) {
        work(stop);
      } else {
        work();
      }
    });
  } catch (const std::system_error& error) {
    return fail_errno("starting a thread (raise `ulimit -u` or the service's TasksMax)",
                      error.code().value());
  }
}

}  // namespace videosync
