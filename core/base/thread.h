// start_thread: a thread, or why there is none. std::jthread throws where the system has no more.
#pragma once

#include <system_error>
#include <thread>
#include <utility>

#include "core/base/error.h"

namespace videosync {

// Runs `work` on a thread of its own. Errors: io (a limit of threads or of memory is reached).
template <class Work>
Result<std::jthread> start_thread(Work&& work) {
  try {
    return std::jthread(std::forward<Work>(work));
  } catch (const std::system_error& error) {
    return fail_errno("starting a thread (raise `ulimit -u` or the service's TasksMax)",
                      error.code().value());
  }
}

}  // namespace videosync
