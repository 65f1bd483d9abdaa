// RoundTrips: the 95th percentile of what a session's members last reported as their round trip.
//
// A histogram over the members: add() a member's value, remove() it when it reports another or
// goes. Fine up to 64 ms, coarser up to 384 ms; what is slower shares the last bucket, since the
// lead of a start is capped long before. O(buckets) for the percentile, O(1) for the rest, no
// memory while empty. Owned by a SessionMachine; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace videosync {

class RoundTrips {
 public:
  // 0 is what a client says that has not measured yet: it does not count.
  void add(float rtt_ms);
  // `rtt_ms` must have been added and not been removed since.
  void remove(float rtt_ms);
  std::uint32_t count() const noexcept { return count_; }

  // The mean of the bucket in which the percentile lies: exact where its values agree, and never
  // off by more than the bucket's width. Nothing while empty.
  std::optional<double> p95_ms() const noexcept;

 private:
  static constexpr std::size_t fine_count = 16;
  static constexpr std::size_t coarse_count = 20;
  static constexpr float fine_width_ms = 4;
  static constexpr float coarse_width_ms = 16;
  static constexpr float fine_end_ms = fine_count * fine_width_ms;
  static constexpr float value_max_ms = fine_end_ms + coarse_count * coarse_width_ms;

  struct Bucket {
    std::uint32_t count = 0;
    std::uint32_t sum_tenths_ms = 0;  // 100,000 members of 384 ms: 3.8e8, fits
  };

  static std::size_t bucket_for(float rtt_ms) noexcept;
  static std::uint32_t tenths_for(float rtt_ms) noexcept;

  std::unique_ptr<std::array<Bucket, fine_count + coarse_count>> buckets_;  // null exactly at 0
  std::uint32_t count_ = 0;
};

}  // namespace videosync
