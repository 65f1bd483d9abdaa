// Copies a film's picture into segments, without decoding it.
//
// Presentation times are the source's, to the tick. Decoding times are made anew: within a segment
// from its key frame's time evenly to the next one's. So a segment's own time (tfdt) is its first
// picture's, whatever the run began with, and segments of different runs are alike to the byte.
#pragma once

#include <cstddef>

#include "maker/film.h"
#include "maker/fragments.h"
#include "maker/plan.h"

namespace videosync {

// What of a form is made: `count` segments from number `from` on, as far as there are any; with a
// count of 0 the init segment alone.
struct Stretch {
  std::size_t from = 0;
  std::size_t count = 1;
  std::size_t end() const noexcept { return from + count; }
};

void copy_picture(Film& film, const Plan& plan, Stretch stretch, const SegmentFolder& folder);

}  // namespace videosync
