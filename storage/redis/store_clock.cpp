#include "storage/redis/store_clock.h"

#include <algorithm>

namespace videosync {

namespace {

std::int64_t magnitude(std::int64_t value) noexcept {
  return value < 0 ? -value : value;
}

}  // namespace

std::int64_t StoreClock::Segment::at(std::int64_t monotonic_us) const noexcept {
  const std::int64_t elapsed_us = monotonic_us - begins_us;
  const std::int64_t slewed_us = std::clamp<std::int64_t>(elapsed_us, 0, slew_us);
  return server_us + elapsed_us + slewed_us * ppm / 1'000'000;
}

StoreClock::StoreClock(const Clock& local) noexcept : local_(local) {
  const std::int64_t now_us = local.monotonic_us();
  const std::int64_t offset_us = local.server_us() - now_us;
  // Both of the first two numbers: who looks for a predecessor finds the same line.
  publish({now_us, now_us + offset_us, 0, 0});
  publish({now_us, now_us + offset_us, 0, 0});
}

// --- Readers -------------------------------------------------------------------------------------

std::int64_t StoreClock::server_us() const noexcept {
  return read_at(local_.monotonic_us());
}

// A segment's numbers are whole as long as fewer than `kept` were published since it was found the
// newest; the writer makes one in 20 ms, so the loop turns once but for a reader that was stopped.
std::int64_t StoreClock::read_at(std::int64_t monotonic_us) const noexcept {
  for (;;) {
    const std::uint64_t newest = newest_.load(std::memory_order_acquire);
    Segment found = segment(newest);
    for (std::uint64_t back = 1; back < kept / 2 && monotonic_us < found.begins_us; ++back) {
      if (back >= newest) break;
      found = segment(newest - back);
    }
    if (newest_.load(std::memory_order_relaxed) - newest < kept / 2) return found.at(monotonic_us);
  }
}

// Acquired: whoever sees a field of a later segment also sees how far newest_ had come before it.
StoreClock::Segment StoreClock::segment(std::uint64_t number) const noexcept {
  const SharedSegment& shared = segments_[number % kept];
  return {shared.begins_us.load(std::memory_order_acquire),
          shared.server_us.load(std::memory_order_acquire),
          shared.ppm.load(std::memory_order_acquire),
          shared.slew_us.load(std::memory_order_acquire)};
}

std::int64_t StoreClock::error_bound_us() const noexcept {
  const std::int64_t error_us = error_us_.load(std::memory_order_relaxed);
  if (error_us == INT64_MAX) return INT64_MAX;
  const std::int64_t now_us = local_.monotonic_us();
  const std::int64_t age_us = now_us - estimated_us_.load(std::memory_order_relaxed);
  const std::int64_t still_to_slew_us = offset_us() + now_us - read_at(now_us);
  return error_us + age_us * ClockEstimator::drift_ppm / 1'000'000 + magnitude(still_to_slew_us);
}

// --- The writer ----------------------------------------------------------------------------------

void StoreClock::publish(const Segment& segment) noexcept {
  const std::uint64_t number = newest_.load(std::memory_order_relaxed) + 1;
  SharedSegment& shared = segments_[number % kept];
  shared.begins_us.store(segment.begins_us, std::memory_order_release);
  shared.server_us.store(segment.server_us, std::memory_order_release);
  shared.ppm.store(segment.ppm, std::memory_order_release);
  shared.slew_us.store(segment.slew_us, std::memory_order_release);
  newest_.store(number, std::memory_order_release);
}

void StoreClock::follow(const ClockEstimator::Estimate& estimate) noexcept {
  const std::int64_t now_us = local_.monotonic_us();
  const bool is_first = error_us_.load(std::memory_order_relaxed) == INT64_MAX;
  if (is_first) {
    publish({now_us, now_us + estimate.offset_us, 0, 0});
  } else if (now_us - steered_us_ >= spacing_us) {
    steer_to(estimate.offset_us, now_us);
    steered_us_ = now_us;
  }
  offset_us_.store(estimate.offset_us, std::memory_order_relaxed);
  estimated_us_.store(now_us, std::memory_order_relaxed);
  error_us_.store(estimate.error_us, std::memory_order_relaxed);
}

void StoreClock::steer_to(std::int64_t offset_us, std::int64_t now_us) noexcept {
  const std::int64_t begins_us = now_us + lead_us;
  const std::int64_t server_us = read_at(begins_us);
  const std::int64_t error_us = begins_us + offset_us - server_us;
  const std::int64_t pace_ppm =
      std::clamp(magnitude(error_us) / catch_up_s, pace_min_ppm, pace_max_ppm);
  publish({begins_us, server_us, error_us < 0 ? -pace_ppm : pace_ppm,
           magnitude(error_us) * 1'000'000 / pace_ppm});
}

}  // namespace videosync
