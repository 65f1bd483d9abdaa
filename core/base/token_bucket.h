// TokenBucket: so many events in a time, with bursts. Eight bytes of state.
//
// Holds only the time at which the bucket would be full again (the generic cell rate algorithm):
// each event moves it one interval on, and an event is refused while it lies more than a burst
// ahead. The rate is the caller's, given with each question, so that many buckets can share one.
#pragma once

#include <algorithm>
#include <cstdint>

namespace videosync {

struct BucketRate {
  std::uint32_t events = 0;  // a period; 0: unlimited
  std::uint32_t burst = 1;   // at once; at least 1
  std::int64_t period_us = 1'000'000;

  std::int64_t interval_us() const noexcept {
    return std::max<std::int64_t>(1, period_us / events);
  }
};

class TokenBucket {
 public:
  // How long until an event is within the rate; 0: it is so at `now_us`.
  std::int64_t wait_us(BucketRate rate, std::int64_t now_us) const noexcept {
    if (rate.events == 0) return 0;
    const std::int64_t ahead_max_us =
        (std::int64_t{std::max(rate.burst, 1U)} - 1) * rate.interval_us();
    return std::max<std::int64_t>(0, std::max(full_at_us_, now_us) - now_us - ahead_max_us);
  }

  // True, and one token less, when an event at `now_us` is within the rate.
  bool take(BucketRate rate, std::int64_t now_us) noexcept {
    if (rate.events == 0) return true;
    if (wait_us(rate, now_us) > 0) return false;
    full_at_us_ = std::max(full_at_us_, now_us) + rate.interval_us();
    return true;
  }

  // One that was taken is not needed.
  void give_back(BucketRate rate) noexcept {
    if (rate.events > 0 && full_at_us_ != INT64_MIN) full_at_us_ -= rate.interval_us();
  }

  // From then on it is full; INT64_MIN: it always was.
  std::int64_t full_at_us() const noexcept { return full_at_us_; }

 private:
  std::int64_t full_at_us_ = INT64_MIN;
};

}  // namespace videosync
