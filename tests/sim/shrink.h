// Shrink: the shortest plan found that still breaks the same promise.
//
// Delta debugging (Zeller, Hildebrandt 2002) over the list of actions: larger parts are left out
// first, then smaller ones, until nothing more can go or time is up. Each try is a run.
#pragma once

#include <string>

#include "tests/sim/plan.h"

namespace videosync::sim {

Plan shrink(const Plan& plan, const std::string& check, double seconds);

}  // namespace videosync::sim
