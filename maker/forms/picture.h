// A film's picture made anew, as H.264 that every browser plays: square pixels, even dimensions,
// upright, progressive, ordinary colours, at most 60 pictures a second; in segments on an even
// grid, each of which begins with a picture that needs no other.
//
// Presentation times are the source's, to the tick.
#pragma once

#include <cstdint>
#include <string>

#include "maker/film/film.h"
#include "maker/film/fragments.h"

namespace videosync {

inline constexpr std::int64_t picture_segment = 2 * 90'000;  // ticks

struct PictureOrder {
  int height_max = 720;       // of a box of 16:9 that the picture is made to fit in
  std::int64_t film_end = 0;  // ticks
  int threads = 1;
};
void make_picture(Film& film, const PictureOrder& order, Stretch stretch,
                  const SegmentFolder& folder);

}  // namespace videosync
