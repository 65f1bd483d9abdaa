// StoreClock: a clock that follows the store's, so that all nodes tell their members one time.
//
// server_us() is a chain of straight segments over the local monotonic clock, each with a slope
// close to 1. A new estimate does not move it at once: the next segment is a little faster or
// slower until the difference is used up, by 500 ppm, or by 2 % where it is above 50 ms. So a
// reader never sees it step or run backwards. Only before anybody has read it, it is set outright.
// monotonic_us() is the local clock's own.
//
// Any thread reads, without a lock: segments are published in a circle, and each begins lead_us
// after its publication, so that readers of the old one and of the new one agree on every instant.
// (Were the writer stopped for longer than lead_us right before publishing, readers could differ by
// 4 % of the excess.) One thread adds samples. `local` outlives the clock.
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

  // Of the writer's thread. Sample times are those of the local monotonic clock.
  void add_sample(const TimeSample& sample) noexcept;
  // The samples were of another clock than the next ones will be.
  void forget_samples() noexcept { estimator_.forget(); }

  // How far server_us() may be off the store's clock, at most, as long as that runs true; grows
  // with the time since the last sample. INT64_MAX: no sample yet. Any thread.
  std::int64_t error_bound_us() const noexcept;
  // The store's clock minus ours, as estimated last; 0: no sample yet. Any thread.
  std::int64_t offset_us() const noexcept { return offset_us_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t lead_us = 100'000;
  static constexpr std::int64_t small_error_us = 50'000;
  static constexpr std::int64_t slow_ppm = 500;
  static constexpr std::int64_t fast_ppm = 20'000;
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
  enum class Phase : std::uint8_t { unread, setting, read };

  void mark_read() const noexcept;
  std::int64_t read_at(std::int64_t monotonic_us) const noexcept;
  Segment segment(std::uint64_t number) const noexcept;
  void publish(const Segment& segment) noexcept;
  void steer_to(std::int64_t offset_us, std::int64_t now_us) noexcept;

  const Clock& local_;
  ClockEstimator estimator_;  // the writer's
  std::array<SharedSegment, kept> segments_;
  std::atomic<std::uint64_t> newest_{0};  // number of the segment published last
  mutable std::atomic<Phase> phase_{Phase::unread};
  std::atomic<std::int64_t> offset_us_{0};
  std::atomic<std::int64_t> error_us_{INT64_MAX};  // of the estimate, when it was made
  std::atomic<std::int64_t> estimated_us_{0};      // when that was
};

}  // namespace videosync
