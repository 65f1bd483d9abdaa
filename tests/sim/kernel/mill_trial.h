// One seed of the mills: workers, files and customers, turned until everybody has gone, and what
// must hold then.
#pragma once

#include <cstdint>

#include "tests/sim/kernel/apart.h"

namespace videosync::sim {

// A finding ends the process.
KernelTotals run_mill(std::uint64_t seed);

}  // namespace videosync::sim
