// Fuzzes what videosync-media tells of a film, where it cut it, and what is made of that: playlists
// and JSON; and the names of the files of forms, as they come in URLs.
//
// A NUL parts the input: the description, the plan, a name. Playlists have lines of their own
// alone, their parts add up to the film, and the JSON is JSON.
//
// Reads: storage/forms/form_names.cpp, storage/forms/form_playlists.cpp,
// storage/library/film_facts.cpp
#include "storage/library/film_facts.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/utf8.h"
#include "storage/forms/form_names.h"
#include "storage/forms/form_playlists.h"
#include "tests/fuzz/support/fuzz_lines.h"

using namespace videosync;
using namespace videosync::fuzz;

namespace {

std::string_view take_part(std::string_view& text) {
  const std::size_t end = text.find('\0');
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return part;
}

void check_name(std::string_view name) {
  const auto file = parse_form_file(name);
  if (!file) return;
  const bool is_alone = file->kind == FormFile::Kind::facts || file->kind == FormFile::Kind::copy ||
                        file->kind == FormFile::Kind::transcode;
  if (is_alone) return;
  const bool is_playlist = file->kind == FormFile::Kind::playlist;
  const std::string again =
      file->rendition.folder() + "/" + (is_playlist ? "index.m3u8" : file->name());
  VS_ASSERT(again == name);
}

// A line is a tag, or the name of something that is served.
void check_lines(std::string_view playlist) {
  VS_ASSERT(playlist.starts_with("#EXTM3U\n") && playlist.ends_with('\n'));
  while (!playlist.empty()) {
    const std::string_view line = take_line(playlist);
    VS_ASSERT(line.starts_with("#EXT") || parse_form_file(line) || line.ends_with(".m4s"));
    VS_ASSERT(std::ranges::count(line, '"') % 2 == 0 && line.find('\r') == line.npos);
  }
}

void check_rendition(const FilmFacts& facts, const FilmPlan* plan, const Rendition& rendition) {
  const std::size_t count = segments_of(facts, plan, rendition);
  const bool is_read = rendition.kind == Rendition::Kind::pictures;
  constexpr std::size_t much = 5'000;  // what takes the fuzzer too long
  if (count == 0 || count > much) return;
  double before_s = -1;
  for (std::size_t i = 0; i < count; ++i) {
    const double at_s = start_s(facts, plan, rendition, i);
    VS_ASSERT(std::isfinite(at_s) && at_s > before_s);
    before_s = at_s;
  }
  if (!is_read) check_lines(media_playlist(facts, plan, rendition));
}

void check_film(const FilmFacts& facts, const FilmPlan* plan) {
  VS_ASSERT(facts.end_ticks() >= 0);
  std::string json = "{";
  append_film(json, facts, {"/videos/a.mp4", "video/mp4", "/forms/a/1/"});
  simdjson::dom::parser parser;
  VS_ASSERT(parser.parse(json + "}").error() == simdjson::SUCCESS);
  using Kind = Rendition::Kind;
  check_rendition(facts, plan, {.kind = Kind::copy});
  check_rendition(facts, plan, {.kind = Kind::picture, .height = 480});
  for (const SoundTrack& track : facts.sound) {
    check_rendition(facts, plan, {.kind = Kind::sound, .track = track.index});
    check_rendition(facts, plan, {.kind = Kind::sound, .track = track.index, .channels = 6});
  }
  for (const SubtitleTrack& track : facts.subtitles)
    check_rendition(facts, plan, {.kind = Kind::pictures, .track = track.index});
  if (!facts.picture) return;
  check_lines(copy_master(facts));
  check_lines(transcode_master(facts, 8));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = text_of(data, size);
  const std::string_view told = take_part(text);
  const std::string_view plan_text = take_part(text);
  check_name(text);
  check_name(told);
  const auto plan = parse_film_plan(plan_text);
  if (plan) {
    VS_ASSERT(plan->starts.front() == 0 && plan->end > plan->starts.back());
    VS_ASSERT(std::ranges::is_sorted(plan->starts));
  }
  auto facts = parse_film_facts(told);
  if (!facts) return 0;
  check_film(*facts, plan ? &*plan : nullptr);
  if (add_read_facts(text, *facts)) check_film(*facts, plan ? &*plan : nullptr);
  return 0;
}
