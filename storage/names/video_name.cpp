#include "storage/names/video_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

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

constexpr std::array<std::pair<std::string_view, std::string_view>, 36> language_names{{
    {"ar", "Arabic"},   {"bg", "Bulgarian"}, {"ca", "Catalan"},    {"cs", "Czech"},
    {"da", "Danish"},   {"de", "German"},    {"el", "Greek"},      {"en", "English"},
    {"es", "Spanish"},  {"et", "Estonian"},  {"eu", "Basque"},     {"fa", "Persian"},
    {"fi", "Finnish"},  {"fr", "French"},    {"he", "Hebrew"},     {"hi", "Hindi"},
    {"hr", "Croatian"}, {"hu", "Hungarian"}, {"id", "Indonesian"}, {"it", "Italian"},
    {"ja", "Japanese"}, {"ko", "Korean"},    {"lt", "Lithuanian"}, {"lv", "Latvian"},
    {"nl", "Dutch"},    {"no", "Norwegian"}, {"pl", "Polish"},     {"pt", "Portuguese"},
    {"ro", "Romanian"}, {"ru", "Russian"},   {"sv", "Swedish"},    {"th", "Thai"},
    {"tr", "Turkish"},  {"uk", "Ukrainian"}, {"vi", "Vietnamese"}, {"zh", "Chinese"},
}};

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

std::string language_label(std::string_view lang) {
  if (lang == "und") return "Captions";
  const std::size_t dash = lang.find('-');
  const std::string_view primary = lang.substr(0, dash);
  for (const auto& [tag, name] : language_names) {
    if (tag != primary) continue;
    if (dash == std::string_view::npos) return std::string(name);
    std::string subtags(lang.substr(dash + 1));
    for (char& c : subtags)
      c = ascii_upper(c);
    return fmt::format("{} ({})", name, subtags);
  }
  return std::string(lang);
}

std::optional<CaptionName> split_language(std::string_view stem) {
  const std::size_t dot = stem.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  std::string lang(stem.substr(dot + 1));
  std::size_t part = 0;  // index of the subtag
  std::size_t length = 0;
  for (char& c : lang) {
    c = ascii_lower(c == '_' ? '-' : c);
    if (c == '-') {
      if (length < 2) return std::nullopt;
      ++part;
      length = 0;
      continue;
    }
    if (!is_letter(c) && !(part > 0 && is_digit(c))) return std::nullopt;
    if (++length > (part == 0 ? 3U : 8U)) return std::nullopt;
  }
  if (length < 2) return std::nullopt;
  return CaptionName{stem.substr(0, dot), std::move(lang)};
}

bool is_servable_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 255 || name.front() == '.') return false;
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return is_control_byte(c) || c == '\\' || c == '/'; });
}

}  // namespace videosync
