// Fuzzes what names of files say: of films, episodes, extras, captions and languages; and how they
// are shown, sorted, looked for and turned into ids.
//
// The first line: a folder; the second: a file's name without its ending; the third: another one.
//
// Reads: storage/names/caption_name.cpp, storage/names/film_name.cpp,
// storage/names/languages.cpp, storage/names/text_fold.cpp, storage/names/video_name.cpp
#include "storage/names/film_name.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "storage/films/film_notes.h"
#include "storage/names/caption_name.h"
#include "storage/names/languages.h"
#include "storage/names/text_fold.h"
#include "storage/names/video_name.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

bool is_shown_well(std::string_view text) {
  return is_valid_utf8(text) && !has_control_bytes(text);
}

void check_film(std::string_view folder, std::string_view stem) {
  const FilmName name = parse_film_name(folder, stem);
  VS_ASSERT(!name.title.empty() && is_shown_well(name.title));
  VS_ASSERT(is_shown_well(name.edition) && is_shown_well(name.quality));
  VS_ASSERT(!name.year || (*name.year >= 1900 && *name.year <= 2039));
  if (name.episode) {
    VS_ASSERT(!name.episode->show.empty() && name.title == name.episode->shown_title());
    VS_ASSERT(name.episode->season >= 0 && name.episode->season <= 9'999);
    VS_ASSERT(name.episode->number >= 0 && name.episode->number <= 9'999);
    VS_ASSERT(name.extra.empty());
  }
  VS_ASSERT(parse_film_name(folder, stem) == name);
  VS_ASSERT(named_by({}, {}, name) == name);
  // What no part of the name is may not be in the title: it grows by less than an extra's kind, and
  // by what stands for bytes that are no UTF-8.
  VS_ASSERT(name.title.size() <= 3 * (folder.size() + stem.size()) + 40);
  const auto season = season_of_folder(folder);
  VS_ASSERT(!season || (*season >= 0 && *season <= 9'999));
}

void check_captions(std::string_view stem) {
  const auto names = caption_names_of(stem);
  VS_ASSERT(!names.empty() && names.size() <= 5);
  std::size_t longest = stem.size() + 1;
  for (const CaptionName& name : names) {
    VS_ASSERT(name.stem.size() < longest && stem.starts_with(name.stem));
    longest = name.stem.size();
    VS_ASSERT(std::ranges::all_of(name.lang, [](char c) {
      return is_digit(c) || (is_letter(c) && c == ascii_lower(c)) || c == '-';
    }));
    VS_ASSERT(name.lang.size() >= 2 && name.lang.size() <= 2 * 64);
    VS_ASSERT(is_shown_well(caption_label(name.lang, name.kind)));
    VS_ASSERT(bcp47_of(name.lang) == bcp47_of(bcp47_of(name.lang)));
  }
}

void check_text(std::string_view name) {
  const std::string folded = fold_text(name);
  VS_ASSERT(is_valid_utf8(folded) && fold_text(folded) == folded);
  VS_ASSERT(is_valid_utf8(fold_title(name)));
  VS_ASSERT(is_shown_well(title_of(name)) && title_of(title_of(name)) == title_of(name));
  const std::string slug = slug_of(name);
  VS_ASSERT(slug.size() <= 64 && slug_of(slug) == slug && !slug.starts_with('-'));
  VS_ASSERT(name_hash(name).size() == 8 && path_hash(name).size() == 10);
}

// A strict order, or sorting a library is undefined.
void check_order(const std::array<std::string_view, 3>& names) {
  for (const std::string_view a : names) {
    VS_ASSERT(!natural_less(a, a));
    for (const std::string_view b : names) {
      VS_ASSERT(a == b || natural_less(a, b) != natural_less(b, a));
      for (const std::string_view c : names)
        VS_ASSERT(!(natural_less(a, b) && natural_less(b, c)) || natural_less(a, c));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = text_of(data, size);
  const std::string_view folder = take_line(text);
  const std::string_view stem = take_line(text);
  check_film(folder, stem);
  check_film("", text);
  for (const std::string_view name : {folder, stem, text}) {
    check_captions(name);
    check_text(name);
  }
  check_order({folder, stem, text});
  return 0;
}
