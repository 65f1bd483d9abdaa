#include "server/config/setting_values.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>
#include <span>

namespace videosync {

namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

constexpr Unit size_units[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};
// From the largest to the smallest; a plain number is seconds.
constexpr Unit duration_units[] = {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000},
                                   {"s", 1'000'000},      {"ms", 1'000},        {"", 1'000'000}};

// nullopt unless `text` is digits and one of the units, and fits.
std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (suffix != unit.suffix) continue;
    std::uint64_t value = 0;
    if (__builtin_mul_overflow(number, unit.factor, &value)) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

}  // namespace

Result<std::uint32_t> parse_count(std::string_view text, Range<std::uint32_t> allowed) {
  static constexpr Unit plain[] = {{"", 1}};
  const auto value = parse_with_unit(text, plain);
  if (value && *value >= allowed.min && *value <= allowed.max) {
    return static_cast<std::uint32_t>(*value);
  }
  return fail(ErrorCode::invalid_argument, fmt::format("'{}' is not a whole number from {} to {}",
                                                       text, allowed.min, allowed.max));
}

Result<std::uint64_t> parse_size(std::string_view text, Range<std::uint64_t> allowed) {
  const auto value = parse_with_unit(text, size_units);
  if (value && *value >= allowed.min && *value <= allowed.max) return *value;
  return fail(ErrorCode::invalid_argument,
              fmt::format("'{}' is not a size from {} to {} (bytes, or with KiB, MiB or GiB)", text,
                          format_size(allowed.min), format_size(allowed.max)));
}

std::string format_size(std::uint64_t bytes) {
  for (const Unit& unit : size_units) {
    if (bytes >= unit.factor && bytes % unit.factor == 0) {
      return fmt::format("{}{}", bytes / unit.factor, unit.suffix);
    }
  }
  return "0";
}

Result<std::int64_t> parse_duration(std::string_view text, Range<std::int64_t> allowed) {
  const auto value = parse_with_unit(text, duration_units);
  if (value && *value <= static_cast<std::uint64_t>(allowed.max) &&
      *value >= static_cast<std::uint64_t>(allowed.min)) {
    return static_cast<std::int64_t>(*value);
  }
  return fail(ErrorCode::invalid_argument,
              fmt::format("'{}' is not a duration from {} to {} (such as 500ms, 10s, 5m, 24h, 7d, "
                          "or plain seconds)",
                          text, format_duration(allowed.min), format_duration(allowed.max)));
}

std::string format_duration(std::int64_t us) {
  const auto value = static_cast<std::uint64_t>(us);
  for (const Unit& unit : duration_units) {
    if (value >= unit.factor && value % unit.factor == 0) {
      return fmt::format("{}{}", value / unit.factor, unit.suffix);
    }
  }
  return "0s";
}

}  // namespace videosync
