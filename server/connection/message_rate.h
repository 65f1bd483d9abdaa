// MessageRate: whether one member's message is within its rate, and when it has gone too far.
//
// Sixteen bytes in the member's connection; one thread. A refused message is answered with
// `rate_limited`. Refusals have a bucket of their own, of the same rate and five times the burst:
// who empties it as well is closed with 4008. Counting refusals in a row would not do: between two
// messages that pass, a flood of 500 a second is refused only 24 times.
#pragma once

#include <cstdint>

#include "core/base/token_bucket.h"

namespace videosync {

class MessageRate {
 public:
  enum class Verdict : std::uint8_t { pass, refuse, close };

  // `now_us` is monotonic.
  Verdict judge(BucketRate rate, std::int64_t now_us) noexcept {
    if (messages_.take(rate, now_us)) return Verdict::pass;
    rate.burst *= refusal_burst_factor;
    return refusals_.take(rate, now_us) ? Verdict::refuse : Verdict::close;
  }

 private:
  static constexpr std::uint32_t refusal_burst_factor = 5;

  TokenBucket messages_;
  TokenBucket refusals_;
};

}  // namespace videosync
