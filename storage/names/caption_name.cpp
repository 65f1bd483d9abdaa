#include "storage/names/caption_name.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "storage/names/languages.h"
#include "storage/names/text_fold.h"

namespace videosync {

namespace {

constexpr std::size_t words_max = 4;
constexpr std::size_t word_bytes_max = 64;
constexpr std::string_view unknown = "und";

constexpr std::array<std::pair<std::string_view, CaptionKind>, 8> kinds{{
    {"forced", CaptionKind::forced},
    {"foreign", CaptionKind::forced},
    {"sdh", CaptionKind::sdh},
    {"hoh", CaptionKind::sdh},
    {"cc", CaptionKind::cc},
    // These say that there is nothing to say.
    {"full", CaptionKind::plain},
    {"default", CaptionKind::plain},
    {"subs", CaptionKind::plain},
}};

// What makes one of several of a language.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> varieties{{
    {"brazil", "br"},
    {"brazilian", "br"},
    {"brasil", "br"},
    {"portugal", "pt"},
    {"european", "pt"},
    {"spain", "es"},
    {"latin", "419"},
    {"latino", "419"},
    {"american", ""},  // latin ...
    {"simplified", "hans"},
    {"traditional", "hant"},
    {"canada", "ca"},
    {"canadian", "ca"},
}};

// Of people who share captions.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> custom_tags{
    {{"pob", "pt-br"}, {"pb", "pt-br"}, {"chs", "zh-hans"}, {"cht", "zh-hant"}}};

template <class Table>
auto look_up(const Table& table, std::string_view key)
    -> std::optional<decltype(table.front().second)> {
  const auto found = std::ranges::find(table, key, [](const auto& one) { return one.first; });
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

// 2 or 3 letters, then subtags. "": it is no tag.
std::string tag_of(std::string_view word) {
  std::string tag(word);
  std::size_t part = 0;  // index of the subtag
  std::size_t length = 0;
  for (char& c : tag) {
    c = ascii_lower(c == '_' ? '-' : c);
    if (c == '-') {
      if (length < 2) return {};
      ++part;
      length = 0;
      continue;
    }
    if (!is_letter(c) && !(part > 0 && is_digit(c))) return {};
    if (++length > (part == 0 ? 3U : 8U)) return {};
  }
  if (length < 2) return {};
  return std::string(look_up(custom_tags, tag).value_or(bcp47_of(tag)));
}

std::vector<std::string> parts_of(std::string_view word) {
  std::vector<std::string> parts(1);
  for (const char c : fold_text(to_utf8(word))) {
    if (std::string_view(" ()[]_-+,").find(c) == std::string_view::npos) {
      parts.back() += c;
    } else if (!parts.back().empty()) {
      parts.emplace_back();
    }
  }
  if (parts.back().empty()) parts.pop_back();
  return parts;
}

// What one word between dots says, part by part. Nullopt: nothing of captions.
class WordReader {
 public:
  static std::optional<CaptionName> read(std::string_view word) {
    if (word.size() > word_bytes_max) return std::nullopt;
    const std::vector<std::string> parts = parts_of(word);
    const bool has_kind = std::ranges::any_of(
        parts, [](const std::string& part) { return look_up(kinds, part).has_value(); });
    CaptionName said{.stem = {}, .lang = std::string(unknown)};
    if (!has_kind) {
      if (std::string tag = tag_of(word); !tag.empty()) {
        said.lang = std::move(tag);
        return said;
      }
    }
    WordReader reader(said);
    const bool is_said = !parts.empty() && std::ranges::all_of(parts, [&](const std::string& part) {
      return reader.take(part);
    });
    if (!is_said || (!reader.variety_.empty() && said.lang == unknown)) return std::nullopt;
    if (!reader.variety_.empty()) said.lang += "-" + reader.variety_;
    return said;
  }

 private:
  explicit WordReader(CaptionName& said) : said_(said) {}

  bool take(const std::string& part) {
    if (const auto kind = look_up(kinds, part)) {
      if (said_.kind == CaptionKind::plain) said_.kind = *kind;
      return true;
    }
    if (const auto variety = look_up(varieties, part)) {
      variety_ += *variety;
      return true;
    }
    if (part == "hi" && said_.lang != unknown) {
      said_.kind = CaptionKind::sdh;
      return true;
    }
    if (said_.lang != unknown) return false;
    const auto named = language_named(part);
    said_.lang = named ? std::string(*named) : tag_of(part);
    return !said_.lang.empty();
  }

  CaptionName& said_;
  std::string variety_;
};

// Joins what a word further left says. False: it says the same thing once more, so it is the
// film's.
bool join(CaptionName& name, const CaptionName& said) {
  const bool has_lang = said.lang != unknown;
  if (has_lang && name.lang == "hi" && name.kind == CaptionKind::plain) {
    name.kind = CaptionKind::sdh;  // "en.hi": of who is hearing impaired, not in Hindi
  } else if (has_lang && name.lang != unknown) {
    return false;
  }
  if (has_lang) name.lang = said.lang;
  if (name.kind == CaptionKind::plain) name.kind = said.kind;
  return true;
}

}  // namespace

std::string_view name_of(CaptionKind kind) noexcept {
  constexpr std::array<std::string_view, 4> names{"", "forced", "sdh", "cc"};
  return names[static_cast<std::size_t>(kind)];
}

std::vector<CaptionName> caption_names_of(std::string_view stem) {
  std::vector<CaptionName> names{{.stem = stem, .lang = std::string(unknown)}};
  while (names.size() <= words_max) {
    CaptionName next = names.back();
    const std::size_t dot = next.stem.rfind('.');
    if (dot == std::string_view::npos || dot == 0) break;
    const auto said = WordReader::read(next.stem.substr(dot + 1));
    if (!said || !join(next, *said)) break;
    next.stem = next.stem.substr(0, dot);
    names.push_back(std::move(next));
  }
  return names;
}

std::string caption_label(std::string_view lang, CaptionKind kind) {
  constexpr std::array<std::string_view, 4> words{"", "forced", "SDH", "CC"};
  std::string label = language_label(lang);
  if (kind == CaptionKind::plain) return label;
  const std::string_view word = words[static_cast<std::size_t>(kind)];
  if (!label.ends_with(')')) return fmt::format("{} ({})", label, word);
  label.pop_back();
  return fmt::format("{}, {})", label, word);
}

}  // namespace videosync
