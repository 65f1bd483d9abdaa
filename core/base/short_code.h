// ShortCode: 40 bits that a person can read out, as eight characters of Crockford's base 32, shown
// in two halves ("7K3M-Q0TZ"). Nil, which is none, is nobody's.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace videosync {

struct ShortCode {
  static constexpr std::size_t digits = 8;
  static constexpr std::uint64_t value_max = (std::uint64_t{1} << 5 * digits) - 1;

  std::uint64_t value = 0;  // at most value_max

  constexpr explicit operator bool() const noexcept { return value != 0; }
  friend auto operator<=>(const ShortCode&, const ShortCode&) = default;

  // Nil for one of 2^40 inputs: then draw again.
  static ShortCode of_random(std::span<const std::uint8_t, 5> bytes) noexcept;

  // As people write it: in any case, with dashes and spaces wherever they like, and with the
  // letters that look like a figure (O: 0; I and L: 1). Nothing for what is no code, nil included:
  // what is longer than anybody writes one, as a session's key is, is not looked into.
  static constexpr std::size_t typed_max = 32;
  static std::optional<ShortCode> parse(std::string_view text) noexcept;

  // The eight characters alone, as stores name it; with the dash, as people read it.
  std::array<char, digits> to_digits() const noexcept;
  std::string to_string() const;
};

}  // namespace videosync

template <>
struct std::hash<videosync::ShortCode> {
  std::size_t operator()(const videosync::ShortCode& code) const noexcept {
    return code.value;  // random bits already
  }
};
