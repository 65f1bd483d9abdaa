#include "proto/wire/utf8.h"

#include <cstring>

#include "core/base/assert.h"

namespace videosync {

namespace {

// How many of the bytes from `at` on are ASCII, in steps of eight.
std::size_t ascii_run(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
  const std::size_t start = at;
  std::uint64_t word;
  while (bytes.size() - at >= sizeof word) {
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & 0x8080'8080'8080'8080u) != 0) break;
    at += sizeof word;
  }
  return at - start;
}

bool is_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

bool Utf8Validator::feed(std::span<const std::uint8_t> bytes) noexcept {
  if (failed_) return false;
  for (std::size_t i = 0; i < bytes.size();) {
    if (pending_ == 0) i += ascii_run(bytes, i);
    if (i == bytes.size()) break;
    if (!feed_byte(bytes[i++])) return false;
  }
  return true;
}

// Table 3-7 of the Unicode Standard: only the byte after the first has a range of its own.
bool Utf8Validator::feed_byte(std::uint8_t byte) noexcept {
  VS_ASSERT(!failed_ && pending_ <= 3);
  if (pending_ > 0) {
    if (byte < next_min_ || byte > next_max_) {
      failed_ = true;
      return false;
    }
    --pending_;
    next_min_ = 0x80;
    next_max_ = 0xbf;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte >= 0xc2 && byte <= 0xdf) {
    pending_ = 1;
  } else if (byte >= 0xe0 && byte <= 0xef) {
    pending_ = 2;
    if (byte == 0xe0) next_min_ = 0xa0;  // below: overlong
    if (byte == 0xed) next_max_ = 0x9f;  // above: surrogates
  } else if (byte >= 0xf0 && byte <= 0xf4) {
    pending_ = 3;
    if (byte == 0xf0) next_min_ = 0x90;  // below: overlong
    if (byte == 0xf4) next_max_ = 0x8f;  // above: past U+10FFFF
  } else {
    failed_ = true;
  }
  return !failed_;
}

bool is_valid_utf8(std::string_view text) noexcept {
  Utf8Validator validator;
  validator.feed({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return validator.is_complete();
}

std::size_t count_code_points(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) {
    if (!is_continuation(c)) ++count;
  }
  return count;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && is_continuation(text[end]))
    --end;
  return text.substr(0, end);
}

}  // namespace videosync
