// EndGuard: ends the process where its orderly end does not come, because a thread waits in the
// kernel for storage that hangs. For Program; one a process.
//
// Nothing is lost by it: what has to be said has been said by then.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "core/base/log.h"
#include "core/base/thread.h"

namespace videosync {

class EndGuard {
 public:
  // Once: the process ends with `status` after `limit`, unless the guard goes before that.
  void arm(std::chrono::microseconds limit, int status) {
    auto thread = start_thread("end guard", [limit, status](const std::stop_token& stop) {
      std::mutex mutex;
      std::condition_variable_any never;
      std::unique_lock lock(mutex);
      never.wait_for(lock, stop, limit, [] { return false; });
      if (stop.stop_requested()) return;
      log_warn("main", "ending although something, probably storage, still hangs");
      flush_log();
      std::fflush(nullptr);
      std::_Exit(status);
    });
    if (thread) {
      thread_ = std::move(*thread);
    } else {
      log_warn("main", "an end that hangs will not be noticed",
               field("why", thread.error().message));
    }
  }

 private:
  std::jthread thread_;
};

}  // namespace videosync
