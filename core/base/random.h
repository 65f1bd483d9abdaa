// Bytes from the kernel's random source (getrandom(2)): keys, tokens, jitter.
#pragma once

#include <sys/random.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/assert.h"

namespace videosync {

// Fills all of `out`. Never fails after the kernel's pool is seeded, which precedes any server.
inline void fill_random(std::span<std::uint8_t> out) noexcept {
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t n = ::getrandom(out.data() + filled, out.size() - filled, 0);
    VS_ASSERT(n > 0 || errno == EINTR);
    if (n > 0) filled += static_cast<std::size_t>(n);
  }
}

}  // namespace videosync
