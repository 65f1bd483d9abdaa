// kernel_sim: the reactor on a simulated kernel.
//
//   kernel_sim --seeds 1000            fresh ones, from the time
//   kernel_sim --seeds 1000 --from 7   these thousand
//   kernel_sim --seed 42               one, twice: it must go the same way
//
// Exit status: 0 nothing was found; 1 something was; 2 the command line.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <optional>

#include "tests/sim/kernel/apart.h"
#include "tests/sim/kernel/mill_trial.h"

namespace {

using namespace videosync::sim;

bool run(const SeedRange& range) {
  const Outcome outcome = run_apart(range, run_mill);
  if (outcome.finding) {
    fmt::print("seed {} (after {} others): {}\nagain: kernel_sim --seed {}\n", outcome.seed,
               outcome.done, *outcome.finding, outcome.seed);
    return false;
  }
  const KernelTotals& totals = outcome.totals;
  fmt::print(
      "{} seeds in {:.1f} s: {} turns ({:.0f} a second), {} operations, {} faults, {} MB looked "
      "at; nothing found\n",
      outcome.done, outcome.seconds, totals.turns,
      static_cast<double>(totals.turns) / outcome.seconds, totals.operations, totals.faults,
      totals.bytes / 1'000'000);
  return true;
}

bool run_twice(std::uint64_t seed) {
  const SeedRange one{.from = seed};
  if (!run(one)) return false;
  const Outcome first = run_apart(one, run_mill);
  const Outcome second = run_apart(one, run_mill);
  if (first.totals.trace == second.totals.trace) return true;
  fmt::print("seed {}: the second time it went another way\n", seed);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  fix_addresses(argv);
  SeedRange range;
  range.seeds = 0;
  range.from = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count());
  std::optional<std::uint64_t> seed;
  CLI::App app("A deterministic simulation of the kernel beneath VideoSync's reactor.");
  app.add_option("--seeds", range.seeds, "how many seeds to run");
  app.add_option("--from", range.from, "the first of them (default: from the time)");
  app.add_option("--seed", seed, "run only this one, twice");
  app.add_option("--seconds", range.seconds, "start no further seed after this time");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return (seed ? run_twice(*seed) : run(range)) ? 0 : 1;
}
