// The order of a library's list, and which of its videos are versions of one film.
//
// A pure function.
#pragma once

#include <vector>

#include "storage/library/media_library.h"

namespace videosync {

// Films and shows in the order of their titles, episodes in theirs, extras last; of one folder,
// title and year: versions, the one first that most people would take. Sets `versions`.
void put_in_order(std::vector<VideoEntry>& videos);

}  // namespace videosync
