#include "maker/charset.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/utf8.h"

namespace videosync {

namespace {

// 0x80 to 0x9f, the part that Latin-1 leaves to control characters.
constexpr std::array<char16_t, 32> windows_1252{
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};
constexpr std::uint32_t replacement = 0xfffd;

void append_code_point(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

std::string from_utf16(std::string_view bytes, bool is_big_endian) {
  std::string out;
  const auto unit_at = [&](std::size_t i) -> std::uint32_t {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    return is_big_endian ? first * 256U + second : second * 256U + first;
  };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const std::uint32_t unit = unit_at(i);
    const bool is_high = unit >= 0xd800 && unit < 0xdc00;
    const std::uint32_t low = is_high && i + 3 < bytes.size() ? unit_at(i + 2) : 0;
    if (is_high && low >= 0xdc00 && low < 0xe000) {
      append_code_point(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
      i += 2;
    } else {
      append_code_point(out, unit >= 0xd800 && unit < 0xe000 ? replacement : unit);
    }
  }
  return out;
}

std::string from_windows_1252(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_special = byte >= 0x80 && byte < 0xa0;
    append_code_point(out, is_special ? windows_1252[byte - 0x80U] : byte);
  }
  return out;
}

// Text of mostly Latin letters has a zero in every other byte.
std::size_t zeros_at(std::string_view bytes, std::size_t offset) {
  std::size_t zeros = 0;
  for (std::size_t i = offset; i < bytes.size(); i += 2)
    zeros += bytes[i] == '\0' ? 1U : 0U;
  return zeros;
}

}  // namespace

std::string recognised_text(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) return to_utf8(bytes.substr(3));
  if (bytes.starts_with("\xff\xfe")) return from_utf16(bytes.substr(2), false);
  if (bytes.starts_with("\xfe\xff")) return from_utf16(bytes.substr(2), true);
  const std::size_t half = bytes.size() / 2;
  if (half > 0 && zeros_at(bytes, 1) * 2 > half) return from_utf16(bytes, false);
  if (half > 0 && zeros_at(bytes, 0) * 2 > half) return from_utf16(bytes, true);
  if (is_valid_utf8(bytes)) return std::string(bytes);
  return from_windows_1252(bytes);
}

}  // namespace videosync
