// Copies a film's picture into segments, without decoding it.
//
// Presentation times are the source's, to the tick. Decoding times are made anew
// (decoding_times.h), within a segment from its key frame's time on. So a segment's own time (tfdt)
// is its first picture's, whatever the run began with, and segments of different runs are alike to
// the byte.
#pragma once

#include "maker/film/film.h"
#include "maker/film/fragments.h"
#include "maker/film/plan.h"

namespace videosync {

void copy_picture(Film& film, const Plan& plan, Stretch stretch, const SegmentFolder& folder);

}  // namespace videosync
