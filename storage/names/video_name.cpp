#include "storage/names/video_name.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

#include "core/base/text.h"
#include "core/base/utf8.h"

namespace videosync {

namespace {

constexpr std::size_t slug_max = 64;

// Moves a run of digits off the front of `text`, without its leading zeros.
std::string_view take_number(std::string_view& text) noexcept {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  std::string_view number = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(number.size());
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

}  // namespace

std::string slug_of(std::string_view name) {
  std::string slug;
  for (const char c : name) {
    if (slug.size() == slug_max) break;
    if (is_digit(c) || is_letter(c)) {
      slug += ascii_lower(c);
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  if (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug;
}

std::string name_hash(std::string_view name) {
  std::uint32_t hash = 2166136261;
  for (const char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return fmt::format("{:08x}", hash);
}

// FNV-1a with 64 bits, stirred, because the last bytes hardly reach its upper half, and cut to 40.
std::string path_hash(std::string_view path) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : path)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93U;
  hash ^= hash >> 32;
  return fmt::format("{:010x}", hash & 0xff'ffff'ffffU);
}

std::string title_of(std::string_view stem) {
  std::string title;
  for (const char c : to_utf8(stem)) {
    if (c != '_' && c != '-' && c != '.' && c != ' ' && !is_control_byte(c)) {
      title += c;
    } else if (!title.empty() && title.back() != ' ') {
      title += ' ';
    }
  }
  if (!title.empty() && title.back() == ' ') title.pop_back();
  return title;
}

bool natural_less(std::string_view a, std::string_view b) noexcept {
  const std::string_view whole_a = a;
  const std::string_view whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view x = take_number(a);
      const std::string_view y = take_number(b);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      continue;
    }
    const auto x = static_cast<unsigned char>(ascii_lower(a.front()));
    const auto y = static_cast<unsigned char>(ascii_lower(b.front()));
    if (x != y) return x < y;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;
}

bool is_servable_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 255 || name.front() == '.') return false;
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return is_control_byte(c) || c == '\\' || c == '/'; });
}

}  // namespace videosync
