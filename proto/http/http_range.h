// The Range field (RFC 9110, 14): which bytes of a file of known size to send.
//
// Pure and free of allocation; sizes and offsets are bytes, up to 2^63. A malformed field, or one
// of another unit, means the whole file. So does a set that asks for more than the file or for more
// than `RangeSet::capacity` parts: overlap must not multiply what a request costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace videosync {

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // never 0 in a RangeSet
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

class RangeSet {
 public:
  static constexpr std::size_t capacity = 16;

  std::span<const ByteRange> list() const noexcept { return {ranges_.data(), count_}; }
  bool push(ByteRange range) noexcept;  // false when full
  void clear() noexcept { count_ = 0; }

 private:
  std::array<ByteRange, capacity> ranges_{};
  std::size_t count_ = 0;
};

enum class RangeOutcome : std::uint8_t {
  whole,          // 200
  partial,        // 206: the set has one range (plain) or several (multipart/byteranges)
  unsatisfiable,  // 416 with Content-Range: bytes */size
};

// `set` is overwritten; it is empty unless the outcome is partial. Parts keep the client's order.
RangeOutcome parse_range(std::string_view field, std::uint64_t size, RangeSet& set) noexcept;

}  // namespace videosync
