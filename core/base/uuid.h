// Uuid: 128 bits in the form of RFC 9562, used as a session's key (version 4, random).
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "core/base/text.h"

namespace videosync {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const Uuid&, const Uuid&) = default;

  static Uuid random_v4() noexcept {
    Uuid uuid;
    fill_random(uuid.bytes);
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
  }

  // Accepts exactly the 36-character form of a version 4 UUID, in either case.
  static std::optional<Uuid> parse_v4(std::string_view text) noexcept {
    if (text.size() != 36) return std::nullopt;
    Uuid uuid;
    std::size_t nibble = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (i == 8 || i == 13 || i == 18 || i == 23) {
        if (text[i] != '-') return std::nullopt;
        continue;
      }
      const int value = hex_value(text[i]);
      if (value < 0) return std::nullopt;
      auto& byte = uuid.bytes[nibble / 2];
      byte = static_cast<std::uint8_t>((byte << 4) | value);
      ++nibble;
    }
    const bool is_v4 = (uuid.bytes[6] & 0xf0) == 0x40 && (uuid.bytes[8] & 0xc0) == 0x80;
    return is_v4 ? std::optional(uuid) : std::nullopt;
  }

  // 36 lower-case characters.
  std::string to_string() const {
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += hex_digits[bytes[i] >> 4];
      text += hex_digits[bytes[i] & 0x0f];
    }
    return text;
  }
};

}  // namespace videosync

template <>
struct std::hash<videosync::Uuid> {
  std::size_t operator()(const videosync::Uuid& uuid) const noexcept {
    std::size_t word;  // random bits already: no mixing needed
    std::memcpy(&word, uuid.bytes.data() + 8, sizeof word);
    return word;
  }
};
