// Histogram: how often which duration was seen, in constant memory.
//
// Log-linear: an octave has 128 steps, so a quantile is less than 1 % above the true one. Values
// are whole and not negative; the unit is the caller's.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/base/assert.h"

namespace videosync::bench {

class Histogram {
 public:
  void add(std::int64_t value) noexcept {
    VS_ASSERT(value >= 0);
    ++steps_[step_of(static_cast<std::uint64_t>(value))];
    ++count_;
    max_ = std::max(max_, value);
  }

  std::uint64_t count() const noexcept { return count_; }
  std::int64_t max() const noexcept { return max_; }

  // The least step's end that the share `q` (0 to 1) of the values does not exceed; 0 without any.
  std::int64_t quantile(double q) const noexcept {
    const auto wanted = static_cast<double>(count_) * q;
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step < steps_.size(); ++step) {
      seen += steps_[step];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return std::min(max_, end_of(step));
    }
    return max_;
  }

 private:
  static constexpr int step_bits = 7;
  static constexpr std::uint64_t steps_an_octave = 1 << step_bits;
  static constexpr std::size_t step_count = (64 - step_bits) * steps_an_octave;

  // Values below an octave's worth of steps have one each; from there on the top bits count.
  static std::size_t step_of(std::uint64_t value) noexcept {
    if (value < steps_an_octave) return value;
    const int shift = static_cast<int>(std::bit_width(value)) - 1 - step_bits;
    return (static_cast<std::size_t>(shift) << step_bits) + (value >> shift);
  }
  static std::int64_t end_of(std::size_t step) noexcept {
    if (step < 2 * steps_an_octave) return static_cast<std::int64_t>(step);
    const std::size_t shift = (step >> step_bits) - 1;
    const std::uint64_t top = step - (shift << step_bits);
    return static_cast<std::int64_t>(((top + 1) << shift) - 1);
  }

  std::array<std::uint64_t, step_count> steps_{};
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace videosync::bench
