// One seed of the service: workers, askers and viewers on a hostile kernel, turned until everybody
// has gone, and what must hold then.
#pragma once

#include <cstdint>

#include "tests/sim/kernel/apart.h"

namespace videosync::sim {

// Before processes fork: the site, and what its requests deserve.
void prepare_web();

// A finding ends the process.
KernelTotals run_web(std::uint64_t seed);

}  // namespace videosync::sim
