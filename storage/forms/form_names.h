// The files of a film's forms, by the names that stand in their URLs:
//
//   film.json                    its tracks and forms
//   copy.m3u8, transcode.m3u8    master playlists
//   copy/index.m3u8, init.mp4, 12.m4s      the picture, copied
//   720p/...                               the picture made anew, in 16:9 of that height
//   sound-1/..., sound-1-6/...             sound track 1 of the file, as stereo and as 5.1
//   subtitles/3.vtt                        text track 3 of the file
//   pictures-4/0.json                      track 4, subtitles that are pictures, by the minute
// And of a file of captions beside a film, which is a film of its own here: captions/text.vtt
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace videosync {

struct Rendition {
  enum class Kind : std::uint8_t { copy, picture, sound, subtitles, beside, pictures };
  Kind kind = Kind::copy;
  int height = 0;    // of a picture
  int track = 0;     // of sound
  int channels = 2;  // likewise: 2 or 6

  std::string folder() const;
  bool operator==(const Rendition&) const = default;
};

struct FormFile {
  enum class Kind : std::uint8_t {
    facts,
    copy,
    transcode,
    playlist,
    init,
    segment,
    captions,
    beside,
  };
  Kind kind = Kind::facts;
  Rendition rendition{};    // from playlist on
  std::size_t segment = 0;  // of a segment
  int track = 0;            // of captions
  std::string lang{};       // of what lies beside, as its name says

  std::string name() const;  // within its rendition's folder
};

std::optional<FormFile> parse_form_file(std::string_view name);
// What becomes of a file of captions beside a film; no name of the above means it.
FormFile captions_beside(std::string lang);

}  // namespace videosync
