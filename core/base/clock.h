// Clock: where time comes from. Injected, so that tests decide what time it is (tests/support has
// a ManualClock).
//
// monotonic_us: microseconds since an arbitrary start, never backwards; for durations and timers.
// server_us: microseconds since the Unix epoch, never backwards; the time that clients are told.
// Any thread may read a SystemClock.
#pragma once

#include <time.h>

#include <cstdint>

#include "core/kernel/kernel.h"

namespace videosync {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t monotonic_us() const noexcept = 0;
  virtual std::int64_t server_us() const noexcept = 0;
};

// The wall clock is read once, at construction; from then on server time advances with the
// monotonic clock, so an operator who sets the machine's clock does not move anybody's playback.
class SystemClock final : public Clock {
 public:
  SystemClock() noexcept
      : SystemClock(kernel::read_clock_us(CLOCK_REALTIME) -
                    kernel::read_clock_us(CLOCK_MONOTONIC)) {}
  // Of another process of this machine, since it was started: goes on as that one's.
  explicit SystemClock(std::int64_t wall_offset_us) noexcept : wall_offset_us_(wall_offset_us) {}

  std::int64_t wall_offset_us() const noexcept { return wall_offset_us_; }

  std::int64_t monotonic_us() const noexcept override {
    return kernel::read_clock_us(CLOCK_MONOTONIC);
  }
  std::int64_t server_us() const noexcept override { return monotonic_us() + wall_offset_us_; }

 private:
  const std::int64_t wall_offset_us_;
};

}  // namespace videosync
