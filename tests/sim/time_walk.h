// A walk of the time that all nodes tell: what happens to a Redis' clock and to nodes, by a seed.
//
// Nodes come and go, but not all at a time; Redis is restarted, loses what it holds, and its clock
// is set or runs fast. See TimeWorld; a run of World takes the time of its nodes for given.
#pragma once

#include <cstdint>
#include <optional>

#include "tests/sim/story.h"

namespace videosync::sim {

std::optional<Finding> walk_time(std::uint64_t seed);

}  // namespace videosync::sim
