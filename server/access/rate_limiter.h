// RateLimiter and ConnectionCounter: what one address may ask of us.
//
// Shared by all workers, one of each a process. Both are split into shards with a mutex each, held
// for well under a microsecond; they are asked when a connection is accepted, a session is made or
// a code is tried, never on the path of a message.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/base/token_bucket.h"
#include "server/access/ip_address.h"

namespace videosync {

// A token bucket an address group, in a table of fixed size. A group that finds its row full takes
// the place of the bucket that has refilled the most, so memory is bounded and what is forgotten
// is what mattered least.
class RateLimiter {
 public:
  struct Options {
    std::uint32_t per_minute = 10;  // 0: unlimited
    std::uint32_t burst = 30;       // at least 1
    std::size_t groups_max = 65'536;
  };
  struct Verdict {
    bool allowed = true;
    std::uint32_t retry_after_s = 0;  // at least 1 where refused
  };

  explicit RateLimiter(const Options& options);

  // `now_us` is monotonic. Takes a token where there is one.
  Verdict take(AddressGroup group, std::int64_t now_us) noexcept;
  // What was taken turned out not to count.
  void give_back(AddressGroup group) noexcept;

 private:
  static constexpr std::size_t ways = 8;

  struct Bucket {
    AddressGroup group;  // none: vacant
    TokenBucket tokens;
  };
  struct Row {
    std::array<Bucket, ways> buckets;
  };
  static constexpr std::size_t shard_count = 16;

  std::size_t row_of(AddressGroup group) const noexcept;
  Bucket& find_or_replace(Row& row, AddressGroup group) noexcept;

  const BucketRate rate_;
  const std::uint64_t seed_;  // so that nobody can aim at a row
  std::vector<Row> rows_;     // a power of two; row i belongs to shard i % shard_count
  std::array<std::mutex, shard_count> mutexes_;
};

// Open connections an address group. Holds an entry for a group only while it has one open, so the
// process's own limit of connections bounds the memory.
class ConnectionCounter {
 public:
  explicit ConnectionCounter(std::uint32_t per_group_max);

  // False where the group has its fill. A true is paid back by one remove().
  [[nodiscard]] bool try_add(AddressGroup group) noexcept;
  void remove(AddressGroup group) noexcept;

  // How many have a connection open.
  std::size_t groups() const noexcept;

 private:
  static constexpr std::size_t shard_count = 16;
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<AddressGroup, std::uint32_t> counts;  // every value is at least 1
  };

  Shard& shard_of(AddressGroup group) noexcept { return shards_[index_of(group)]; }
  std::size_t index_of(AddressGroup group) const noexcept;

  const std::uint32_t per_group_max_;  // 0: unlimited
  const std::uint64_t seed_;
  std::array<Shard, shard_count> shards_;
};

}  // namespace videosync
