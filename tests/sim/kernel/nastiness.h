// How nasty a seed's kernel is: each kind of fault is absent, rare or common.
#pragma once

#include "tests/sim/kernel/simulated_kernel.h"

namespace videosync::sim {

inline Nastiness make_nastiness(Random dice) noexcept {
  const auto rate = [&dice](double common) {
    const std::uint64_t kind = dice.below(3);
    return kind == 0 ? 0 : kind == 1 ? common / 10 : common;
  };
  return {
      .short_transfer = rate(0.5),
      .late = rate(0.5),
      .refused_entries = rate(0.2),
      .interrupted = rate(0.2),
      .ended_multishot = rate(0.3),
      .no_memory = rate(0.01),
      .no_buffers = rate(0.1),
      .no_descriptor = rate(0.2),
      .lost_wake = rate(0.2),
      .evicted = rate(0.1),
      .disk_fault = dice.chance(0.2) ? 0.02 : 0,
      .slow_disk = rate(0.1),
  };
}

}  // namespace videosync::sim
