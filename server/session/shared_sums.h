// SharedSums: what a worker takes this node and another one to share, in a form that is quick to
// compare: of each session that is at home on the one of them and has members on the other a hash
// of what both must agree on, added up by the first bits of its key. A value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/uuid.h"

namespace videosync {

struct SharedSums {
  static constexpr std::size_t buckets = 64;
  using Sums = std::array<std::uint64_t, buckets>;

  static std::size_t bucket_of(const Uuid& key) noexcept { return key.bytes[0] % buckets; }

  Uuid node;             // the other one
  bool is_home = false;  // the sessions are at home here
  Sums sums{};
};

}  // namespace videosync
