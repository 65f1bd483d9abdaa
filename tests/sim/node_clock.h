// NodeClock: what one node takes the time to be.
//
// Its monotonic clock began somewhere and runs a little fast or slow; its server time is the true
// one, but for an error that moves slowly, as a real node's does after its last look at the store's
// clock. A node that is suspended may find that its monotonic clock stood still. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/clock.h"
#include "tests/sim/scheduler.h"

namespace videosync::sim {

class NodeClock final : public Clock {
 public:
  static constexpr std::int64_t epoch_us = 1'700'000'000'000'000;  // server time as a run begins

  NodeClock(const Scheduler& scheduler, std::int64_t start_us) noexcept
      : scheduler_(scheduler), base_us_(start_us) {}

  std::int64_t monotonic_us() const noexcept override {
    const std::int64_t elapsed_us = scheduler_.now_us() - since_us_;
    return base_us_ + elapsed_us + elapsed_us * drift_ppm_ / 1'000'000;
  }
  // The error reaches its new value at no more than one part in a thousand.
  std::int64_t server_us() const noexcept override {
    const std::int64_t moved_us = (scheduler_.now_us() - error_since_us_) / 1'000;
    const std::int64_t way_us = error_us_ - error_before_us_;
    return epoch_us + scheduler_.now_us() + error_before_us_ +
           std::clamp(way_us, -moved_us, moved_us);
  }

  // When monotonic_us() will be that, at the earliest.
  std::int64_t when(std::int64_t monotonic_us) const noexcept {
    const std::int64_t wait_us = monotonic_us - base_us_;
    return since_us_ + wait_us - wait_us * drift_ppm_ / (1'000'000 + drift_ppm_) + 1;
  }

  void set_drift_ppm(std::int64_t ppm) noexcept {
    base_us_ = monotonic_us();
    since_us_ = scheduler_.now_us();
    drift_ppm_ = ppm;
  }
  void set_error_us(std::int64_t us) noexcept {
    error_before_us_ = server_us() - epoch_us - scheduler_.now_us();
    error_since_us_ = scheduler_.now_us();
    error_us_ = us;
  }
  // Forwards at once: a fault that no node should have.
  void step_server_us(std::int64_t us) noexcept {
    error_before_us_ += us;
    error_us_ += us;
  }

 private:
  const Scheduler& scheduler_;
  std::int64_t base_us_;
  std::int64_t since_us_ = 0;
  std::int64_t drift_ppm_ = 0;
  std::int64_t error_before_us_ = 0;
  std::int64_t error_us_ = 0;
  std::int64_t error_since_us_ = 0;
};

}  // namespace videosync::sim
