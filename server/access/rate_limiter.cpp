#include "server/access/rate_limiter.h"

#include <algorithm>
#include <bit>

#include "core/base/assert.h"
#include "core/base/random.h"

namespace videosync {

namespace {

std::uint64_t random_seed() noexcept {
  std::array<std::uint8_t, 8> bytes{};
  fill_random(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

// A seeded mixer: every bit of the result hangs on every bit of the group and of the seed.
std::uint64_t mix(AddressGroup group, std::uint64_t seed) noexcept {
  std::uint64_t x = group.value ^ seed;
  for (int round = 0; round < 2; ++round) {
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    x = (x ^ (x >> 29)) + std::rotl(seed, 23);
  }
  return x ^ (x >> 32);
}

}  // namespace

RateLimiter::RateLimiter(const Options& options)
    : rate_{options.per_minute, options.burst, 60'000'000},
      seed_(random_seed()),
      rows_(std::max(shard_count, std::bit_ceil(options.groups_max / ways))) {
  VS_ASSERT(options.burst >= 1);
}

RateLimiter::Bucket& RateLimiter::find_or_replace(Row& row, AddressGroup group) noexcept {
  Bucket* fullest = row.buckets.data();
  for (Bucket& bucket : row.buckets) {
    if (bucket.group == group) return bucket;
    if (bucket.tokens.full_at_us() < fullest->tokens.full_at_us()) fullest = &bucket;
  }
  *fullest = Bucket{group, {}};
  return *fullest;
}

std::size_t RateLimiter::row_of(AddressGroup group) const noexcept {
  VS_ASSERT(group);
  return mix(group, seed_) & (rows_.size() - 1);
}

RateLimiter::Verdict RateLimiter::take(AddressGroup group, std::int64_t now_us) noexcept {
  if (rate_.events == 0) return {};
  const std::size_t row = row_of(group);
  const std::scoped_lock lock(mutexes_[row % shard_count]);
  TokenBucket& tokens = find_or_replace(rows_[row], group).tokens;
  if (tokens.take(rate_, now_us)) return {};
  const std::int64_t wait_us = tokens.wait_us(rate_, now_us);
  return {false, static_cast<std::uint32_t>((wait_us + 999'999) / 1'000'000)};
}

// Where its bucket has made room for another one meanwhile there is nothing to give back to.
void RateLimiter::give_back(AddressGroup group) noexcept {
  const std::size_t row = row_of(group);
  const std::scoped_lock lock(mutexes_[row % shard_count]);
  for (Bucket& bucket : rows_[row].buckets)
    if (bucket.group == group) bucket.tokens.give_back(rate_);
}

ConnectionCounter::ConnectionCounter(std::uint32_t per_group_max)
    : per_group_max_(per_group_max), seed_(random_seed()) {}

std::size_t ConnectionCounter::index_of(AddressGroup group) const noexcept {
  return mix(group, seed_) % shard_count;
}

bool ConnectionCounter::try_add(AddressGroup group) noexcept {
  VS_ASSERT(group);
  Shard& shard = shard_of(group);
  const std::scoped_lock lock(shard.mutex);
  std::uint32_t& count = shard.counts[group];
  if (per_group_max_ != 0 && count >= per_group_max_) return false;
  ++count;
  return true;
}

void ConnectionCounter::remove(AddressGroup group) noexcept {
  Shard& shard = shard_of(group);
  const std::scoped_lock lock(shard.mutex);
  const auto found = shard.counts.find(group);
  VS_ASSERT(found != shard.counts.end());
  if (--found->second == 0) shard.counts.erase(found);
}

std::size_t ConnectionCounter::groups() const noexcept {
  std::size_t total = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    total += shard.counts.size();
  }
  return total;
}

}  // namespace videosync
