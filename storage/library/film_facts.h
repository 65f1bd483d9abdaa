// FilmFacts: what videosync-media tells of a film, as values. And FilmPlan: where it cut the film.
//
// Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace videosync {

// Times of films that matter to a player's clock are in these: 90,000 a second.
inline constexpr std::int64_t ticks_per_second = 90'000;

struct PictureTrack {
  std::string codec;  // these as in RFC 6381
  int width = 0;      // as it is shown: upright, with square pixels
  int height = 0;
  double fps = 0;  // 0: unknown
  bool hdr = false;
  int rotation = 0;  // degrees clockwise
  bool is_copyable = false;
};

struct SoundTrack {
  int index = 0;  // among the file's tracks
  std::string codec;
  int channels = 0;
  int rate = 0;                      // of what is made of it
  std::int64_t segment_samples = 0;  // likewise
  std::string lang;                  // BCP 47; "und": the film does not say
  std::string label;                 // "": none
  bool is_default = false;
};

struct SubtitleTrack {
  int index = 0;
  std::string codec;
  std::string lang;
  std::string label;
  bool is_forced = false;
  bool is_text = false;      // can become WebVTT
  std::int64_t span_ms = 0;  // of one part of its pictures; 0: it is none, or they cannot be had
};

struct FilmFacts {
  std::string told;  // the JSON that says all this
  std::uint64_t bytes = 0;
  std::int64_t start_ms = 0;  // of film time, on the container's clock
  std::optional<std::int64_t>
      duration_ms;          // nullopt: only reading the film would tell; 10 days at most
  bool ends_early = false;  // the file was cut short
  bool has_plan = false;    // the container's index tells where it may be cut
  std::optional<PictureTrack> picture;
  std::vector<SoundTrack> sound;
  std::vector<SubtitleTrack> subtitles;
  std::int64_t picture_segment_ticks = 0;

  std::int64_t end_ticks() const noexcept {
    return duration_ms.value_or(0) * (ticks_per_second / 1'000);
  }
  const SoundTrack* find_sound(int index) const noexcept;
  const SubtitleTrack* find_subtitles(int index) const noexcept;
  // Which one all members are given who have not chosen; null where there is none.
  const SoundTrack* default_sound() const noexcept;
};

// What was learned of a video's file.
struct LearnedFilm {
  std::optional<double> duration_s{};
  std::shared_ptr<const FilmFacts> facts{};  // null: nobody could look into it, or it is no film
  friend bool operator==(const LearnedFilm&, const LearnedFilm&) = default;  // the same facts
};
LearnedFilm learned_of(FilmFacts facts);

std::optional<FilmFacts> parse_film_facts(std::string_view json);
// What reading a film to its end has added: `facts` gets it. False: it is no such answer.
bool add_read_facts(std::string_view json, FilmFacts& facts);

struct FilmPlan {
  std::vector<std::int64_t> starts;  // of the segments, ticks; at least one, rising
  std::int64_t end = 0;              // of the picture
};
std::optional<FilmPlan> parse_film_plan(std::string_view text);

}  // namespace videosync
