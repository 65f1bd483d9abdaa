#include "proto/http/http_range.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "proto/http/http_message.h"

namespace videosync {
namespace {

struct RangeSpec {
  std::string_view first;  // both are digits or empty, and not both empty
  std::string_view last;
};

bool all_digits(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), is_digit);
}

// Compares decimal numbers of any length.
bool is_less(std::string_view a, std::string_view b) noexcept {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// Saturates: a number beyond 64 bits lies beyond every file, and must not wrap into it.
std::uint64_t to_number(std::string_view digits) noexcept {
  constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (max - digit) / 10) return max;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<RangeSpec> parse_spec(std::string_view text) noexcept {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const RangeSpec spec{text.substr(0, dash), text.substr(dash + 1)};
  if (spec.first.empty() && spec.last.empty()) return std::nullopt;
  if (!all_digits(spec.first) || !all_digits(spec.last)) return std::nullopt;
  if (!spec.first.empty() && !spec.last.empty() && is_less(spec.last, spec.first)) {
    return std::nullopt;
  }
  return spec;
}

// What a spec selects of a file; length 0 where it selects nothing.
ByteRange resolve(const RangeSpec& spec, std::uint64_t size) noexcept {
  if (spec.first.empty()) {
    const std::uint64_t length = std::min(to_number(spec.last), size);
    return {size - length, length};
  }
  const std::uint64_t first = to_number(spec.first);
  if (first >= size) return {};
  const std::uint64_t last =
      spec.last.empty() ? size - 1 : std::min(to_number(spec.last), size - 1);
  return {first, last - first + 1};
}

// The range set behind "bytes=", or none for another unit.
std::optional<std::string_view> range_set_of(std::string_view field) noexcept {
  const std::size_t equals = field.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  if (!equals_ignoring_case(field.substr(0, equals), "bytes")) return std::nullopt;
  return field.substr(equals + 1);
}

}  // namespace

bool RangeSet::push(ByteRange range) noexcept {
  VS_ASSERT(range.length > 0);
  if (count_ == capacity) return false;
  ranges_[count_++] = range;
  return true;
}

RangeOutcome parse_range(std::string_view field, std::uint64_t size, RangeSet& set) noexcept {
  VS_ASSERT(size <= std::uint64_t{1} << 63);
  set.clear();
  const auto specs = range_set_of(field);
  if (!specs) return RangeOutcome::whole;
  bool has_specs = false;
  bool is_excessive = false;
  std::uint64_t asked_bytes = 0;
  for (std::string_view list = *specs; !list.empty();) {
    const std::string_view element = take_list_element(list);
    if (element.empty()) continue;  // RFC 9110, 5.6.1.2: empty elements count for nothing
    const auto spec = parse_spec(element);
    if (!spec) {
      set.clear();
      return RangeOutcome::whole;
    }
    has_specs = true;
    const ByteRange range = resolve(*spec, size);
    if (range.length == 0 || is_excessive) continue;
    is_excessive = range.length > size - asked_bytes || !set.push(range);
    if (!is_excessive) asked_bytes += range.length;
  }
  if (is_excessive) set.clear();
  if (!set.list().empty()) return RangeOutcome::partial;
  return has_specs && !is_excessive ? RangeOutcome::unsatisfiable : RangeOutcome::whole;
}

}  // namespace videosync
