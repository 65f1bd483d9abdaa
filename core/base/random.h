// Bytes from the kernel's random source: keys, tokens, jitter.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/kernel/kernel.h"

namespace videosync {

// From the kernel, each time.
inline void fill_random_by_kernel(std::span<std::uint8_t> out) noexcept {
  std::size_t filled = 0;
  while (filled < out.size())
    filled += kernel::get_random(out.subspan(filled));
}

// Fills all of `out`. The kernel is asked for many at once, since each who comes needs some: a
// thread keeps what is left, and forgets what it has given. A forked child has the same ones.
inline void fill_random(std::span<std::uint8_t> out) noexcept {
  thread_local std::array<std::uint8_t, 512> kept;
  thread_local std::size_t left = 0;
  if (out.size() > kept.size()) return fill_random_by_kernel(out);
  if (left < out.size()) {
    fill_random_by_kernel(kept);
    left = kept.size();
  }
  const auto given = std::span(kept).subspan(left - out.size(), out.size());
  std::ranges::copy(given, out.begin());
  std::ranges::fill(given, 0);
  left -= out.size();
}

}  // namespace videosync
