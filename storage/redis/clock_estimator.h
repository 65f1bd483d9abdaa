// ClockEstimator: how far another clock is ahead of ours, from questions and answers. Pure.
//
// Whoever asks the other clock at `asked_us` and has its answer at `answered_us` (both by our
// clock) knows that it was read in between: the offset lies within half the round trip of what the
// middle says. Of the latest 16 samples the one with the least uncertainty counts, its age
// included, for two crystals drift apart by up to drift_ppm. A sample that cannot be reconciled
// with the best one tells that the other clock was set: then only the new one counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace videosync {

struct TimeSample {
  std::int64_t asked_us;
  std::int64_t answered_us;
  std::int64_t remote_us;  // by the other clock
};

class ClockEstimator {
 public:
  static constexpr std::int64_t drift_ppm = 100;

  struct Estimate {
    std::int64_t offset_us;  // the other clock minus ours
    std::int64_t error_us;   // at most, from the time of asking
  };

  // What one sample says.
  static Estimate estimate(const TimeSample& sample) noexcept {
    return {sample.remote_us - midpoint(sample), half_trip(sample)};
  }

  void add(const TimeSample& sample) noexcept {
    const std::int64_t now_us = sample.answered_us;
    const Estimate alone = estimate(sample);
    const Kept fresh{alone.offset_us, alone.error_us, now_us};
    if (count_ > 0) {
      const Estimate known = at(now_us);
      const std::int64_t apart_us = fresh.offset_us - known.offset_us;
      if (magnitude(apart_us) > known.error_us + fresh.error_us) forget();
    }
    samples_[next_] = fresh;
    next_ = (next_ + 1) % samples_.size();
    if (count_ < samples_.size()) ++count_;
  }

  void forget() noexcept {
    count_ = 0;
    next_ = 0;
  }

  // REQUIRES: not empty.
  Estimate at(std::int64_t now_us) const noexcept {
    Estimate best{0, INT64_MAX};
    for (std::size_t i = 0; i < count_; ++i) {
      const Kept& kept = samples_[i];
      const std::int64_t error_us =
          kept.error_us + (now_us - kept.taken_us) * drift_ppm / 1'000'000;
      if (error_us < best.error_us) best = {kept.offset_us, error_us};
    }
    return best;
  }

 private:
  struct Kept {
    std::int64_t offset_us;
    std::int64_t error_us;  // when it was taken
    std::int64_t taken_us;
  };

  static std::int64_t magnitude(std::int64_t value) noexcept { return value < 0 ? -value : value; }
  static std::int64_t midpoint(const TimeSample& sample) noexcept {
    return sample.asked_us + (sample.answered_us - sample.asked_us) / 2;
  }
  // Rounded up, and one for the other clock's own microsecond.
  static std::int64_t half_trip(const TimeSample& sample) noexcept {
    return (sample.answered_us - sample.asked_us) / 2 + 2;
  }

  std::array<Kept, 16> samples_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace videosync
