#include "tests/sim/runner.h"

#include <fmt/core.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "tests/sim/shrink.h"
#include "tests/sim/trial.h"

namespace videosync::sim {

namespace {

using Time = std::chrono::steady_clock;

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
}

// Each line begins with a seed; the rest is for people.
std::optional<std::vector<std::uint64_t>> read_list(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::uint64_t seed = 0;
    if (!line.starts_with("#") && words >> seed) seeds.push_back(seed);
  }
  return seeds;
}

class Runner {
 public:
  explicit Runner(const RunnerOptions& options) : options_(options) {}

  // Those from `first` on. How many were run; nothing: one has failed, and that is the end.
  std::optional<std::size_t> run(const std::vector<std::uint64_t>& seeds, std::size_t first) {
    // The child counts by itself: what it says at its end is how many it has begun.
    const TrialOutcome outcome = run_plans([&, next = first]() mutable -> std::optional<Plan> {
      if (is_late() || next == seeds.size()) return std::nullopt;
      return plan_of(seeds[next++]);
    });
    count(outcome);
    if (!outcome.finding) return seeds.size() - first;
    report(outcome);
    return options_.keeps_going ? std::optional(outcome.runs) : std::nullopt;
  }
  bool run_all(const std::vector<std::uint64_t>& seeds) {
    for (std::size_t first = 0; first < seeds.size() && !is_late();) {
      const auto count = run(seeds, first);
      if (!count) return false;
      first += *count;
    }
    return true;
  }

  Plan plan_of(std::uint64_t seed) const {
    return options_.only_time ? Plan{.seed = seed} : make_plan(seed);
  }

  void count(const TrialOutcome& outcome) {
    runs_ += outcome.runs;
    totals_.steps += outcome.totals.steps;
    totals_.faults += outcome.totals.faults;
    totals_.commands += outcome.totals.commands;
    totals_.checks += outcome.totals.checks;
    totals_.redis_commands += outcome.totals.redis_commands;
    totals_.wrong_doubts += outcome.totals.wrong_doubts;
    totals_.gone += outcome.totals.gone;
    totals_.silences += outcome.totals.silences;
    totals_.slow_times += outcome.totals.slow_times;
  }

  void report(const TrialOutcome& outcome) {
    ++failures_[outcome.finding->check];
    fmt::print("seed {}: {}: {}\n", outcome.seed, outcome.finding->check, outcome.finding->words);
    if (options_.keeps_going) return;
    tell(plan_of(outcome.seed), outcome.finding->check);
    fmt::print("again: sim --seed {}\n", outcome.seed);
  }

  void tell(const Plan& plan, const std::string& check) {
    const Plan shortest = shrink(plan, check, options_.shrink_seconds);
    fmt::print("its story, with {} of {} actions, {} nodes, {} viewers, {} sessions:\n",
               shortest.actions.size(), plan.actions.size(), plan.nodes.size(), plan.viewers,
               plan.sessions);
    tell_plan(shortest);
  }

  bool is_late() const { return seconds_since(start_) > options_.seconds; }
  bool has_failed() const noexcept { return !failures_.empty(); }

  void print_totals() const {
    const double seconds = seconds_since(start_);
    const double rate = static_cast<double>(totals_.steps) / seconds;
    fmt::print(
        "{} seeds in {:.1f} s: {} steps ({:.0f} a second), {} commands, {} faults, "
        "{} times of peace, {} losses of messages alone, {} times of a slow store; {} commands "
        "were "
        "refused in doubt and count, {} went with their connection\n",
        runs_, seconds, totals_.steps, rate, totals_.commands, totals_.faults, totals_.checks,
        totals_.silences, totals_.slow_times, totals_.wrong_doubts, totals_.gone);
    for (const auto& [check, times] : failures_)
      fmt::print("  {:6} times: {}\n", times, check);
  }

 private:
  const RunnerOptions& options_;
  const Time::time_point start_ = Time::now();
  std::uint64_t runs_ = 0;
  RunTotals totals_{};
  std::map<std::string, std::uint64_t> failures_;
};

}  // namespace

int run_seeds(const RunnerOptions& options) {
  Runner runner(options);
  if (options.seed) {
    const Plan plan = runner.plan_of(*options.seed);
    const TrialOutcome outcome = options.tells ? tell_plan(plan) : run_plan(plan);
    runner.count(outcome);
    if (outcome.finding) runner.report(outcome);
    runner.print_totals();
    return runner.has_failed() ? 1 : 0;
  }
  bool is_well = true;
  if (!options.list.empty()) {
    const auto seeds = read_list(options.list);
    if (!seeds) {
      fmt::print(stderr, "--list: {} cannot be read\n", options.list);
      return 2;
    }
    is_well = runner.run_all(*seeds);
  }
  if (is_well && options.seeds > 0) {
    fmt::print("seeds from {} on\n", options.from);
    std::vector<std::uint64_t> seeds;
    for (std::uint64_t i = 0; i < options.seeds; ++i)
      seeds.push_back(options.from + i);
    runner.run_all(seeds);
  }
  runner.print_totals();
  return runner.has_failed() ? 1 : 0;
}

}  // namespace videosync::sim
