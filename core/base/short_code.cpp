#include "core/base/short_code.h"

#include "core/base/assert.h"
#include "core/base/text.h"

namespace videosync {

namespace {

constexpr std::string_view alphabet =
    "0123456789"
    "ABCDEFGHJKMNPQRSTVWXYZ";
static_assert(alphabet.size() == 32);
constexpr std::size_t half = ShortCode::digits / 2;

// -1: no digit.
int digit_value(char written) noexcept {
  const char letter = ascii_upper(written);
  if (letter == 'O') return 0;
  if (letter == 'I' || letter == 'L') return 1;
  const std::size_t place = alphabet.find(letter);
  return place == std::string_view::npos ? -1 : static_cast<int>(place);
}

}  // namespace

ShortCode ShortCode::of_random(std::span<const std::uint8_t, 5> bytes) noexcept {
  ShortCode code;
  for (const std::uint8_t byte : bytes)
    code.value = code.value << 8 | byte;
  VS_ASSERT(code.value <= value_max);
  return code;
}

std::optional<ShortCode> ShortCode::parse(std::string_view text) noexcept {
  if (text.size() > typed_max) return std::nullopt;
  ShortCode code;
  std::size_t found = 0;
  for (const char letter : text) {
    if (letter == '-' || letter == ' ') continue;
    const int value = digit_value(letter);
    if (value < 0 || found == digits) return std::nullopt;
    code.value = code.value << 5 | static_cast<std::uint64_t>(value);
    ++found;
  }
  if (found != digits || !code) return std::nullopt;
  VS_ASSERT(code.value <= value_max);
  return code;
}

std::array<char, ShortCode::digits> ShortCode::to_digits() const noexcept {
  VS_ASSERT(value <= value_max);
  std::array<char, digits> text;
  for (std::size_t i = 0; i < digits; ++i)
    text[i] = alphabet[value >> 5 * (digits - 1 - i) & 31];
  return text;
}

std::string ShortCode::to_string() const {
  const std::array<char, digits> text = to_digits();
  std::string shown(text.data(), half);
  shown += '-';
  return shown.append(text.data() + half, half);
}

}  // namespace videosync
