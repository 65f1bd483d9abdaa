// Random: all the chance there is in a simulation, from one seed (splitmix64).
//
// Each part of a world has a stream of its own, forked by name, so that what one part draws does
// not move what another one draws: a plan with one action less meets much the same network. A
// value; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/base/assert.h"

namespace videosync::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15;
    return mix(state_);
  }

  // 0 to n - 1. REQUIRES n > 0.
  std::uint64_t below(std::uint64_t n) noexcept {
    VS_ASSERT(n > 0);
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }
  // Both ends included.
  std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    VS_ASSERT(low <= high);
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  bool chance(double probability) noexcept {
    return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
  }

  void fill(std::span<std::uint8_t> bytes) noexcept {
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      const std::uint64_t word = next();
      std::memcpy(bytes.data() + i, &word, bytes.size() - i < 8 ? bytes.size() - i : 8);
    }
  }

  // A stream of its own, the same for the same tag however much has been drawn here.
  Random fork(std::uint64_t tag) const noexcept { return Random(mix(origin_ ^ mix(tag + 1))); }

  static constexpr std::uint64_t mix(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
  std::uint64_t origin_ = state_;
};

}  // namespace videosync::sim
