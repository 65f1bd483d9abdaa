// StoreClock: a clock that follows the time that all nodes of a store share, for all threads.
//
// server_us() is a chain of straight segments over the local monotonic clock, each with a slope
// close to 1. A new estimate does not move it at once: the next segment is a little faster or
// slower until the difference is used up, which takes about two seconds, but by 2 % at most. So a
// reader never sees it step or run backwards. Only the first estimate sets it outright: before that
// it is the machine's own, and nobody may be told it.
// monotonic_us() is the local clock's own.
//
// Any thread reads, without a lock: segments are published in a circle, and each begins lead_us
// after its publication, so that readers of the old one and of the new one agree on every instant.
// (Were the writer stopped for longer than lead_us right before publishing, readers could differ by
// 4 % of the excess.) One thread calls follow(). `local` outlives the clock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "storage/redis/clock_estimator.h"

namespace videosync {

class StoreClock final : public Clock {
 public:
  explicit StoreClock(const Clock& local) noexcept;

  std::int64_t monotonic_us() const noexcept override { return local_.monotonic_us(); }
  std::int64_t server_us() const noexcept override;

  // Of the writer's thread: the shared time minus the local monotonic one, as known now.
  void follow(const ClockEstimator::Estimate& estimate) noexcept;

  // How far server_us() may be off the shared time, at most; grows with the time since the last
  // estimate. INT64_MAX: none yet. Any thread.
  std::int64_t error_bound_us() const noexcept;
  // The latest estimate's; 0: none yet. Any thread.
  std::int64_t offset_us() const noexcept { return offset_us_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t lead_us = 100'000;
  static constexpr std::int64_t spacing_us = 20'000;  // of segments: few begin within lead_us
  static constexpr std::int64_t catch_up_s = 2;
  static constexpr std::int64_t pace_min_ppm = 500;
  static constexpr std::int64_t pace_max_ppm = 20'000;
  static constexpr std::size_t kept = 16;

  // server = server_us + elapsed + elapsed * ppm, the last until slew_us have passed.
  struct Segment {
    std::int64_t begins_us = 0;  // by the local monotonic clock
    std::int64_t server_us = 0;
    std::int64_t ppm = 0;
    std::int64_t slew_us = 0;

    std::int64_t at(std::int64_t monotonic_us) const noexcept;
  };
  struct SharedSegment {
    std::atomic<std::int64_t> begins_us{0};
    std::atomic<std::int64_t> server_us{0};
    std::atomic<std::int64_t> ppm{0};
    std::atomic<std::int64_t> slew_us{0};
  };

  std::int64_t read_at(std::int64_t monotonic_us) const noexcept;
  Segment segment(std::uint64_t number) const noexcept;
  void publish(const Segment& segment) noexcept;
  void steer_to(std::int64_t offset_us, std::int64_t now_us) noexcept;

  const Clock& local_;
  std::int64_t steered_us_ = 0;  // the writer's: when it published last
  std::array<SharedSegment, kept> segments_;
  std::atomic<std::uint64_t> newest_{0};  // number of the segment published last
  std::atomic<std::int64_t> offset_us_{0};
  std::atomic<std::int64_t> error_us_{INT64_MAX};  // of the estimate, when it was made
  std::atomic<std::int64_t> estimated_us_{0};      // when that was
};

}  // namespace videosync
