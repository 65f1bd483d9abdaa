// BreakOff: when long work is to be given up: once its stop is requested, or from a moment on.
// Whoever waits looks every 100 ms or so. A value; any thread's, as std::stop_token.
#pragma once

#include <chrono>
#include <stop_token>
#include <utility>

namespace videosync {

class BreakOff {
 public:
  using Clock = std::chrono::steady_clock;

  BreakOff() noexcept = default;  // never
  // NOLINTNEXTLINE(google-explicit-constructor): who has a stop and no moment gives that
  BreakOff(std::stop_token stop, Clock::time_point from = Clock::time_point::max()) noexcept
      : stop_(std::move(stop)), from_(from) {}

  bool is_due() const noexcept { return stop_.stop_requested() || Clock::now() >= from_; }

 private:
  std::stop_token stop_;
  Clock::time_point from_ = Clock::time_point::max();
};

}  // namespace videosync
