// sim_planted: does the simulator find what it is there to find?
//
//   sim_planted                          all faults
//   sim_planted not-refused jump-taken   these
//   sim_planted --from 7 --seeds 100     by these seeds
//
// The same seeds run without a fault, and must find nothing, then with each fault of
// tests/sim/planted/faults.cpp, until the promise is named that it breaks. Exit status: 0 all were
// found; 1 one was not, or something without; 2 the command line.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/planted/faults.h"
#include "tests/sim/trial.h"

namespace {

using namespace videosync::sim;
using Time = std::chrono::steady_clock;

// Some of those that the test `sim` runs: of them it is known that they find nothing.
constexpr std::uint64_t usual_from = 964;

// A rare one may take so many times as many seeds: a change of the product moves what a seed finds.
constexpr std::uint64_t rare_seeds = 20;

struct Range {
  std::uint64_t from = usual_from;
  std::uint64_t seeds = 280;
};

struct Search {
  std::optional<Finding> finding{};
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;
  std::map<std::string, unsigned> others{};  // how many seeds found what else
  double seconds = 0;
};

// Until one finds a breach of that promise; empty: of any.
Search search(const Range& range, std::string_view promise) {
  Search result;
  const Time::time_point start = Time::now();
  for (std::uint64_t next = range.from; next < range.from + range.seeds && !result.finding;) {
    // The child counts by itself.
    const TrialOutcome outcome = run_plans([&range, next]() mutable -> std::optional<Plan> {
      if (next == range.from + range.seeds) return std::nullopt;
      return make_plan(next++);
    });
    result.steps += outcome.totals.steps;
    if (!outcome.finding) break;
    next = outcome.seed + 1;
    const bool is_it = promise.empty() || promise_of(outcome.finding->check) == promise;
    if (!is_it) ++result.others[outcome.finding->check];
    if (!is_it) continue;
    result.finding = outcome.finding;
    result.seed = outcome.seed;
  }
  result.seconds = std::chrono::duration<double>(Time::now() - start).count();
  return result;
}

bool is_sound(const Range& range) {
  planted = 0;
  const Search without = search(range, {});
  if (!without.finding) {
    fmt::print("{} seeds, {} steps without a fault: nothing is found\n", range.seeds,
               without.steps);
    return true;
  }
  fmt::print("without a fault seed {} finds {}: {}\n", without.seed, without.finding->check,
             without.finding->words);
  return false;
}

bool is_found(Range range, std::size_t number) {
  const PlantedFault& fault = planted_faults()[number - 1];
  if (fault.from > 0) {
    if (range.from == usual_from) range.from = fault.from;
    range.seeds *= rare_seeds;
  }
  planted = number;
  const Search with = search(range, fault.promise);
  if (!with.finding) {
    fmt::print("{:18} {:15} NOT FOUND by {} seeds ({})\n", fault.name, fault.promise, range.seeds,
               fault.what);
    for (const auto& [check, seeds] : with.others)
      fmt::print("  {} of them found {}\n", seeds, check);
    return false;
  }
  fmt::print("{:18} {:15} seed {:4}, {:6} steps, {:4.1f} s: {}: {}\n", fault.name, fault.promise,
             with.seed, with.steps, with.seconds, with.finding->check, with.finding->words);
  std::fflush(stdout);
  return fault.from == 0 || is_sound({with.seed, 1});
}

}  // namespace

int main(int argc, char** argv) {
  Range range;
  std::vector<std::string> names;
  CLI::App app("Runs the simulator on a product with faults, which it is to find.");
  app.add_option("--from", range.from, "the first seed (default: 964)");
  app.add_option("--seeds", range.seeds, "how many of them at most, for each fault (default: 280)");
  app.add_option("names", names, "of faults (default: all)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto faults = planted_faults();
  for (const std::string& name : names) {
    if (std::ranges::find(faults, name, &PlantedFault::name) != faults.end()) continue;
    fmt::print(stderr, "there is no fault {}\n", name);
    return 2;
  }
  bool is_well = is_sound(range);
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const bool is_meant = names.empty() || std::ranges::find(names, faults[i].name) != names.end();
    if (is_meant && !is_found(range, i + 1)) is_well = false;
  }
  return is_well ? 0 : 1;
}
