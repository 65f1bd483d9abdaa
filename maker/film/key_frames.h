// Whether a film's key frames are such that every player can begin with them.
//
// Of H.264 containers call key frames also those pictures before which only a few cannot be shown
// (recovery points, "open groups of pictures"). Some players begin with instantaneous refreshes
// alone when they are given segments, and would wait for one for ever.
#pragma once

#include <cstddef>
#include <span>

#include "maker/film/film.h"
#include "maker/film/plan.h"

namespace videosync {

// Of a key frame, as the container has it.
bool refreshes(const AVCodecParameters& track, const AVPacket& key);
// Looks at the first key frames: by the plan, or, where that is null, in the first seconds that the
// film is read from where it is.
bool begin_with_refreshes(Film& film, const Plan* plan);

}  // namespace videosync
