// UTF-8 (RFC 3629): judged as the bytes arrive, and counted in code points.
//
// Utf8Validator carries its state over chunks cut anywhere; it fails at the first byte that no
// valid text can have there, not at the end. Plain values; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace videosync {

class Utf8Validator {
 public:
  // False from the first bad byte on, until reset(). Refused: overlong forms, surrogates, anything
  // above U+10FFFF.
  bool feed(std::span<const std::uint8_t> bytes) noexcept;

  // True exactly when all that was fed is valid and ends between two code points.
  bool is_complete() const noexcept { return !failed_ && pending_ == 0; }
  void reset() noexcept { *this = Utf8Validator{}; }

 private:
  bool feed_byte(std::uint8_t byte) noexcept;

  std::uint8_t pending_ = 0;      // continuation bytes still due
  std::uint8_t next_min_ = 0x80;  // what the next continuation byte may be
  std::uint8_t next_max_ = 0xbf;
  bool failed_ = false;
};

bool is_valid_utf8(std::string_view text) noexcept;

// REQUIRES valid UTF-8.
std::size_t count_code_points(std::string_view text) noexcept;

// The longest prefix of at most `bytes_max` bytes that cuts no code point. REQUIRES valid UTF-8.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace videosync
