// ThumbnailSheet: a film's small pictures for the seek bar, laid out on one image. Pure.
//
// One picture an interval, row by row; together at most 100, so that the image stays small whatever
// the film's length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace videosync {

struct ThumbnailSheet {
  static constexpr std::uint32_t width = 160;  // of one picture, in pixels
  static constexpr std::uint32_t height = 90;

  std::int64_t interval_ms = 0;
  std::uint32_t count = 0;
  std::uint32_t columns = 0;
  std::uint32_t rows = 0;

  // duration_s is finite and greater than 0.
  static ThumbnailSheet plan(double duration_s);

  // What ffmpeg's -vf takes to make the image of a film's frames, or of its key frames alone.
  std::string video_filter() const;

  // WebVTT that names, for each interval, the part of the image (Media Fragments: #xywh=).
  std::string encode_vtt(std::string_view image_name) const;
};

}  // namespace videosync
