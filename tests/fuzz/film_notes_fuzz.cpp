// Fuzzes notes beside films (.nfo): whatever they are, what they say is short, in one line and
// UTF-8, and to be told it twice is to be told it once. Cut anywhere they say no more than whole
// ones would be allowed to.
//
// The first two bytes: where the input is cut; the rest: the notes.
//
// Reads: storage/films/film_notes.cpp
#include "storage/films/film_notes.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/base/utf8.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

FilmNotes read(std::string_view bytes) {
  const FilmNotes notes = parse_film_notes(bytes);
  for (const std::string* text : {&notes.title, &notes.show}) {
    VS_ASSERT(text->size() <= 200 && is_valid_utf8(*text) && !has_control_bytes(*text));
    VS_ASSERT(trim(*text, " ") == *text);
  }
  VS_ASSERT(!notes.year || (*notes.year >= 1880 && *notes.year <= 2100));
  VS_ASSERT(!notes.season || (*notes.season >= 0 && *notes.season <= 9'999));
  VS_ASSERT(!notes.number || (*notes.number >= 0 && *notes.number <= 9'999));
  if (notes.kind == FilmNotes::Kind::none) VS_ASSERT(notes == FilmNotes{});
  return notes;
}

void check_names(const FilmNotes& own, const FilmNotes& of_show) {
  for (const std::string_view stem : {"Show S01E02", "Film (2001)", "Film-trailer"}) {
    const FilmName before = parse_film_name("", stem);
    const FilmName name = named_by(own, of_show, before);
    VS_ASSERT(!name.title.empty() && named_by(own, of_show, name) == name);
    if (name.episode) VS_ASSERT(!name.episode->show.empty());
    if (!before.extra.empty()) VS_ASSERT(name == before);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes = text_of(data + 2, size - 2);
  const std::size_t cut = (std::size_t{data[0]} * 256 + data[1]) % bytes.size();
  const FilmNotes whole = read(bytes);
  const FilmNotes front = read(bytes.substr(0, cut));
  check_names(whole, front);
  check_names(front, whole);
  return 0;
}
