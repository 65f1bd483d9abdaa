// Pulse: when each worker's loop came round last, for whoever asks whether they all still do.
//
// Each worker beats for itself, once a second; any thread may look. Times are of one monotonic
// clock, in microseconds.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/assert.h"

namespace videosync {

class Pulse {
 public:
  // A loop that has not come round for so long stands still: it is called on once a second, and
  // waits for nothing that takes long.
  static constexpr std::int64_t still_us = 5'000'000;

  struct Silence {
    std::size_t worker = 0;
    std::int64_t us = 0;
    bool is_still() const noexcept { return us > still_us; }
  };

  // All of them count as having beaten now.
  Pulse(std::size_t workers, std::int64_t now_us) : beats_(workers) {
    for (Beat& beat : beats_)
      beat.at_us.store(now_us, std::memory_order_relaxed);
  }

  void beat(std::size_t worker, std::int64_t now_us) noexcept {
    VS_ASSERT(worker < beats_.size());
    beats_[worker].at_us.store(now_us, std::memory_order_relaxed);
  }

  // Whose is the longest, and how long it is.
  Silence longest(std::int64_t now_us) const noexcept {
    Silence longest;
    for (std::size_t i = 0; i < beats_.size(); ++i) {
      const std::int64_t silent_us = now_us - beats_[i].at_us.load(std::memory_order_relaxed);
      if (silent_us > longest.us) longest = {i, silent_us};
    }
    return longest;
  }

 private:
  struct alignas(64) Beat {
    std::atomic<std::int64_t> at_us;
  };
  std::vector<Beat> beats_;
};

}  // namespace videosync
