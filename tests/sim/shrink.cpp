#include "tests/sim/shrink.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "tests/sim/trial.h"

namespace videosync::sim {

namespace {

class Shrinker {
 public:
  Shrinker(const std::string& check, double seconds)
      : check_(check),
        end_(std::chrono::steady_clock::now() +
             std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                 std::chrono::duration<double>(seconds))) {}

  bool is_over() const { return std::chrono::steady_clock::now() >= end_; }
  bool still_fails(const Plan& plan) const {
    const TrialOutcome outcome = run_plan(plan);
    return outcome.finding && outcome.finding->check == check_;
  }

 private:
  const std::string& check_;
  const std::chrono::steady_clock::time_point end_;
};

// Without `count` actions from `first` on.
Plan without(const Plan& plan, std::size_t first, std::size_t count) {
  Plan less = plan;
  const auto from = less.actions.begin() + static_cast<std::ptrdiff_t>(first);
  const auto left = static_cast<std::size_t>(less.actions.end() - from);
  less.actions.erase(from, from + static_cast<std::ptrdiff_t>(std::min(count, left)));
  return less;
}

// From the back: what came after the fault goes first. Whether anything went.
bool drop_parts(Plan& plan, std::size_t size, const Shrinker& shrinker) {
  bool has_dropped = false;
  std::size_t end = plan.actions.size();
  while (end > 0 && !shrinker.is_over()) {
    const std::size_t first = end > size ? end - size : 0;
    Plan less = without(plan, first, end - first);
    if (shrinker.still_fails(less)) {
      plan = std::move(less);
      has_dropped = true;
    }
    end = first;
  }
  return has_dropped;
}

// Rounds in which nothing is done, and then the time behind the last action of a round.
void drop_time(Plan& plan, const Shrinker& shrinker) {
  for (std::uint32_t round = 0; round < plan.rounds_us.size() && !shrinker.is_over(); ++round) {
    std::int64_t last_us = -1;
    for (const Action& action : plan.actions) {
      if (action.round == round) last_us = std::max(last_us, action.at_us);
    }
    Plan less = plan;
    less.rounds_us[round] = last_us + 1;
    if (less.rounds_us[round] < plan.rounds_us[round] && shrinker.still_fails(less)) {
      plan = std::move(less);
    }
  }
}

}  // namespace

Plan shrink(const Plan& plan, const std::string& check, double seconds) {
  const Shrinker shrinker(check, seconds);
  Plan shortest = plan;
  std::size_t size = std::max<std::size_t>(1, plan.actions.size() / 2);
  while (!shortest.actions.empty() && !shrinker.is_over()) {
    const bool has_dropped = drop_parts(shortest, size, shrinker);
    if (size == 1 && !has_dropped) break;
    if (size > 1) size = size / 2;
  }
  drop_time(shortest, shrinker);
  return shortest;
}

}  // namespace videosync::sim
