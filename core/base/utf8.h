// UTF-8 (RFC 3629): judged as the bytes arrive, counted, cut and mended.
//
// Utf8Validator is the one judge: all else here asks it. It carries its state over chunks cut
// anywhere and fails at the first byte that no valid text can have there, not at the end. (simdjson
// has a faster check of whole texts, which can neither be fed in pieces nor says where a text
// breaks: it would be a second opinion.) Plain values, pure functions; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/base/assert.h"

namespace videosync {

class Utf8Validator {
 public:
  // False from the first bad byte on, until reset(). Refused: overlong forms, surrogates, anything
  // above U+10FFFF.
  bool feed(std::span<const std::uint8_t> bytes) noexcept {
    if (failed_) return false;
    for (std::size_t i = 0; i < bytes.size();) {
      if (pending_ == 0) i += ascii_run(bytes.subspan(i));
      if (i == bytes.size()) break;
      if (!feed_byte(bytes[i++])) return false;
    }
    return true;
  }

  // Table 3-7 of the Unicode Standard: only the byte after the first has a range of its own.
  bool feed_byte(std::uint8_t byte) noexcept {
    VS_ASSERT(!failed_ && pending_ <= 3);
    if (pending_ > 0) {
      failed_ = byte < next_min_ || byte > next_max_;
      --pending_;
      next_min_ = 0x80;
      next_max_ = 0xbf;
    } else if (byte >= 0x80) {
      begin_sequence(byte);
    }
    return !failed_;
  }

  // True exactly when all that was fed is valid and ends between two code points.
  bool is_complete() const noexcept { return !failed_ && pending_ == 0; }
  void reset() noexcept { *this = Utf8Validator{}; }

 private:
  // How many bytes at the front are certainly ASCII, in steps of eight.
  static std::size_t ascii_run(std::span<const std::uint8_t> bytes) noexcept {
    std::size_t run = 0;
    std::uint64_t word;
    while (bytes.size() - run >= sizeof word) {
      std::memcpy(&word, bytes.data() + run, sizeof word);
      if ((word & 0x8080'8080'8080'8080u) != 0) break;
      run += sizeof word;
    }
    return run;
  }

  void begin_sequence(std::uint8_t lead) noexcept {
    if (lead >= 0xc2 && lead <= 0xdf) {
      pending_ = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      pending_ = 2;
      if (lead == 0xe0) next_min_ = 0xa0;  // below: overlong
      if (lead == 0xed) next_max_ = 0x9f;  // above: surrogates
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      pending_ = 3;
      if (lead == 0xf0) next_min_ = 0x90;  // below: overlong
      if (lead == 0xf4) next_max_ = 0x8f;  // above: past U+10FFFF
    } else {
      failed_ = true;
    }
  }

  std::uint8_t pending_ = 0;      // continuation bytes still due
  std::uint8_t next_min_ = 0x80;  // what the next continuation byte may be
  std::uint8_t next_max_ = 0xbf;
  bool failed_ = false;
};

inline bool is_valid_utf8(std::string_view text) noexcept {
  Utf8Validator validator;
  validator.feed({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return validator.is_complete();
}

// The length of the code point at the front of `text`; 0 where there is none.
inline std::size_t utf8_sequence_length(std::string_view text) noexcept {
  Utf8Validator validator;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!validator.feed_byte(static_cast<std::uint8_t>(text[i]))) return 0;
    if (validator.is_complete()) return i + 1;
  }
  return 0;
}

// The text with each byte that is not UTF-8 as U+FFFD.
inline std::string to_utf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = utf8_sequence_length(bytes);
    text += length == 0 ? "\xef\xbf\xbd" : bytes.substr(0, length);
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

constexpr bool is_utf8_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// REQUIRES valid UTF-8.
inline std::size_t count_code_points(std::string_view text) noexcept {
  const auto continuations = std::count_if(text.begin(), text.end(), is_utf8_continuation);
  return text.size() - static_cast<std::size_t>(continuations);
}

// The longest prefix of at most `bytes_max` bytes that cuts no code point. REQUIRES valid UTF-8.
inline std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && is_utf8_continuation(text[end]))
    --end;
  return text.substr(0, end);
}

}  // namespace videosync
