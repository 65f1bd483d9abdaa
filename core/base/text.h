// The small words about ASCII text: letters, numbers, blanks, hexadecimal, percent-encoding.
//
// Pure functions, any thread. A byte above 0x7f is neither letter, digit nor blank. Each of them
// stands here alone: tests/layers finds a second one elsewhere. Non-ASCII text: utf8.h.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace videosync {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr char ascii_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
constexpr bool is_letter(char c) noexcept {
  return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}
// Below 0x20, and 0x7f.
constexpr bool is_control_byte(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

constexpr bool has_control_bytes(std::string_view text) noexcept {
  for (const char c : text) {
    if (is_control_byte(c)) return true;
  }
  return false;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

// The whole text as a number in decimal digits, "-" before them where `Integer` has a sign; none
// for any other text, and for what does not fit.
template <std::integral Integer>
std::optional<Integer> parse_decimal(std::string_view text) noexcept {
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

// --- Blanks --------------------------------------------------------------------------------------

inline constexpr std::string_view http_blanks = " \t";      // RFC 9110, 5.6.3
inline constexpr std::string_view json_blanks = " \t\r\n";  // RFC 8259, 2

// Without the blanks at both ends.
constexpr std::string_view trim(std::string_view text, std::string_view blanks) noexcept {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// --- Hexadecimal ---------------------------------------------------------------------------------

inline constexpr std::string_view hex_digits = "0123456789abcdef";

// Of a digit in either case; -1 for anything else.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Two lower-case digits a byte.
inline std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += hex_digits[byte >> 4];
    text += hex_digits[byte & 0x0f];
  }
  return text;
}

// Exactly as many digits as fill `bytes`; false, and rubbish in `bytes`, for any other text.
constexpr bool parse_hex(std::string_view text, std::span<std::uint8_t> bytes) noexcept {
  if (text.size() != bytes.size() * 2) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

// --- Percent-encoding (RFC 3986, and the '+' of HTML forms) --------------------------------------

enum class PlusSign : std::uint8_t { as_it_is, blank };

// Decodes %XX once. `out` has room for text.size() bytes; it may be where `text` is. The decoded
// length, or none at a bad escape.
constexpr std::optional<std::size_t> percent_decode(std::string_view text, PlusSign plus,
                                                    char* out) noexcept {
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      std::uint8_t byte[1] = {};
      if (!parse_hex(text.substr(i + 1, 2), byte)) return std::nullopt;
      c = static_cast<char>(byte[0]);
      i += 2;
    } else if (c == '+' && plus == PlusSign::blank) {
      c = ' ';
    }
    out[length++] = c;
  }
  return length;
}

inline std::optional<std::string> percent_decoded(std::string_view text, PlusSign plus) {
  std::string decoded(text.size(), '\0');
  const auto length = percent_decode(text, plus, decoded.data());
  if (!length) return std::nullopt;
  decoded.resize(*length);
  return decoded;
}

}  // namespace videosync
