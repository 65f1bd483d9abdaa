// RedisBackoff: how long to wait before the next attempt at a connection. Twice as long with every
// failure, between two bounds, and each from half to one and a half of that, so that nodes which a
// server has lost at once do not come back at once. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/random.h"

namespace videosync {

class RedisBackoff {
 public:
  RedisBackoff(std::int64_t min_ms, std::int64_t max_ms) noexcept
      : min_ms_(min_ms), max_ms_(max_ms) {}

  // After another failure.
  std::int64_t next_ms() noexcept {
    present_ms_ = std::clamp(present_ms_ * 2, min_ms_, max_ms_);
    std::array<std::uint8_t, 2> bytes;
    fill_random(bytes);
    return present_ms_ / 2 + present_ms_ * (bytes[0] << 8 | bytes[1]) / 65'536;
  }
  void reset() noexcept { present_ms_ = 0; }

 private:
  const std::int64_t min_ms_;
  const std::int64_t max_ms_;
  std::int64_t present_ms_ = 0;  // 0: no failure since the latest success
};

}  // namespace videosync
