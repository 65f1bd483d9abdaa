#include "storage/media/video_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "storage/media/content_type.h"

namespace videosync {

namespace {

using file_names::ascii_lower;

constexpr std::size_t slug_max = 64;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
  return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

// Length of the UTF-8 sequence at the front of `text` (RFC 3629), 0 where there is none.
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second > 0x9f;
  const bool beyond = lead == 0xf4 && second > 0x8f;
  return overlong || surrogate || beyond ? 0 : length;
}

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

std::string to_utf8(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    const std::size_t length = utf8_length(name);
    text += length == 0 ? "\xef\xbf\xbd" : name.substr(0, length);
    name.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

std::string title_of(std::string_view stem) {
  std::string title;
  for (const char c : to_utf8(stem)) {
    if (c != '_' && c != '-' && c != '.' && c != ' ') {
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
      c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
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
  return std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\' || c == '/';
  });
}

}  // namespace videosync
