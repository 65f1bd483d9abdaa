// The plan of a film's thumbnails: bounded, complete, without gaps.
#include "storage/films/thumbnail_sheet.h"

#include <criterion/criterion.h>

using namespace videosync;

Test(thumbnail_sheet, every_length_is_covered_by_at_most_a_hundred) {
  for (const double duration_s : {1e-9, 0.001, 0.5, 1.0, 1.5, 10.0, 99.9, 100.0, 100.001, 600.0,
                                  7'200.0, 86'400.0, 1e7, 1e300}) {
    const ThumbnailSheet sheet = ThumbnailSheet::plan(duration_s);
    cr_assert_geq(sheet.count, 1, "%g", duration_s);
    cr_assert_leq(sheet.count, 100, "%g", duration_s);
    cr_assert_geq(sheet.interval_ms, 1'000);
    cr_assert_leq(sheet.columns, 10);
    cr_assert_geq(sheet.columns * sheet.rows, sheet.count);
    cr_assert_lt(sheet.columns * (sheet.rows - 1), sheet.count, "no empty row");
    const auto covered_s = static_cast<double>(sheet.count * sheet.interval_ms) / 1'000;
    if (duration_s <= 1e7) cr_assert_geq(covered_s, duration_s - 0.001, "%g", duration_s);
  }
}

Test(thumbnail_sheet, ten_minutes_are_a_hundred_of_six_seconds) {
  const ThumbnailSheet sheet = ThumbnailSheet::plan(600);
  cr_assert_eq(sheet.interval_ms, 6'000);
  cr_assert_eq(sheet.count, 100);
  const std::string vtt = sheet.encode_vtt("cat.jpg");
  cr_assert(vtt.starts_with(
      "WEBVTT\n\n00:00:00.000 --> 00:00:06.000\ncat.jpg#xywh=0,0,160,90\n\n00:00:06.000 --> "));
  cr_assert(vtt.ends_with("\n00:09:54.000 --> 00:10:00.000\ncat.jpg#xywh=1440,810,160,90\n"));
  cr_assert_neq(sheet.video_filter().find("fps=1000/6000:"), std::string::npos);
  cr_assert_neq(sheet.video_filter().find("tile=10x10"), std::string::npos);
}

Test(thumbnail_sheet, long_films_have_hours) {
  const std::string vtt = ThumbnailSheet::plan(3 * 3'600).encode_vtt("a.jpg");
  cr_assert_neq(vtt.find("02:58:12.000 --> 03:00:00.000"), std::string::npos);
}
