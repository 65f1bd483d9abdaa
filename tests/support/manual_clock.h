// ManualClock: the test says what time it is. One thread.
#pragma once

#include <cstdint>

#include "core/base/clock.h"

namespace videosync::test {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t server_start_us = 1'700'000'000'000'000) noexcept
      : server_start_us_(server_start_us) {}

  std::int64_t monotonic_us() const noexcept override { return elapsed_us_; }
  std::int64_t server_us() const noexcept override { return server_start_us_ + elapsed_us_; }
  void advance_us(std::int64_t us) noexcept { elapsed_us_ += us; }

 private:
  std::int64_t server_start_us_;
  std::int64_t elapsed_us_ = 0;
};

}  // namespace videosync::test
