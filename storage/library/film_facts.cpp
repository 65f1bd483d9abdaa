#include "storage/library/film_facts.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "storage/names/languages.h"

namespace videosync {

namespace {

using simdjson::dom::element;

// What is said to last longer is not believed: playlists name each part of a film.
constexpr int rate_max = 768'000;
constexpr std::uint64_t bytes_max = std::uint64_t{1} << 56;
constexpr std::int64_t duration_max_ms = std::int64_t{10} * 24 * 3'600'000;

template <class T>
T get(const element& object, std::string_view name, T otherwise) {
  T value{};
  return object[name].get(value) == simdjson::SUCCESS ? value : otherwise;
}

std::string text(const element& object, std::string_view name) {
  return std::string(get(object, name, std::string_view()));
}

int number(const element& object, std::string_view name) {
  return static_cast<int>(get(object, name, std::int64_t{0}));
}

PictureTrack picture_of(const element& json) {
  return {.codec = text(json, "codec"),
          .width = number(json, "width"),
          .height = number(json, "height"),
          .fps = get(json, "fps", 0.0),
          .hdr = get(json, "hdr", false),
          .rotation = number(json, "rotation"),
          .is_copyable = get(json, "copyable", false)};
}

SoundTrack sound_of(const element& json) {
  return {.index = number(json, "index"),
          .codec = text(json, "codec"),
          .channels = number(json, "channels"),
          .rate = number(json, "rate"),
          .segment_samples = get(json, "segmentSamples", std::int64_t{0}),
          .lang = bcp47_of(text(json, "lang")),
          .label = text(json, "label"),
          .is_default = get(json, "default", false)};
}

SubtitleTrack subtitle_of(const element& json) {
  return {.index = number(json, "index"),
          .codec = text(json, "codec"),
          .lang = bcp47_of(text(json, "lang")),
          .label = text(json, "label"),
          .is_forced = get(json, "forced", false),
          .is_text = get(json, "text", false),
          .span_ms =
              std::clamp(get(json, "spanMs", std::int64_t{0}), std::int64_t{0}, duration_max_ms)};
}

template <class T, class Make>
void add_all(const element& film, std::string_view name, std::vector<T>& to, Make make) {
  simdjson::dom::array tracks;
  if (film[name].get(tracks) != simdjson::SUCCESS) return;
  for (const element track : tracks)
    to.push_back(make(track));
}

// From a second to as long as a film may be.
bool is_segment(std::int64_t length, std::int64_t units_a_second) noexcept {
  return length >= units_a_second && length / units_a_second <= duration_max_ms / 1'000;
}

// A number off the front of the text, and the blank behind it.
std::optional<std::int64_t> take_number(std::string_view& text) {
  const std::size_t end = text.find_first_of(" \n");
  const auto value = parse_decimal<std::int64_t>(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return value;
}

}  // namespace

const SoundTrack* FilmFacts::find_sound(int index) const noexcept {
  const auto found = std::ranges::find(sound, index, &SoundTrack::index);
  return found == sound.end() ? nullptr : &*found;
}

const SubtitleTrack* FilmFacts::find_subtitles(int index) const noexcept {
  const auto found = std::ranges::find(subtitles, index, &SubtitleTrack::index);
  return found == subtitles.end() ? nullptr : &*found;
}

const SoundTrack* FilmFacts::default_sound() const noexcept {
  const auto marked = std::ranges::find(sound, true, &SoundTrack::is_default);
  if (marked != sound.end()) return &*marked;
  return sound.empty() ? nullptr : &sound.front();
}

LearnedFilm learned_of(FilmFacts facts) {
  std::optional<double> duration_s;
  if (facts.duration_ms.value_or(0) > 0) {
    duration_s = static_cast<double>(*facts.duration_ms) / 1'000;
  }
  return {duration_s, std::make_shared<const FilmFacts>(std::move(facts))};
}

std::optional<FilmFacts> parse_film_facts(std::string_view json) {
  simdjson::dom::parser parser;
  element film;
  if (parser.parse(json.data(), json.size()).get(film) != simdjson::SUCCESS) return std::nullopt;
  if (!film.is_object()) return std::nullopt;
  FilmFacts facts;
  facts.told = json;
  facts.bytes = get(film, "bytes", std::uint64_t{0});
  facts.start_ms = get(film, "startMs", std::int64_t{0});
  if (film["durationMs"].error() == simdjson::SUCCESS) {
    const std::int64_t told_ms = get(film, "durationMs", std::int64_t{0});
    if (told_ms >= 0 && told_ms <= duration_max_ms) facts.duration_ms = told_ms;
  }
  facts.ends_early = get(film, "endsEarly", false);
  facts.has_plan = film["segments"].error() == simdjson::SUCCESS;
  if (element picture; film["video"].get(picture) == simdjson::SUCCESS) {
    facts.picture = picture_of(picture);
  }
  add_all(film, "audio", facts.sound, sound_of);
  add_all(film, "subtitles", facts.subtitles, subtitle_of);
  facts.picture_segment_ticks = get(film, "pictureSegmentTicks", std::int64_t{0});
  const bool has_grid = std::ranges::all_of(facts.sound, [](const SoundTrack& one) {
    return one.rate > 0 && one.rate <= rate_max && is_segment(one.segment_samples, one.rate);
  });
  const bool is_sane = has_grid && is_segment(facts.picture_segment_ticks, ticks_per_second) &&
                       facts.bytes <= bytes_max;
  return is_sane ? std::optional(std::move(facts)) : std::nullopt;
}

bool add_read_facts(std::string_view json, FilmFacts& facts) {
  simdjson::dom::parser parser;
  element film;
  if (parser.parse(json.data(), json.size()).get(film) != simdjson::SUCCESS) return false;
  const std::int64_t duration_ms = get(film, "durationMs", std::int64_t{0});
  if (duration_ms <= 0 || duration_ms > duration_max_ms) return false;
  facts.duration_ms = duration_ms;
  facts.ends_early = get(film, "endsEarly", false);
  return true;
}

std::optional<FilmPlan> parse_film_plan(std::string_view text) {
  FilmPlan plan;
  if (!take_number(text)) return std::nullopt;
  const auto end = take_number(text);
  while (!text.empty()) {
    // How its key frame is recognised, its place in the file, and where it starts.
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t last = line.rfind(' ');
    if (std::ranges::count(line, ' ') != 2) return std::nullopt;
    const auto start = parse_decimal<std::int64_t>(line.substr(last + 1));
    const bool rises = start && (plan.starts.empty() ? *start == 0 : *start > plan.starts.back());
    if (!rises) return std::nullopt;
    plan.starts.push_back(*start);
  }
  if (!end || plan.starts.empty() || *end <= plan.starts.back()) return std::nullopt;
  plan.end = *end;
  return plan;
}

}  // namespace videosync
