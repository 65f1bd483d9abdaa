// The values that settings take, from text and back: counts, sizes, durations.
//
// Pure; any thread. Every error says what was read, why it will not do and what is allowed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace videosync {

// Both bounds are allowed values.
template <class T>
struct Range {
  T min;
  T max;
};

// Decimal digits.
Result<std::uint32_t> parse_count(std::string_view text, Range<std::uint32_t> allowed);

// "65536", "64KiB", "1MiB" or "20GiB"; the result is bytes.
Result<std::uint64_t> parse_size(std::string_view text, Range<std::uint64_t> allowed);
std::string format_size(std::uint64_t bytes);

// "500ms", "10s", "5m", "24h", "7d", or plain seconds; the result is microseconds.
Result<std::int64_t> parse_duration(std::string_view text, Range<std::int64_t> allowed);
std::string format_duration(std::int64_t us);  // in the largest unit that fits exactly

}  // namespace videosync
