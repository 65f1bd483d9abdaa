// Trial: runs plans in a child process and says what came of it.
//
// An assertion that fails, a signal and a run that does not end are findings, too, named by what
// the child said last, so that the same fault has the same name. One child at a time, which is
// ended by its own process id if it takes too long.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tests/sim/plan.h"
#include "tests/sim/story.h"
#include "tests/sim/world.h"

namespace videosync::sim {

struct TrialOutcome {
  std::uint64_t runs = 0;  // that were begun
  std::optional<Finding> finding{};
  std::uint64_t seed = 0;  // of the finding
  RunTotals totals{};
};

// One after the other what `next` makes, until it makes nothing or a run fails.
TrialOutcome run_plans(const std::function<std::optional<Plan>()>& next);
TrialOutcome run_plan(const Plan& plan);
// And tells its story on stdout.
TrialOutcome tell_plan(const Plan& plan);

}  // namespace videosync::sim
