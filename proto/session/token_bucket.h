// TokenBucket: so many events a second, with bursts. Eight bytes of state.
//
// Holds only the time at which the bucket would be full again (the generic cell rate algorithm):
// each event moves it one interval on, and an event is refused while it lies more than a burst
// ahead. The rate is the caller's, given with each question, so that many buckets can share one.
#pragma once

#include <algorithm>
#include <cstdint>

namespace videosync {

struct BucketRate {
  std::uint32_t per_second = 0;  // 0: unlimited
  std::uint32_t burst = 1;
};

class TokenBucket {
 public:
  // True, and one token less, when an event at `now_us` is within the rate.
  bool take(BucketRate rate, std::int64_t now_us) noexcept {
    if (rate.per_second == 0) return true;
    const std::int64_t interval_us = std::max<std::int64_t>(1, 1'000'000 / rate.per_second);
    const std::int64_t full_at_us = std::max(full_at_us_, now_us);
    const std::int64_t ahead_max_us = (std::int64_t{std::max(rate.burst, 1U)} - 1) * interval_us;
    if (full_at_us - now_us > ahead_max_us) return false;
    full_at_us_ = full_at_us + interval_us;
    return true;
  }

 private:
  std::int64_t full_at_us_ = INT64_MIN;
};

}  // namespace videosync
