// Standstill: workers stand still while the first one does what none of them may change meanwhile.
//
// Each of the others holds at the end of one of its turns, until the first lets them go on; who
// comes too late for that is not held. begin(), held() and end() are the first's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "core/base/assert.h"

namespace videosync {

class Standstill {
 public:
  // Which one it is: for hold().
  std::uint64_t begin() {
    const std::lock_guard lock(mutex_);
    VS_ASSERT(held_ == 0 && !is_over_);
    return ++begun_;
  }

  bool is_begun() {
    const std::lock_guard lock(mutex_);
    return ended_ < begun_;
  }

  std::size_t held() {
    const std::lock_guard lock(mutex_);
    return held_;
  }

  // All that hold go on. `is_over`: what they had is no longer theirs.
  void end(bool is_over) {
    const std::lock_guard lock(mutex_);
    VS_ASSERT(ended_ < begun_);
    ended_ = begun_;
    held_ = 0;
    is_over_ = is_over;
    wake_.notify_all();
  }

  // Waits until that one has ended. What end() was told.
  bool hold(std::uint64_t which) {
    std::unique_lock lock(mutex_);
    if (ended_ < which) ++held_;
    wake_.wait(lock, [&] { return ended_ >= which; });
    return is_over_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::size_t held_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  bool is_over_ = false;
};

}  // namespace videosync
