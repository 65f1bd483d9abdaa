#include "storage/films/thumbnail_sheet.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/base/assert.h"

namespace videosync {

namespace {

constexpr std::int64_t count_max = 100;
constexpr std::uint32_t columns_max = 10;
constexpr std::int64_t interval_ms_min = 1'000;
constexpr double duration_s_max = 1e7;  // 115 days: nobody's film, and no overflow

std::string vtt_time(std::int64_t ms) {
  return fmt::format("{:02}:{:02}:{:02}.{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1'000 % 60,
                     ms % 1'000);
}

}  // namespace

ThumbnailSheet ThumbnailSheet::plan(double duration_s) {
  VS_ASSERT(std::isfinite(duration_s) && duration_s > 0);
  const double bounded_s = std::min(duration_s, duration_s_max);
  const auto duration_ms = std::max<std::int64_t>(1, std::llround(bounded_s * 1'000));
  ThumbnailSheet sheet;
  sheet.interval_ms = std::max(interval_ms_min, (duration_ms + count_max - 1) / count_max);
  sheet.count =
      static_cast<std::uint32_t>((duration_ms + sheet.interval_ms - 1) / sheet.interval_ms);
  sheet.columns = std::min(columns_max, sheet.count);
  sheet.rows = (sheet.count + sheet.columns - 1) / sheet.columns;
  return sheet;
}

// tpad repeats the last frame, so that the sheet is complete where key frames end before the film;
// without eof_action=pass, fps drops a frame that is the only one.
std::string ThumbnailSheet::video_filter() const {
  return fmt::format(
      "fps=1000/{}:eof_action=pass,tpad=stop={}:stop_mode=clone,"
      "scale=w={}:h={}:force_original_aspect_ratio=decrease,pad={}:{}:-1:-1,setsar=1,tile={}x{}",
      interval_ms, count_max, width, height, width, height, columns, rows);
}

std::string ThumbnailSheet::encode_vtt(std::string_view image_name) const {
  std::string text = "WEBVTT\n";
  for (std::uint32_t i = 0; i < count; ++i) {
    fmt::format_to(std::back_inserter(text), "\n{} --> {}\n{}#xywh={},{},{},{}\n",
                   vtt_time(i * interval_ms), vtt_time((i + 1) * interval_ms), image_name,
                   i % columns * width, i / columns * height, width, height);
  }
  return text;
}

}  // namespace videosync
