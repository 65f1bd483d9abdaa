#include "proto/session/round_trips.h"

#include <algorithm>
#include <cmath>

#include "core/base/assert.h"

namespace videosync {

std::size_t RoundTrips::bucket_for(float rtt_ms) noexcept {
  if (rtt_ms < fine_end_ms) return static_cast<std::size_t>(rtt_ms / fine_width_ms);
  const float coarse = (std::min(rtt_ms, value_max_ms) - fine_end_ms) / coarse_width_ms;
  return std::min(fine_count + static_cast<std::size_t>(coarse), fine_count + coarse_count - 1);
}

std::uint32_t RoundTrips::tenths_for(float rtt_ms) noexcept {
  return static_cast<std::uint32_t>(std::lround(std::min(rtt_ms, value_max_ms) * 10));
}

void RoundTrips::add(float rtt_ms) {
  VS_ASSERT(rtt_ms >= 0);
  if (rtt_ms == 0) return;
  if (!buckets_) buckets_ = std::make_unique<std::array<Bucket, fine_count + coarse_count>>();
  Bucket& bucket = (*buckets_)[bucket_for(rtt_ms)];
  ++bucket.count;
  bucket.sum_tenths_ms += tenths_for(rtt_ms);
  ++count_;
  VS_ASSERT(bucket.count <= count_);
}

void RoundTrips::remove(float rtt_ms) {
  if (rtt_ms == 0) return;
  VS_ASSERT(buckets_);
  VS_ASSERT(count_ > 0);
  Bucket& bucket = (*buckets_)[bucket_for(rtt_ms)];
  VS_ASSERT(bucket.count > 0);
  VS_ASSERT(bucket.sum_tenths_ms >= tenths_for(rtt_ms));
  --bucket.count;
  bucket.sum_tenths_ms -= tenths_for(rtt_ms);
  if (--count_ == 0) buckets_.reset();
}

std::optional<double> RoundTrips::p95_ms() const noexcept {
  if (count_ == 0) return std::nullopt;
  const std::uint64_t rank = (std::uint64_t{count_} * 95 + 99) / 100;  // nearest rank, from 1
  std::uint64_t seen = 0;
  for (const Bucket& bucket : *buckets_) {
    seen += bucket.count;
    if (seen >= rank) return bucket.sum_tenths_ms / (10.0 * bucket.count);
  }
  VS_ASSERT(!"the buckets hold count_ values");
  return std::nullopt;
}

}  // namespace videosync
